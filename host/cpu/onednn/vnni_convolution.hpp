// A convolution without groups and dilation along rows, with the requantisation and, if there is one, the residual add
// behind it, on maps with their channels innermost.
//
// The taps of a kernel row are neighbours in memory: kernel_w * channels bytes, four of them a step of the sum. A tile
// of up to 4 blocks of 16 channels by up to 12 pixels of a row has its sums in registers.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cpu/onednn/vnni.hpp"

namespace espalier::cpu::onednn {

class VnniConvolution {
 public:
  /// `layer` and its features are shifted; requires vnni_in_use() and takes() and fits_float64(). The result is
  /// operand a of `add`, if there is one.
  VnniConvolution(const model::Layer& layer, const model::Feature& in, const model::Feature& out,
                  const std::optional<VnniAdd>& add = {});

  /// True if the layer has this form and its weights stay in the nearest cache; oneDNN takes the others.
  static bool takes(const model::Layer& layer, const model::Feature& in, const model::Feature& out);

  /// `source`, `result` and `other`, operand b of the fused add, have MapSlack behind them.
  void run(const std::uint8_t* source, std::uint8_t* result, const std::uint8_t* other);

  /// What the tiles of a row need.
  struct Row {
    const std::uint8_t* source;  // of the first tap of the first pixel
    std::size_t source_step;     // bytes from a pixel's first tap to the next one's
    std::size_t source_row;      // bytes from a kernel row to the next
    std::size_t kernel_rows, steps;
    const std::int8_t* weights;  // [block][kernel row][step][16 channels][4]
    const std::int32_t* bias;
    const double* factors;
    const VnniRequantisation* requantisation;
    const VnniAdd* add;
    const std::uint8_t* other;
    std::uint8_t* result;
    std::size_t channels, pixels;
  };

 private:
  void pad(const std::uint8_t* source);
  std::size_t channel_at(std::size_t place) const;

  std::size_t in_height_, row_bytes_;  // of the map that is given
  std::size_t rows_, row_pixels_;      // of the result; one row where pixels follow each other on both sides
  std::size_t channels_, stride_step_, output_step_;  // output_step_: source bytes from one result row to the next
  std::size_t padded_row_, kernel_row_, kernel_rows_, steps_;
  std::size_t pad_top_, pad_left_bytes_;
  std::vector<std::uint8_t> padded_;  // empty: the map is read where it is
  std::vector<std::int8_t> weights_;
  std::vector<std::int32_t> bias_;
  std::vector<double> factors_;
  VnniRequantisation requantisation_;
  std::optional<VnniAdd> add_;
  std::size_t tile_pixels_, tile_blocks_;
};

}  // namespace espalier::cpu::onednn
