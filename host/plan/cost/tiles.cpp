#include "plan/cost/tiles.hpp"

#include <algorithm>
#include <cstddef>
#include <tuple>

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

void unite(Region& region, const Region& other) {
  if (other.empty()) return;
  if (region.empty()) {
    region = other;
    return;
  }
  region = {std::min(region.first_row, other.first_row), std::max(region.last_row, other.last_row),
            std::min(region.first_column, other.first_column), std::max(region.last_column, other.last_column)};
}

// One axis of input_region.
std::pair<int, int> needed(const Window& window, int first, int last, int size, Halo halo) {
  int begin = window.stride * first - window.padding;
  int end = window.stride * last - window.padding + window.kernel - 1;
  if (halo == Halo::Zero) {
    begin = window.stride * first;
    end = window.stride * last + window.stride - 1;
  }
  return {std::max(begin, 0), std::min(end, size - 1)};
}

std::pair<int, int> map_size(const Problem& problem, int layer) {
  if (layer == NetworkInput) return {problem.input_height, problem.input_width};
  const std::optional<Window>& window = problem.layers[at(layer)].window;
  return window ? std::pair{window->height, window->width} : std::pair{0, 0};
}

Bytes region_bytes(Bytes whole, const Region& region, std::int64_t area) {
  return area == 0 ? 0 : scaled(whole, region.area(), area);
}

// Adds one transfer to a tile's time and to the loads.
void send(const Problem& problem, int from, int to, Bytes bytes, Primitive& total, std::vector<Nanoseconds>& loads) {
  if (from == to) return;
  const Primitive cost = transfer(problem, from, to, bytes);
  total = {add(total.mean, cost.mean), add(total.bound, cost.bound), add(total.energy, cost.energy)};
  if (const std::optional<int> link = find_link(problem, from, to); link && cost.possible())
    loads[problem.devices.size() + at(*link)] += cost.mean;
}

Primitive piece_compute(const Problem& problem, int variant, const TilingShape::Piece& piece) {
  Primitive total;
  for (const TilingShape::Part& part : piece.parts) {
    const Primitive whole = layer_cost(problem, variant, part.layer, piece.device);
    if (!whole.possible()) return impossible();
    total = {add(total.mean, scaled(whole.mean, part.area, part.whole)),
             add(total.bound, scaled(whole.bound, part.area, part.whole)),
             add(total.energy, scaled(whole.energy, part.area, part.whole))};
  }
  return total;
}

}  // namespace

Region input_region(const Window& window, const Region& output, int height, int width, Halo halo) {
  if (output.empty()) return {};
  const auto [first_row, last_row] = needed(window, output.first_row, output.last_row, height, halo);
  const auto [first_column, last_column] = needed(window, output.first_column, output.last_column, width, halo);
  return {first_row, last_row, first_column, last_column};
}

TileWork tile_work(const Problem& problem, int first, int last, const Tile& tile, Halo halo) {
  TileWork work;
  work.outputs.resize(at(last - first + 1));
  work.outputs.back() = {tile.first_row, tile.last_row, tile.first_column, tile.last_column};
  for (int layer = last; layer >= first; --layer) {
    const Region output = work.outputs[at(layer - first)];
    for (const int input : problem.layers[at(layer)].inputs) {
      const auto [height, width] = map_size(problem, input);
      const Region part = input_region(*problem.layers[at(layer)].window, output, height, width, halo);
      unite(input < first ? work.input : work.outputs[at(input - first)], part);
    }
  }
  return work;
}

Segment segment(const Problem& problem, int first, int last) {
  Segment result;
  bool found = false;
  for (int layer = first; layer <= last; ++layer) {
    if (!problem.layers[at(layer)].window) return {};
    for (const int input : problem.layers[at(layer)].inputs) {
      if (input >= first) continue;
      if (found && input != result.input) return {};
      result.input = input;
      found = true;
    }
  }
  for (int layer = last + 1; layer < static_cast<int>(problem.layers.size()); ++layer)
    for (const int input : problem.layers[at(layer)].inputs)
      if (input >= first && input < last) return {};
  std::tie(result.input_height, result.input_width) = map_size(problem, result.input);
  result.tileable = found && result.input_height > 0 && result.input_width > 0;
  return result;
}

