// Where the pixels of a feature lie: in tiles of positions while it is computed, in words while it is stored.
//
//   Tiling tiling = Tiling::of(56, 56, 4, 4, {1, 16});         // 4 x 4 tiles of 14 x 14 pixels
//   Layout layout = window_layout(tiling, window, 56, 56);     // input words that a 3x3 window needs, halo included
//   std::optional<Pixel> pixel = layout.pixel(p, row, column); // what byte p of a word holds
#pragma once

#include <cstdint>
#include <optional>

namespace espalier::compile {

/// A pixel of a feature map.
struct Pixel {
  int y = 0;
  int x = 0;
  bool operator==(const Pixel&) const = default;
};

/// Rounds up the quotient of two positive integers.
constexpr int divide_up(int value, int by) {
  return (value + by - 1) / by;  // NOLINT(clang-analyzer-core.*): it does not see through std::gcd
}

/// Rounds `value` up to a multiple of `unit`.
constexpr int round_up(int value, int unit) { return divide_up(value, unit) * unit; }

/// How the bytes of a word are shared out: `split` channels (segments) of `segment` pixels each.
struct WordShape {
  int split = 1;
  int segment = 1;
  bool operator==(const WordShape&) const = default;
};

/// Tiles computed in parallel, one per byte of a segment. Tile (ty, tx) is byte ty * grid_x + tx; its position (y, x)
/// is the pixel (ty * step_y + y, tx * step_x + x). Positions beyond a step are used by the last tile of an axis only.
///
/// Strands are tiles of one row that need not be rectangles of the map: a band of step_y rows is one line, in which row
/// follows row with the padding between them, strand_pitch pixels apart, and strand tx is the step_x pixels of that
/// line from tx * step_x on. So 14 x 14 pixels are 2 x 8 strands of 13, where 2 x 8 rectangles have 14. Only windows
/// that move by single pixels over a map of the size of their input can use them; the padding is what lies beside them
/// in a row.
///
/// Packed tiles leave no byte of a segment empty that the pixels of the last positions could fill: position n = y *
/// width
/// + x of the tiles is column n of a single row, and the pixels of the positions beyond the last column lie one after
/// the other in the bytes beyond the tiles of columns 0, 1, ... Only layers that read a pixel for each result can use
/// them.
struct Tiling {
  int grid_y = 1, grid_x = 1;
  int step_y = 1, step_x = 1;
  int height = 1, width = 1;
  WordShape word;
  int packed_height = 0, packed_width = 0;  // of a tile if they are packed; height is 1 then
  bool sampled = false;                     // the input has the pixels alone that a strided window of one pixel reads
  int strand_pitch = 0;                     // of the line that strands are cut of; 0: rectangles

  /// A height x width map cut into grid_y x grid_x tiles of equal size, at most `word.segment` of them.
  static Tiling of(int height, int width, int grid_y, int grid_x, WordShape word);

  /// The same packed; none if that takes as many positions, or if the map is not cut evenly.
  static std::optional<Tiling> packed(int height, int width, int grid_y, int grid_x, WordShape word);

  /// The shortest strands of a height x width map with `gap` pixels of padding between its rows; none if no band is cut
  /// into few enough.
  static std::optional<Tiling> strands(int height, int width, int gap, WordShape word);

  int positions() const { return height * width; }
  int tiles() const { return grid_y * grid_x; }
  bool operator==(const Tiling&) const = default;
};

/// The byte and position at which a tiling computes a pixel.
struct Source {
  int tile = 0;
  int y = 0;
  int x = 0;
};
Source source_of(const Tiling& tiling, Pixel pixel);

/// The receptive window of a layer.
struct Window {
  int kernel_y = 1, kernel_x = 1;
  int stride_y = 1, stride_x = 1;
  int dilation_y = 1, dilation_x = 1;
  int pad_top = 0, pad_left = 0;

  int extent_y() const { return (kernel_y - 1) * dilation_y + 1; }
  int extent_x() const { return (kernel_x - 1) * dilation_x + 1; }
};

/// The words of one plane, which holds `word.split` consecutive channels: in every segment, the byte of tile (ty, tx)
/// of word (row, column) is pixel (ty * step_y + row - origin_y, tx * step_x + column - origin_x), or a fill value
/// where that is outside the map. The same in scratchpad and memory.
struct Layout {
  int height = 1, width = 1;  // of the map, or of what is sampled of it
  int grid_y = 1, grid_x = 1;
  int step_y = 1, step_x = 1;
  int origin_y = 0, origin_x = 0;
  int rows = 1, columns = 1;
  int row_pitch = 1;  // words
  WordShape word;
  int packed_height = 0, packed_width = 0;  // as in Tiling
  int sample_y = 1, sample_x = 1;           // pixel (y, x) here is (y * sample_y, x * sample_x) of the map
  int strand_pitch = 0;                     // as in Tiling

  /// Words from the first to the last of a plane.
  int plane_words() const { return (rows - 1) * row_pitch + columns; }

  /// Planes of `channels` channels.
  int planes(int channels) const { return divide_up(channels, word.split); }

  /// The pixel that byte `byte` of word (row, column) holds; none for bytes that hold the fill value.
  std::optional<Pixel> pixel(int byte, int row, int column) const;

  /// Tiles of the layout as a computation over all pixels would use them.
  Tiling tiling() const;

  /// Whether only some pixels of the map are in it.
  bool sampled() const { return sample_y > 1 || sample_x > 1; }

  /// Whether two layouts differ at most in their halo; their words have one shape.
  bool same_tiles(const Layout& other) const;

  bool operator==(const Layout&) const = default;
};

/// The input words that `window` reads over all positions of `tiling`; height x width is the input map. If the tiling
/// is sampled, they are read with a stride of 1.
Layout window_layout(const Tiling& tiling, const Window& window, int height, int width);

/// The smallest layout that holds both; same_tiles() must hold.
Layout united(const Layout& a, const Layout& b);

/// Extends a layout until every pixel of the map is in it.
Layout covering(Layout layout);

}  // namespace espalier::compile
