// Tiles of fused layers: which part of every map a tile needs, and what a tiling costs.
//
// Fused tile partitioning as in DeepThings (Zhao, Barijough, Gerstlauer, TCAD 2018, Algorithm 1), for any kernel,
// stride and padding and for layers with several inputs: a tile of the last output grows backwards by the halo.
#pragma once

#include <vector>

#include "plan/cost/problem.hpp"
#include "plan/cost/transfer.hpp"

namespace espalier::plan {

/// Inclusive; empty if the last is before the first.
struct Region {
  int first_row = 0, last_row = -1;
  int first_column = 0, last_column = -1;
  bool empty() const { return last_row < first_row || last_column < first_column; }
  std::int64_t area() const {
    return empty() ? 0
                   : static_cast<std::int64_t>(last_row - first_row + 1) *
                         static_cast<std::int64_t>(last_column - first_column + 1);
  }
};

enum class Halo { Grown, Zero };

/// The part of an input map of `height` x `width` that an output region needs.
Region input_region(const Window& window, const Region& output, int height, int width, Halo halo);

/// What one tile computes in each of the layers first..last, and what it reads from outside.
struct TileWork {
  std::vector<Region> outputs;  // per layer of the range
  Region input;
};
TileWork tile_work(const Problem& problem, int first, int last, const Tile& tile, Halo halo);

/// The tensor that the layers first..last read from outside, if there is exactly one, all have windows, and nothing but
/// the last is read later.
struct Segment {
  bool tileable = false;
  int input = NetworkInput;
  int input_height = 0, input_width = 0;
};
Segment segment(const Problem& problem, int first, int last);

struct TilingCost {
  Primitive cost;                  // time of the slowest device; energy of all
  std::vector<Nanoseconds> loads;  // devices, then links; mean
};

/// The part of a tiling that links and loads do not change.
struct TilingShape {
  struct Part {
    int layer = 0;
    std::int64_t area = 0, whole = 0;  // of the tile, of the map
  };
  struct Piece {
    int device = 0;
    Bytes input_bytes = 0, output_bytes = 0;
    std::vector<Part> parts;
  };
  bool possible = false;
  std::vector<Piece> pieces;  // one per tile
};
TilingShape tiling_shape(const Problem& problem, int variant, int first, int last, const std::vector<Tile>& tiles);

/// The cost of a tiling that starts from and ends on `device`.
TilingCost tiling_cost(const Problem& problem, int variant, const TilingShape& shape, int device);

/// rows x columns tiles of a height x width output, to `devices` in turn; row i spans height*i/rows to
/// height*(i+1)/rows - 1.
std::vector<Tile> grid_tiles(int height, int width, int rows, int columns, const std::vector<int>& devices);

/// Rows in shares of `weights`, one tile per device; devices whose share rounds to no row get none.
std::vector<Tile> row_tiles(int height, int width, const std::vector<int>& devices,
                            const std::vector<std::int64_t>& weights);

/// Whether the tiles cover the height x width output, each position once.
bool covers_once(const std::vector<Tile>& tiles, int height, int width);

/// Ranges that start and end where one tensor alone is alive, and whose layers all have windows.
std::vector<std::pair<int, int>> tileable_ranges(const Problem& problem);

/// Square grids of tiles, each tile to the device around home that would finish it first if tiles were handed out in
/// turn.
std::vector<Tile> allotted_tiles(const Problem& problem, int variant, int first, int last, int grid);

/// Adds to the problem's tilings: for every tileable range and every set of two or more devices around home equal rows
/// and rows in proportion to speed; for ranges from the first layer on also the square grids, to the devices in turn
/// and as allotted_tiles hands them out. What the published tile planners choose from is among them.
void add_tilings(Problem& problem, const std::vector<int>& grids);

/// The grids of planners that name some.
inline constexpr int PublishedGrids[] = {2, 3, 4, 5, 8};

}  // namespace espalier::plan
