// A depthwise convolution of up to 3 kernel rows, one result channel for each of the input, with its requantisation, on
// maps with their channels innermost.
//
// Of every input column, 16 channels by the kernel's rows make one register, four bytes a channel; the pixels whose
// windows overlap share it. The sum of a kernel column is one instruction.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/onednn/vnni.hpp"

namespace espalier::cpu::onednn {

class VnniDepthwise {
 public:
  /// `layer` and its features are shifted; requires vnni_in_use() and takes() and fits_float64().
  VnniDepthwise(const model::Layer& layer, const model::Feature& in, const model::Feature& out);

  /// True for 3x3 kernels of stride 1 or 2 along rows without dilation.
  static bool takes(const model::Layer& layer, const model::Feature& in, const model::Feature& out);

  /// Both have MapSlack behind them.
  void run(const std::uint8_t* source, std::uint8_t* result) const;

  /// A row of results: three rows of the input, or of zero points outside of the map.
  struct Row {
    const std::uint8_t* sources[3];
    std::uint8_t* result;
    int width;           // of the input
    int pixels;          // of the result
    int pad;             // columns before the map
    std::int32_t zeros;  // three bytes with the zero point
    std::size_t channels;
    const std::int8_t* weights;  // [block][kernel column][16 channels][3 kernel rows and a zero]
    const std::int32_t* bias;
    const VnniRequantisation* requantisation;
  };

 private:
  int in_height_, in_width_, out_height_, out_width_, stride_, pad_top_, pad_left_;
  std::size_t channels_;
  std::int32_t zero_;
  std::vector<std::uint8_t> zero_row_;
  std::vector<std::int8_t> weights_;
  std::vector<std::int32_t> bias_;
  VnniRequantisation requantisation_;
};

}  // namespace espalier::cpu::onednn
