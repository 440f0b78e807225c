#include "compile/layout.hpp"

#include <algorithm>

namespace espalier::compile {
namespace {

/// Local extent of the last tile of an axis, the longest one.
int tile_extent(int size, int grid, int step) { return std::max(step, size - (grid - 1) * step); }

}  // namespace

Tiling Tiling::of(int height, int width, int grid_y, int grid_x, WordShape word) {
  const int tile_y = divide_up(height, grid_y);
  const int tile_x = divide_up(width, grid_x);
  return {divide_up(height, tile_y), divide_up(width, tile_x), tile_y, tile_x, tile_y, tile_x, word, 0, 0, false, 0};
}

std::optional<Tiling> Tiling::packed(int height, int width, int grid_y, int grid_x, WordShape word) {
  Tiling tiling = of(height, width, grid_y, grid_x, word);
  const int spare = word.segment - tiling.tiles();
  const int moved = tiling.positions() * spare / word.segment;
  if (moved <= 0 || height != tiling.grid_y * tiling.step_y || width != tiling.grid_x * tiling.step_x)
    return std::nullopt;
  tiling.packed_height = tiling.height;
  tiling.packed_width = tiling.width;
  tiling.width = tiling.positions() - moved;
  tiling.height = 1;
  return tiling;
}

std::optional<Tiling> Tiling::strands(int height, int width, int gap, WordShape word) {
  std::optional<Tiling> best;
  for (int bands = 1; bands <= std::min(word.segment, height); ++bands) {
    const int rows = divide_up(height, bands);
    const int line = rows * (width + gap) - gap;
    const int length = divide_up(line, word.segment / bands);
    if (best && best->width <= length) continue;
    best = {divide_up(height, rows), divide_up(line, length), rows, length, 1, length, word, 0, 0, false, width + gap};
  }
  return best;
}

Source source_of(const Tiling& tiling, Pixel pixel) {
  const int tile_y = std::min(pixel.y / tiling.step_y, tiling.grid_y - 1);
  const int tile_x = std::min(pixel.x / tiling.step_x, tiling.grid_x - 1);
  if (tiling.strand_pitch > 0) {
    const int band = pixel.y / tiling.step_y;
    const int n = (pixel.y - band * tiling.step_y) * tiling.strand_pitch + pixel.x;
    return {band * tiling.grid_x + n / tiling.step_x, 0, n % tiling.step_x};
  }
  if (tiling.packed_width > 0) {
    const int tile = tile_y * tiling.grid_x + tile_x;
    const int n = (pixel.y - tile_y * tiling.step_y) * tiling.packed_width + pixel.x - tile_x * tiling.step_x;
    if (n < tiling.width) return {tile, 0, n};
    const int spare = tiling.word.segment - tiling.tiles();
    const int moved = (n - tiling.width) * tiling.tiles() + tile;
    return {tiling.tiles() + moved % spare, 0, moved / spare};
  }
  return {tile_y * tiling.grid_x + tile_x, pixel.y - tile_y * tiling.step_y, pixel.x - tile_x * tiling.step_x};
}

std::optional<Pixel> Layout::pixel(int byte, int row, int column) const {
  int tile = byte % word.segment;
  const int tiles = grid_y * grid_x;
  if (packed_width > 0) {
    if (tile >= tiles) {
      const int moved = column * (word.segment - tiles) + tile - tiles;
      column = columns + moved / tiles;
      tile = moved % tiles;
    }
    row = column / packed_width;
    column %= packed_width;
    if (row >= packed_height) return std::nullopt;
  }
  if (tile >= tiles) return std::nullopt;
  int y = (tile / grid_x) * step_y + row - origin_y;
  int x = (tile % grid_x) * step_x + column - origin_x;
  if (strand_pitch > 0) {
    const int rows_before = x < 0 ? -divide_up(-x, strand_pitch) : x / strand_pitch;
    y += rows_before;
    x -= rows_before * strand_pitch;
  }
  if (y < 0 || y >= height || x < 0 || x >= width) return std::nullopt;
  return Pixel{y * sample_y, x * sample_x};
}

Tiling Layout::tiling() const {
  if (packed_width > 0)
    return {grid_y, grid_x, step_y, step_x, 1, columns, word, packed_height, packed_width, false, 0};
  if (strand_pitch > 0) return {grid_y, grid_x, step_y, step_x, 1, step_x, word, 0, 0, false, strand_pitch};
  return {grid_y, grid_x, step_y, step_x, tile_extent(height, grid_y, step_y), tile_extent(width, grid_x, step_x), word,
          0,      0,      false,  0};
}

bool Layout::same_tiles(const Layout& other) const {
  const bool same_y = grid_y == other.grid_y && (grid_y == 1 || step_y == other.step_y);
  const bool same_x = grid_x == other.grid_x && (grid_x == 1 || step_x == other.step_x);
  if (strand_pitch != other.strand_pitch || (strand_pitch > 0 && step_x != other.step_x)) return false;
  return same_y && same_x && packed_height == other.packed_height && packed_width == other.packed_width &&
         sample_y == other.sample_y && sample_x == other.sample_x && height == other.height && width == other.width &&
         word == other.word;
}

Layout window_layout(const Tiling& tiling, const Window& window, int height, int width) {
  Layout layout;
  if (tiling.sampled) {
    Tiling points = tiling;
    points.sampled = false;
    layout = window_layout(points, {}, divide_up(height, window.stride_y), divide_up(width, window.stride_x));
    layout.sample_y = window.stride_y;
    layout.sample_x = window.stride_x;
    return layout;
  }
  layout.height = height;
  layout.width = width;
  layout.grid_y = tiling.grid_y;
  layout.grid_x = tiling.grid_x;
  layout.step_y = tiling.step_y * window.stride_y;
  layout.step_x = tiling.step_x * window.stride_x;
  layout.origin_y = window.pad_top;
  layout.origin_x = window.pad_left;
  layout.rows = (tiling.height - 1) * window.stride_y + window.extent_y();
  layout.columns = (tiling.width - 1) * window.stride_x + window.extent_x();
  layout.row_pitch = layout.columns;
  layout.word = tiling.word;
  layout.packed_height = tiling.packed_height;
  layout.packed_width = tiling.packed_width;
  layout.strand_pitch = tiling.strand_pitch;
  return layout;
}

Layout united(const Layout& a, const Layout& b) {
  Layout layout = a;
  layout.origin_y = std::max(a.origin_y, b.origin_y);
  layout.origin_x = std::max(a.origin_x, b.origin_x);
  layout.rows = layout.origin_y + std::max(a.rows - a.origin_y, b.rows - b.origin_y);
  layout.columns = layout.origin_x + std::max(a.columns - a.origin_x, b.columns - b.origin_x);
  layout.row_pitch = std::max({a.row_pitch, b.row_pitch, layout.columns});
  return layout;
}

Layout covering(Layout layout) {
  if (layout.packed_width > 0) return layout;
  const Tiling tiling = layout.tiling();
  layout.rows = std::max(layout.rows, layout.origin_y + tiling.height);
  layout.columns = std::max(layout.columns, layout.origin_x + tiling.width);
  layout.row_pitch = std::max(layout.row_pitch, layout.columns);
  return layout;
}

}  // namespace espalier::compile
