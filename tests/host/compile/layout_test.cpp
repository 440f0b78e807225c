// Layouts of packed tiles and of sampled pixels:
// - packed tiles take fewer positions than the same tiles, and hold every pixel of the map in exactly one byte;
// - the byte and position that compute a pixel are those that hold it;
// - so it is with strands, whose windows find the neighbours of every pixel at the same offsets, or padding;
// - a sampled layout holds exactly the pixels that a strided window of one pixel reads.
#include "compile/layout.hpp"

#include <gtest/gtest.h>

#include <map>
#include <utility>

namespace espalier::test {
namespace {

using compile::Layout;
using compile::Pixel;
using compile::Source;
using compile::Tiling;
using compile::WordShape;

/// How often each pixel stands in a layout, at (y, x).
std::map<std::pair<int, int>, int> pixels(const Layout& layout) {
  std::map<std::pair<int, int>, int> count;
  for (int row = 0; row < layout.rows; ++row) {
    for (int column = 0; column < layout.columns; ++column) {
      for (int byte = 0; byte < layout.word.segment; ++byte) {
        const auto pixel = layout.pixel(byte, row, column);
        if (pixel) ++count[{pixel->y, pixel->x}];
      }
    }
  }
  return count;
}

void check_packed(int height, int width, int grid_y, int grid_x, WordShape word) {
  const std::optional<Tiling> tiling = Tiling::packed(height, width, grid_y, grid_x, word);
  if (!tiling) return;
  SCOPED_TRACE(std::to_string(height) + " x " + std::to_string(width) + " in " + std::to_string(grid_y) + " x " +
               std::to_string(grid_x) + " tiles, segments of " + std::to_string(word.segment));
  EXPECT_LT(tiling->positions(), Tiling::of(height, width, grid_y, grid_x, word).positions());
  const Layout layout = compile::window_layout(*tiling, {}, height, width);
  EXPECT_EQ(layout.tiling(), *tiling);
  const auto count = pixels(layout);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto found = count.find({y, x});
      ASSERT_TRUE(found != count.end() && found->second == 1) << "pixel " << y << ", " << x;
      const Source source = compile::source_of(*tiling, {y, x});
      const auto pixel = layout.pixel(source.tile, source.y, source.x);
      ASSERT_TRUE(pixel.has_value());
      EXPECT_EQ(*pixel, (Pixel{y, x}));
    }
  }
}

TEST(Layout, PackedTilesHoldEveryPixelOnce) {
  for (const int segment : {2, 4, 8, 16, 32}) {
    for (const int height : {1, 2, 7, 12, 14, 28}) {
      for (const int width : {1, 3, 7, 14, 20}) {
        for (int grid_y = 1; grid_y <= segment; ++grid_y) {
          for (int grid_x = 1; grid_x * grid_y <= segment; ++grid_x) {
            check_packed(height, width, grid_y, grid_x, {1, segment});
          }
        }
      }
    }
  }
}

TEST(Layout, PackedTilesFillWords) {
  const auto tiling = Tiling::packed(14, 14, 2, 7, {1, 16});
  ASSERT_TRUE(tiling.has_value());
  EXPECT_EQ(tiling->positions(), 13);
}

/// Whether every tap of a 3x3 window reads, at the position of a pixel, its neighbour or padding.
void check_neighbours(const Tiling& tiling, int height, int width) {
  const Layout layout = compile::window_layout(tiling, {3, 3, 1, 1, 1, 1, 1, 1}, height, width);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const Source source = compile::source_of(tiling, {y, x});
      ASSERT_LT(source.x, tiling.width);
      ASSERT_LT(source.tile, tiling.word.segment);
      for (int tap = 0; tap < 9; ++tap) {
        const int to_y = y + tap / 3 - 1, to_x = x + tap % 3 - 1;
        const auto pixel = layout.pixel(source.tile, source.y + tap / 3, source.x + tap % 3);
        const bool inside = to_y >= 0 && to_y < height && to_x >= 0 && to_x < width;
        ASSERT_EQ(pixel.has_value(), inside) << y << ' ' << x << ' ' << tap;
        if (inside) {
          ASSERT_EQ(*pixel, (Pixel{to_y, to_x}));
        }
      }
    }
  }
}

TEST(Layout, StrandsFindTheNeighboursOfEveryPixel) {
  for (const int segment : {1, 2, 4, 8, 16, 32}) {
    for (int height = 1; height <= 16; ++height) {
      for (int width = 1; width <= 16; ++width) {
        for (const int gap : {1, 2}) {
          const auto tiling = Tiling::strands(height, width, gap, {1, segment});
          ASSERT_TRUE(tiling.has_value());
          EXPECT_EQ(compile::window_layout(*tiling, {}, height, width).tiling(), *tiling);
          ASSERT_NO_FATAL_FAILURE(check_neighbours(*tiling, height, width));
        }
      }
    }
  }
  EXPECT_EQ(Tiling::strands(14, 14, 1, {1, 16})->positions(), 13);
}

TEST(Layout, SampledPixelsAreThoseOfTheStride) {
  for (const int height : {1, 7, 8, 15}) {
    for (const int width : {1, 9, 14}) {
      compile::Window window;
      window.stride_y = 2;
      window.stride_x = 3;
      Tiling tiling = Tiling::of(compile::divide_up(height, 2), compile::divide_up(width, 3), 2, 2, {1, 8});
      tiling.sampled = true;
      const Layout layout = compile::window_layout(tiling, window, height, width);
      std::map<std::pair<int, int>, int> expected;
      for (int y = 0; y < height; y += 2) {
        for (int x = 0; x < width; x += 3) expected[{y, x}] = 1;
      }
      EXPECT_EQ(pixels(layout), expected) << height << " x " << width;
    }
  }
}

}  // namespace
}  // namespace espalier::test