TilingShape tiling_shape(const Problem& problem, int variant, int first, int last, const std::vector<Tile>& tiles) {
  TilingShape shape;
  const Segment outside = segment(problem, first, last);
  if (!outside.tileable) return shape;
  const Halo halo = problem.variants[at(variant)].isolated_tiles ? Halo::Zero : Halo::Grown;
  const std::int64_t input_area = static_cast<std::int64_t>(outside.input_height) * outside.input_width;
  for (const Tile& tile : tiles) {
    const TileWork work = tile_work(problem, first, last, tile, halo);
    TilingShape::Piece piece{
        tile.device, region_bytes(tensor_bytes(problem, variant, outside.input), work.input, input_area), 0, {}};
    std::int64_t area = 0;
    for (int layer = first; layer <= last; ++layer) {
      const Window& window = *problem.layers[at(layer)].window;
      const Region& region = work.outputs[at(layer - first)];
      area = static_cast<std::int64_t>(window.height) * window.width;
      if (!region.empty()) piece.parts.push_back({layer, region.area(), area});
    }
    piece.output_bytes = region_bytes(tensor_bytes(problem, variant, last), work.outputs.back(), area);
    shape.pieces.push_back(std::move(piece));
  }
  shape.possible = true;
  return shape;
}

TilingCost tiling_cost(const Problem& problem, int variant, const TilingShape& shape, int device) {
  TilingCost result;
  result.loads.assign(problem.devices.size() + problem.links.size(), 0);
  result.cost = impossible();
  if (!shape.possible) return result;
  std::vector<Primitive> devices(problem.devices.size());
  for (const TilingShape::Piece& piece : shape.pieces) {
    Primitive& total = devices[at(piece.device)];
    send(problem, device, piece.device, piece.input_bytes, total, result.loads);
    const Primitive compute = piece_compute(problem, variant, piece);
    total = {add(total.mean, compute.mean), add(total.bound, compute.bound), add(total.energy, compute.energy)};
    result.loads[at(piece.device)] = add(result.loads[at(piece.device)], compute.mean);
    send(problem, piece.device, device, piece.output_bytes, total, result.loads);
  }
  result.cost = {};
  for (const Primitive& one : devices)
    result.cost = {std::max(result.cost.mean, one.mean), std::max(result.cost.bound, one.bound),
                   add(result.cost.energy, one.energy)};
  return result;
}

std::vector<Tile> grid_tiles(int height, int width, int rows, int columns, const std::vector<int>& devices) {
  std::vector<Tile> tiles;
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      const Tile tile{devices[tiles.size() % devices.size()], height * row / rows, height * (row + 1) / rows - 1,
                      width * column / columns, width * (column + 1) / columns - 1};
      if (tile.last_row >= tile.first_row && tile.last_column >= tile.first_column) tiles.push_back(tile);
    }
  }
  return tiles;
}

std::vector<Tile> row_tiles(int height, int width, const std::vector<int>& devices,
                            const std::vector<std::int64_t>& weights) {
  std::int64_t sum = 0;
  for (const std::int64_t weight : weights) sum += weight;
  std::vector<Tile> tiles;
  if (sum <= 0) return tiles;
  std::int64_t before = 0;
  int first = 0;
  for (std::size_t index = 0; index < devices.size(); ++index) {
    before += weights[index];
    const int end = static_cast<int>((height * before + sum / 2) / sum);
    if (end > first) tiles.push_back({devices[index], first, end - 1, 0, width - 1});
    first = std::max(first, end);
  }
  return tiles;
}

bool covers_once(const std::vector<Tile>& tiles, int height, int width) {
  std::int64_t area = 0;
  for (std::size_t index = 0; index < tiles.size(); ++index) {
    const Tile& tile = tiles[index];
    if (tile.first_row < 0 || tile.first_column < 0 || tile.last_row >= height || tile.last_column >= width ||
        tile.last_row < tile.first_row || tile.last_column < tile.first_column)
      return false;
    for (std::size_t other = 0; other < index; ++other)
      if (tiles[other].first_row <= tile.last_row && tile.first_row <= tiles[other].last_row &&
          tiles[other].first_column <= tile.last_column && tile.first_column <= tiles[other].last_column)
        return false;
    area += static_cast<std::int64_t>(tile.last_row - tile.first_row + 1) * (tile.last_column - tile.first_column + 1);
  }
  return area == static_cast<std::int64_t>(height) * width;
}

}  // namespace espalier::plan
