#include "cpu/onednn/vnni_convolution.hpp"

#include <algorithm>
#include <array>
#include <utility>

#if defined(__x86_64__)
#include "cpu/onednn/vnni_lanes.hpp"
#endif

namespace espalier::cpu::onednn {
namespace {

using model::Feature;
using model::Layer;
using Row = VnniConvolution::Row;

constexpr std::size_t StepBytes = 4;                            // values multiplied at once for every channel
constexpr std::size_t MostWeightBytes = 40 << 10;               // of a layer that is taken
constexpr std::array<std::size_t, 4> MostPixels{12, 10, 8, 6};  // by blocks less one: what the registers hold

std::size_t size(int value) { return static_cast<std::size_t>(value); }

std::size_t steps_of(const Layer& layer, const Feature& in) {
  return (size(layer.kernel_w) * size(in.channels) + StepBytes - 1) / StepBytes;
}

/// Rows and columns that are read behind the map.
int behind(int in, int before, int kernel, int dilation, int stride, int out) {
  return std::max(0, (out - 1) * stride + (kernel - 1) * dilation + 1 - in - before);
}

#if defined(__x86_64__)

template <std::size_t Blocks, std::size_t Pixels>
ESP_VNNI void tile(const Row& row, std::size_t block, std::size_t pixel) {
  __m512i sums[Pixels][Blocks];
  for (std::size_t b = 0; b < Blocks; ++b) {
    const __m512i bias = _mm512_loadu_si512(row.bias + (block + b) * LaneCount);
    for (std::size_t p = 0; p < Pixels; ++p) sums[p][b] = bias;
  }
  const std::size_t block_bytes = row.kernel_rows * row.steps * LaneCount * StepBytes;
  const std::int8_t* weights = row.weights + block * block_bytes;
  const std::uint8_t* source = row.source + pixel * row.source_step;
  for (std::size_t kernel_row = 0; kernel_row < row.kernel_rows; ++kernel_row, source += row.source_row) {
    for (std::size_t step = 0; step < row.steps; ++step, weights += LaneCount * StepBytes) {
      __m512i taps[Blocks];
      for (std::size_t b = 0; b < Blocks; ++b) taps[b] = _mm512_loadu_si512(weights + b * block_bytes);
      for (std::size_t p = 0; p < Pixels; ++p) {
        std::int32_t four;
        std::memcpy(&four, source + p * row.source_step + step * StepBytes, sizeof four);
        const __m512i values = _mm512_set1_epi32(four);
        for (std::size_t b = 0; b < Blocks; ++b) sums[p][b] = _mm512_dpbusd_epi32(sums[p][b], values, taps[b]);
      }
    }
  }
  for (std::size_t b = 0; b < Blocks; ++b) {
    const std::size_t first = (block + b) * LaneCount;
    const std::uint16_t mask = lane_mask(row.channels, block + b);
    const double* const factors = row.requantisation->factors.data() + first;
    for (std::size_t p = 0; p < Pixels; ++p) {
      const std::size_t at = (pixel + p) * row.channels + first;
      __m512i lanes = requantised(sums[p][b], factors, *row.requantisation);
      if (row.add != nullptr) lanes = added(lanes, widened(row.other + at), *row.add);
      store(row.result + at, mask, lanes);
    }
  }
}

/// The last tile ends with the row, and may compute pixels once more.
template <std::size_t Blocks, std::size_t Pixels>
ESP_VNNI void tiles(const Row& row, std::size_t block) {
  for (std::size_t pixel = 0; pixel < row.pixels; pixel += Pixels)
    tile<Blocks, Pixels>(row, block, std::min(pixel, row.pixels - Pixels));
}

using Tiles = void (*)(const Row&, std::size_t);

template <std::size_t Blocks, std::size_t... Index>
Tiles tiles_of(std::size_t pixels, std::index_sequence<Index...>) {
  static constexpr Tiles all[] = {&tiles<Blocks, Index + 1>...};
  return all[pixels - 1];
}

Tiles tiles_of(std::size_t blocks, std::size_t pixels) {
  switch (blocks) {
    case 1:
      return tiles_of<1>(pixels, std::make_index_sequence<MostPixels[0]>());
    case 2:
      return tiles_of<2>(pixels, std::make_index_sequence<MostPixels[1]>());
    case 3:
      return tiles_of<3>(pixels, std::make_index_sequence<MostPixels[2]>());
    default:
      return tiles_of<4>(pixels, std::make_index_sequence<MostPixels[3]>());
  }
}

#else
void tiles_of(std::size_t, std::size_t) {}
#endif

/// The number of pixels that leaves the least to compute: every tile loads its weights anew, as much as two pixels
/// cost.
std::size_t best_pixels(std::size_t row, std::size_t most) {
  std::size_t best = 1, least = ~std::size_t{0};
  for (std::size_t pixels = 1; pixels <= std::min(row, most); ++pixels) {
    const std::size_t cost = (row + pixels - 1) / pixels * (pixels + 2);
    if (cost <= least) {
      least = cost;
      best = pixels;
    }
  }
  return best;
}

}  // namespace

bool VnniConvolution::takes(const Layer& layer, const Feature& in, const Feature& out) {
  if (layer.groups != 1 || (layer.dilation_w != 1 && layer.kernel_w != 1)) return false;
  return lane_blocks(out.channels) * LaneCount * StepBytes * steps_of(layer, in) * size(layer.kernel_h) <=
         MostWeightBytes;
}

VnniConvolution::VnniConvolution(const Layer& layer, const Feature& in, const Feature& out)
    : in_height_(size(in.height)),
      row_bytes_(size(in.width) * size(in.channels)),
      rows_(size(out.height)),
      row_pixels_(size(out.width)),
      channels_(size(out.channels)),
      stride_step_(size(layer.stride_w) * size(in.channels)),
      kernel_rows_(size(layer.kernel_h)),
      steps_(steps_of(layer, in)),
      pad_top_(size(layer.pad_top)),
      pad_left_bytes_(size(layer.pad_left) * size(in.channels)),
      bias_(vnni_bias(layer, in)),
      requantisation_(vnni_requantisation(layer, out)) {
  const int right = behind(in.width, layer.pad_left, layer.kernel_w, 1, layer.stride_w, out.width);
  const int below = behind(in.height, layer.pad_top, layer.kernel_h, layer.dilation_h, layer.stride_h, out.height);
  padded_row_ = pad_left_bytes_ + row_bytes_ + size(right) * size(in.channels);
  if (layer.pad_top + layer.pad_left + right + below > 0)
    padded_.assign(padded_row_ * (pad_top_ + in_height_ + size(below)) + MapSlack, static_cast<std::uint8_t>(in.zero));
  kernel_row_ = padded_row_ * size(layer.dilation_h);
  output_step_ = padded_row_ * size(layer.stride_h);
  if (output_step_ == row_pixels_ * stride_step_) {
    row_pixels_ *= rows_;
    rows_ = 1;
  }
  const std::size_t blocks = lane_blocks(out.channels), row_values = size(layer.kernel_w) * size(in.channels);
  weights_.assign(blocks * kernel_rows_ * steps_ * LaneCount * StepBytes, 0);
  for (std::size_t o = 0; o < channels_; ++o) {
    for (std::size_t y = 0; y < kernel_rows_; ++y) {
      for (std::size_t i = 0; i < row_values; ++i) {  // column, channel
        const std::size_t column = i / size(in.channels), channel = i % size(in.channels);
        const std::size_t from = ((o * size(in.channels) + channel) * kernel_rows_ + y) * size(layer.kernel_w) + column;
        const std::size_t step = ((o / LaneCount * kernel_rows_ + y) * steps_ + i / StepBytes) * LaneCount;
        weights_[(step + o % LaneCount) * StepBytes + i % StepBytes] = layer.weights[from];
      }
    }
  }
  tile_blocks_ = (blocks + (blocks + 3) / 4 - 1) / ((blocks + 3) / 4);
  tile_pixels_ = best_pixels(row_pixels_, MostPixels[tile_blocks_ - 1]);
}

void VnniConvolution::pad(const std::uint8_t* source) {
  std::uint8_t* to = padded_.data() + pad_top_ * padded_row_ + pad_left_bytes_;
  for (std::size_t y = 0; y < in_height_; ++y) std::copy_n(source + y * row_bytes_, row_bytes_, to + y * padded_row_);
}

void VnniConvolution::run(const std::uint8_t* source, std::uint8_t* result, const std::uint8_t* other) {
#if defined(__x86_64__)
  if (!padded_.empty()) {
    pad(source);
    source = padded_.data();
  }
  const std::size_t blocks = bias_.size() / LaneCount;
  for (std::size_t y = 0; y < rows_; ++y) {
    const std::size_t first = y * row_pixels_ * channels_;
    const Row row{.source = source + y * output_step_,
                  .source_step = stride_step_,
                  .source_row = kernel_row_,
                  .kernel_rows = kernel_rows_,
                  .steps = steps_,
                  .weights = weights_.data(),
                  .bias = bias_.data(),
                  .requantisation = &requantisation_,
                  .add = add_ ? &*add_ : nullptr,
                  .other = add_ ? other + first : nullptr,
                  .result = result + first,
                  .channels = channels_,
                  .pixels = row_pixels_};
    for (std::size_t block = 0; block < blocks; block += tile_blocks_)
      tiles_of(std::min(tile_blocks_, blocks - block), tile_pixels_)(row, block);
  }
#else
  (void)source, (void)result, (void)other;
#endif
}

}  // namespace espalier::cpu::onednn
