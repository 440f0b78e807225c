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

template <std::size_t Blocks, std::size_t Pixels, bool Fused>
ESP_VNNI_INLINE void tile(const Row& row, std::size_t block, std::size_t pixel, const WordClamp& clamp,
                          const AddLanes& add, __m512i low, __m512i high) {
  __m512i sums[Pixels][Blocks];
  ESP_UNROLL
  for (std::size_t b = 0; b < Blocks; ++b) {
    const __m512i bias = _mm512_loadu_si512(row.bias + (block + b) * LaneCount);
    ESP_UNROLL
    for (std::size_t p = 0; p < Pixels; ++p) sums[p][b] = bias;
  }
  const std::size_t step = row.source_step, block_bytes = row.kernel_rows * row.steps * LaneCount * StepBytes;
  const std::int8_t* weights = row.weights + block * block_bytes;
  const std::uint8_t* source = row.source + pixel * step;
  for (std::size_t kernel_row = 0; kernel_row < row.kernel_rows; ++kernel_row, source += row.source_row) {
    const std::uint8_t* four = source;
    for (std::size_t i = 0; i < row.steps; ++i, weights += LaneCount * StepBytes, four += StepBytes) {
      __m512i taps[Blocks];
      ESP_UNROLL
      for (std::size_t b = 0; b < Blocks; ++b) taps[b] = _mm512_loadu_si512(weights + b * block_bytes);
      ESP_UNROLL
      for (std::size_t p = 0; p < Pixels; ++p) {
        std::int32_t bytes;
        std::memcpy(&bytes, four + p * step, sizeof bytes);
        const __m512i values = _mm512_set1_epi32(bytes);
        ESP_UNROLL
        for (std::size_t b = 0; b < Blocks; ++b) sums[p][b] = _mm512_dpbusd_epi32(sums[p][b], values, taps[b]);
      }
    }
  }
  const double* const factors = row.factors + block * LaneCount;
  std::uint8_t* const result = row.result + pixel * row.channels + block * LaneCount;
  if constexpr (Fused) {
    const std::uint8_t* const other = row.other + pixel * row.channels + block * LaneCount;
    ESP_UNROLL
    for (std::size_t b = 0; b < Blocks; ++b) {
      const std::uint16_t mask = lane_mask(row.channels, block + b);
      ESP_UNROLL
      for (std::size_t p = 0; p < Pixels; ++p) {
        const std::size_t at = p * row.channels + b * LaneCount;
        const __m512i lanes =
            _mm512_min_epi32(_mm512_max_epi32(rounded_lanes(sums[p][b], factors + b * LaneCount), low), high);
        store(result + at, mask, add.sum(lanes, widened(other + at)));
      }
    }
  } else {
    ESP_UNROLL
    for (std::size_t b = 0; b < Blocks; b += 2) {
      constexpr std::size_t Last = Blocks - 1;
      const std::uint16_t first = lane_mask(row.channels, block + b), second = lane_mask(row.channels, block + b + 1);
      ESP_UNROLL
      for (std::size_t p = 0; p < Pixels; ++p) {
        const std::size_t at = p * row.channels + b * LaneCount;
        const __m256i words = rounded_words(sums[p][b], factors + b * LaneCount);
        if (b == Last) {
          store(result + at, first, _mm256_castsi256_si128(_mm256_permute4x64_epi64(clamp.bytes(words, words), 8)));
        } else {
          const std::size_t next = b == Last ? b : b + 1;
          const __m256i bytes = clamp.bytes(words, rounded_words(sums[p][next], factors + next * LaneCount));
          store(result + at, first, _mm256_castsi256_si128(bytes));
          store(result + at + LaneCount, second, _mm256_extracti128_si256(bytes, 1));
        }
      }
    }
  }
}

/// The last tile ends with the row, and may compute pixels once more.
template <std::size_t Blocks, std::size_t Pixels, bool Fused>
ESP_VNNI void tiles(const Row& row, std::size_t block) {
  const WordClamp clamp(*row.requantisation);
  const AddLanes add(row.add == nullptr ? VnniAdd{} : *row.add);
  const std::int32_t zero = row.requantisation->zero;
  const __m512i low = _mm512_set1_epi32(row.requantisation->low - zero);
  const __m512i high = _mm512_set1_epi32(row.requantisation->high - zero);
  for (std::size_t pixel = 0; pixel < row.pixels; pixel += Pixels)
    tile<Blocks, Pixels, Fused>(row, block, std::min(pixel, row.pixels - Pixels), clamp, add, low, high);
}

using Tiles = void (*)(const Row&, std::size_t);

