#include "cpu/onednn/vnni_depthwise.hpp"

#if defined(__x86_64__)
#include "cpu/onednn/vnni_lanes.hpp"
#endif

namespace espalier::cpu::onednn {
namespace {

using model::Feature;
using model::Layer;
using Row = VnniDepthwise::Row;

constexpr int Kernel = 3;
constexpr std::size_t ColumnBytes = LaneCount * 4;  // weights of a kernel column

#if defined(__x86_64__)

/// The three rows of column `column`, of 16 channels from `channel` on.
ESP_VNNI_INLINE __m512i column_of(const Row& row, int column, std::size_t channel) {
  if (column < 0 || column >= row.width) return _mm512_set1_epi32(row.zeros);
  const std::size_t at = static_cast<std::size_t>(column) * row.channels + channel;
  const __m512i first = widened(row.sources[0] + at);
  const __m512i second = _mm512_slli_epi32(widened(row.sources[1] + at), 8);
  const __m512i third = _mm512_slli_epi32(widened(row.sources[2] + at), 16);
  return _mm512_or_si512(_mm512_or_si512(first, second), third);
}

template <int Stride>
ESP_VNNI void row_of_block(const Row& row, std::size_t block) {
  const std::size_t channel = block * LaneCount;
  const std::uint16_t mask = lane_mask(row.channels, block);
  const std::int8_t* const weights = row.weights + block * Kernel * ColumnBytes;
  const __m512i taps[Kernel] = {_mm512_loadu_si512(weights), _mm512_loadu_si512(weights + ColumnBytes),
                                _mm512_loadu_si512(weights + 2 * ColumnBytes)};
  const __m512i bias = _mm512_loadu_si512(row.bias + channel);
  const double* const factors = row.requantisation->factors.data() + channel;
  const WordClamp clamp(*row.requantisation);
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 0, 4, 1, 5);  // of rounded_words() back to that of the channels
  __m512i left = column_of(row, -row.pad, channel), middle = left;
  if (Stride == 1) middle = column_of(row, 1 - row.pad, channel);
  for (int x = 0; x < row.pixels; ++x) {
    const int column = x * Stride - row.pad;
    if (Stride == 2) middle = column_of(row, column + 1, channel);
    const __m512i right = column_of(row, column + 2, channel);
    __m512i sums = _mm512_dpbusd_epi32(bias, left, taps[0]);
    sums = _mm512_dpbusd_epi32(sums, middle, taps[1]);
    sums = _mm512_dpbusd_epi32(sums, right, taps[2]);
    const __m256i words = rounded_words(sums, factors);
    store(row.result + static_cast<std::size_t>(x) * row.channels + channel, mask,
          _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(clamp.bytes(words, words), order)));
    left = Stride == 1 ? middle : right;
    middle = right;
  }
}

#endif

}  // namespace

bool VnniDepthwise::takes(const Layer& layer, const Feature& in, const Feature& out) {
  return layer.groups == in.channels && in.channels == out.channels && layer.kernel_h == Kernel &&
         layer.kernel_w == Kernel && layer.dilation_h == 1 && layer.dilation_w == 1 &&
         layer.stride_h == layer.stride_w && layer.stride_w <= 2;
}

VnniDepthwise::VnniDepthwise(const Layer& layer, const Feature& in, const Feature& out)
    : in_height_(in.height),
      in_width_(in.width),
      out_height_(out.height),
      out_width_(out.width),
      stride_(layer.stride_w),
      pad_top_(layer.pad_top),
      pad_left_(layer.pad_left),
      channels_(static_cast<std::size_t>(out.channels)),
      zero_(in.zero),
      bias_(vnni_bias(layer, in)),
      requantisation_(vnni_requantisation(layer, out)) {
  zero_row_.assign(static_cast<std::size_t>(in.width) * channels_ + MapSlack, static_cast<std::uint8_t>(zero_));
  weights_.assign(lane_blocks(out.channels) * Kernel * ColumnBytes, 0);
  for (std::size_t c = 0; c < channels_; ++c)
    for (std::size_t y = 0; y < Kernel; ++y)
      for (std::size_t x = 0; x < Kernel; ++x)
        weights_[(c / LaneCount * Kernel + x) * ColumnBytes + c % LaneCount * 4 + y] =
            layer.weights[(c * Kernel + y) * Kernel + x];
}

void VnniDepthwise::run(const std::uint8_t* source, std::uint8_t* result) const {
#if defined(__x86_64__)
  Row row{.sources = {},
          .result = result,
          .width = in_width_,
          .pixels = out_width_,
          .pad = pad_left_,
          .zeros = zero_ * 0x010101,
          .channels = channels_,
          .weights = weights_.data(),
          .bias = bias_.data(),
          .requantisation = &requantisation_};
  const std::size_t in_row = static_cast<std::size_t>(in_width_) * channels_;
  for (int y = 0; y < out_height_; ++y) {
    for (int i = 0; i < Kernel; ++i) {
      const int from = y * stride_ - pad_top_ + i;
      row.sources[i] =
          from < 0 || from >= in_height_ ? zero_row_.data() : source + static_cast<std::size_t>(from) * in_row;
    }
    for (std::size_t block = 0; block < bias_.size() / LaneCount; ++block)
      stride_ == 1 ? row_of_block<1>(row, block) : row_of_block<2>(row, block);
    row.result += static_cast<std::size_t>(out_width_) * channels_;
  }
#else
  (void)source, (void)result;
#endif
}

}  // namespace espalier::cpu::onednn