template <std::size_t Blocks, bool Fused>
Tiles tiles_of(std::size_t pixels) {
  switch (pixels) {
    case 1:
      return &tiles<Blocks, 1, Fused>;
    case 2:
      return &tiles<Blocks, 2, Fused>;
    case 4:
      return &tiles<Blocks, 4, Fused>;
    case 6:
      return &tiles<Blocks, 6, Fused>;
    case 8:
      if constexpr (Blocks <= 3) return &tiles<Blocks, 8, Fused>;
      break;
    case 10:
      if constexpr (Blocks <= 2) return &tiles<Blocks, 10, Fused>;
      break;
    default:
      if constexpr (Blocks <= 1) return &tiles<Blocks, 12, Fused>;
      break;
  }
  return nullptr;
}

template <bool Fused>
Tiles tiles_of(std::size_t blocks, std::size_t pixels) {
  switch (blocks) {
    case 1:
      return tiles_of<1, Fused>(pixels);
    case 2:
      return tiles_of<2, Fused>(pixels);
    case 3:
      return tiles_of<3, Fused>(pixels);
    default:
      return tiles_of<4, Fused>(pixels);
  }
}

#endif

/// The number of pixels that leaves the least to compute: every tile loads its weights anew, as much as two pixels
/// cost.
std::size_t best_pixels(std::size_t row, std::size_t most) {
  std::size_t best = 1, least = ~std::size_t{0};
  for (const std::size_t pixels : {1U, 2U, 4U, 6U, 8U, 10U, 12U}) {
    if (pixels > std::min(row, most)) break;
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

VnniConvolution::VnniConvolution(const Layer& layer, const Feature& in, const Feature& out,
                                 const std::optional<VnniAdd>& add)
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
      requantisation_(vnni_requantisation(layer, out)),
      add_(add) {
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
  tile_blocks_ = (blocks + (blocks + 3) / 4 - 1) / ((blocks + 3) / 4);
  tile_pixels_ = best_pixels(row_pixels_, MostPixels[tile_blocks_ - 1]);
  weights_.assign(blocks * kernel_rows_ * steps_ * LaneCount * StepBytes, 0);
  bias_.assign(blocks * LaneCount, 0);
  factors_.assign(blocks * LaneCount, 0);
  const std::vector<std::int32_t> bias = vnni_bias(layer, in);
  for (std::size_t place = 0; place < bias_.size(); ++place) {
    const std::size_t o = channel_at(place);
    if (o >= channels_) continue;
    bias_[place] = bias[o];
    factors_[place] = requantisation_.factors[o];
    for (std::size_t y = 0; y < kernel_rows_; ++y) {
      for (std::size_t i = 0; i < row_values; ++i) {  // column, channel
        const std::size_t column = i / size(in.channels), channel = i % size(in.channels);
        const std::size_t from = ((o * size(in.channels) + channel) * kernel_rows_ + y) * size(layer.kernel_w) + column;
        const std::size_t step = ((place / LaneCount * kernel_rows_ + y) * steps_ + i / StepBytes) * LaneCount;
        weights_[(step + place % LaneCount) * StepBytes + i % StepBytes] = layer.weights[from];
      }
    }
  }
}

/// The channel whose sum stands in a lane, by block and lane: such that the bytes of WordClamp come in order. Blocks of
/// a tile make pairs; lanes of an add stand in order.
std::size_t VnniConvolution::channel_at(std::size_t place) const {
  if (add_) return place;
  const std::size_t block = place / LaneCount, lane = place % LaneCount;
  const std::size_t word = lane / 4 % 2 * 8 + lane / 8 * 4 + lane % 4;  // of the lane among the words
  const std::size_t in_tile = block % tile_blocks_, blocks = bias_.size() / LaneCount;
  const bool last = in_tile + 1 == tile_blocks_ || block + 1 == blocks;
  if (in_tile % 2 == 0 && last) return block * LaneCount + word;
  const std::size_t pair = (block - in_tile % 2) * LaneCount;
  return pair + word / 8 * LaneCount + in_tile % 2 * 8 + word % 8;
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
                  .factors = factors_.data(),
                  .requantisation = &requantisation_,
                  .add = add_ ? &*add_ : nullptr,
                  .other = add_ ? other + first : nullptr,
                  .result = result + first,
                  .channels = channels_,
                  .pixels = row_pixels_};
    for (std::size_t block = 0; block < blocks; block += tile_blocks_)
      (add_ ? tiles_of<true> : tiles_of<false>)(std::min(tile_blocks_, blocks - block), tile_pixels_)(row, block);
  }
#else
  (void)source, (void)result, (void)other;
#endif
}

}  // namespace espalier::cpu::onednn
