#include "cpu/onednn/integer_kernels.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>

// One function for each level of the processor's vector units, chosen when the program starts.
#if defined(__x86_64__)
#define ESP_VECTOR_LEVELS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define ESP_VECTOR_LEVELS
#endif

namespace espalier::cpu::onednn {
namespace {

constexpr double ExactProducts = 9007199254740992.0;  // 2^53

constexpr std::size_t Block = 8;  // elements that are computed together

/// `factors` repeats after `period` elements, a multiple of Block.
ESP_VECTOR_LEVELS void requantise_blocks(const std::int32_t* __restrict sums, std::uint8_t* __restrict results,
                                         std::size_t count, const double* __restrict factors, std::size_t period,
                                         double zero, double low, double high) {
  std::size_t at = 0;  // in the period
  for (std::size_t first = 0; first + Block <= count; first += Block) {
    for (std::size_t i = 0; i < Block; ++i) {
      const double rounded = std::rint(static_cast<double>(sums[first + i]) * factors[at + i]) + zero;
      results[first + i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(std::min(std::max(rounded, low), high)));
    }
    at = at + Block == period ? 0 : at + Block;
  }
}

ESP_VECTOR_LEVELS void add_rows(const std::uint8_t* __restrict a, const std::uint8_t* __restrict b,
                                std::uint8_t* __restrict results, std::size_t count, double factor_a, double factor_b,
                                double zero_a, double zero_b, double zero, double low, double high) {
  for (std::size_t i = 0; i < count; ++i) {
    const double sum =
        (static_cast<double>(a[i]) - zero_a) * factor_a + (static_cast<double>(b[i]) - zero_b) * factor_b;
    results[i] =
        static_cast<std::uint8_t>(static_cast<std::int32_t>(std::min(std::max(std::rint(sum) + zero, low), high)));
  }
}

ESP_VECTOR_LEVELS void add_row(const std::uint8_t* __restrict source, std::int32_t* __restrict sums,
                               std::size_t channels, std::int32_t zero) {
  for (std::size_t c = 0; c < channels; ++c) sums[c] += source[c] - zero;
}

constexpr std::int32_t Shift = 128;

/// The low byte: the sum that was clamped lies in 0 .. 255.
std::uint8_t as_held(std::int8_t value) { return static_cast<std::uint8_t>(value); }

double factor_of(std::uint32_t multiplier, unsigned shift) {
  return std::ldexp(static_cast<double>(multiplier), -static_cast<int>(shift));
}

std::size_t pixel_index(const model::Feature& feature, int y, int x) {
  return static_cast<std::size_t>(y) * static_cast<std::size_t>(feature.width) + static_cast<std::size_t>(x);
}

/// The window of an output along one axis: the inputs first .. last - 1 that lie in the map, `step` apart.
struct Taps {
  int first, last, step;
};

Taps taps(int output, int stride, int before, int kernel, int dilation, int size) {
  int first = output * stride - before;
  const int last = first + (kernel - 1) * dilation + 1;
  if (first < 0) first += (-first + dilation - 1) / dilation * dilation;
  return {first, std::min(last, size), dilation};
}

/// Calls visit(y, x) for every input pixel of the window of an output, and gives their number.
template <typename Visitor>
int for_window(const IntegerMaps& maps, int y, int x, Visitor&& visit) {
  const model::Layer& l = maps.layer;
  const Taps rows = taps(y, l.stride_h, l.pad_top, l.kernel_h, l.dilation_h, maps.in.height);
  const Taps columns = taps(x, l.stride_w, l.pad_left, l.kernel_w, l.dilation_w, maps.in.width);
  int count = 0;
  for (int row = rows.first; row < rows.last; row += rows.step) {
    for (int column = columns.first; column < columns.last; column += columns.step) {
      visit(row, column);
      ++count;
    }
  }
  return count;
}

}  // namespace

model::Network shifted(model::Network network) {
  for (model::Feature& feature : network.features) feature.zero += Shift;
  for (model::Layer& layer : network.layers) {
    layer.low += Shift;
    layer.high += Shift;
  }
  return network;
}

Requantiser::Requantiser(std::span<const abi::Scale> scales, std::span<const std::int64_t> most,
                         const model::Layer& layer, std::int32_t zero)
    : scales_(scales.begin(), scales.end()), zero_(zero), low_(layer.low), high_(layer.high) {
  const std::size_t channels = scales.size();
  for (std::size_t c = 0; c < channels; ++c) {
    if (static_cast<double>(most[c]) * scales[c].multiplier >= ExactProducts) inexact_.push_back(c);
  }
  factors_.resize(channels * Block / std::gcd(channels, Block));
  for (std::size_t i = 0; i < factors_.size(); ++i)
    factors_[i] = factor_of(scales[i % channels].multiplier, scales[i % channels].shift);
}

void Requantiser::run(const std::int32_t* sums, std::uint8_t* results, std::size_t pixels) const {
  const std::size_t channels = scales_.size(), count = pixels * channels;
  requantise_blocks(sums, results, count, factors_.data(), factors_.size(), zero_, low_, high_);
  for (std::size_t i = count / Block * Block; i < count; ++i) results[i] = one(sums[i], i % channels);
  for (const std::size_t channel : inexact_) {
    for (std::size_t i = channel; i < count; i += channels) results[i] = one(sums[i], channel);
  }
}

std::uint8_t Requantiser::one(std::int32_t sum, std::size_t channel) const {
  return as_held(abi::requantise(sum, scales_[channel].multiplier, scales_[channel].shift, zero_, low_, high_));
}

// Whole chunks are written: what is too much belongs to the next pixel, which follows, or lies behind the map.
void max_pool(const IntegerMaps& maps, const std::uint8_t* source, std::uint8_t* result) {
  constexpr std::size_t Chunk = 16;  // channels
  const auto channels = static_cast<std::size_t>(maps.out.channels);
  const auto low = static_cast<std::uint8_t>(maps.layer.low), high = static_cast<std::uint8_t>(maps.layer.high);
  for (int y = 0; y < maps.out.height; ++y) {
    for (int x = 0; x < maps.out.width; ++x, result += channels) {
      for (std::size_t first = 0; first < channels; first += Chunk) {
        std::array<std::uint8_t, Chunk> best{}, tap;
        for_window(maps, y, x, [&](int row, int column) {
          std::memcpy(tap.data(), source + pixel_index(maps.in, row, column) * channels + first, Chunk);
          for (std::size_t c = 0; c < Chunk; ++c) best[c] = std::max(best[c], tap[c]);
        });
        for (std::uint8_t& value : best) value = std::min(std::max(value, low), high);
        std::memcpy(result + first, best.data(), Chunk);
      }
    }
  }
}

void average_pool(const IntegerMaps& maps, const std::uint8_t* source, std::uint8_t* result) {
  const auto channels = static_cast<std::size_t>(maps.out.channels);
  const int all = maps.layer.kernel_h * maps.layer.kernel_w;
  std::vector<std::int32_t> sums(channels);
  for (int y = 0; y < maps.out.height; ++y) {
    for (int x = 0; x < maps.out.width; ++x) {
      std::fill(sums.begin(), sums.end(), 0);
      int count = for_window(maps, y, x, [&](int row, int column) {
        add_row(source + pixel_index(maps.in, row, column) * channels, sums.data(), channels, maps.in.zero);
      });
      if (maps.layer.count_include_padding || count == 0) count = all;
      const abi::Scale scale = model::pool_scale(maps.layer, count);
      std::uint8_t* const to = result + pixel_index(maps.out, y, x) * channels;
      for (std::size_t c = 0; c < channels; ++c)
        to[c] = as_held(
            abi::requantise(sums[c], scale.multiplier, scale.shift, maps.out.zero, maps.layer.low, maps.layer.high));
    }
  }
}

// Each product has at most 9 + 24 bits, so their sum is exact in float64.
void residual_add(const IntegerMaps& maps, const model::Feature& other, const std::uint8_t* a, const std::uint8_t* b,
                  std::uint8_t* result) {
  const model::Layer& layer = maps.layer;
  add_rows(a, b, result, maps.out.elements(), factor_of(layer.scale[0].multiplier, layer.scale[0].shift),
           factor_of(layer.multiplier_b, layer.scale[0].shift), maps.in.zero, other.zero, maps.out.zero, layer.low,
           layer.high);
}

void requantise(const IntegerMaps& maps, const abi::Scale& scale, const std::uint8_t* source, std::uint8_t* result) {
  // All results there are.
  std::uint8_t table[256];
  for (int value = 0; value < 256; ++value) {
    table[value] = as_held(abi::requantise(value - maps.in.zero, scale.multiplier, scale.shift, maps.out.zero,
                                           maps.layer.low, maps.layer.high));
  }
  for (std::size_t i = 0; i < maps.in.elements(); ++i) result[i] = table[source[i]];
}

void to_channels_last(const model::Feature& feature, const std::int8_t* source, std::uint8_t* result) {
  const auto channels = static_cast<std::size_t>(feature.channels);
  const std::size_t pixels = feature.elements() / channels;
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t i = 0; i < pixels; ++i)
      result[i * channels + c] = static_cast<std::uint8_t>(source[c * pixels + i] + Shift);
}

void to_channels_first(const model::Feature& feature, const std::uint8_t* source, std::int8_t* result) {
  const auto channels = static_cast<std::size_t>(feature.channels);
  const std::size_t pixels = feature.elements() / channels;
  for (std::size_t c = 0; c < channels; ++c)
    for (std::size_t i = 0; i < pixels; ++i)
      result[c * pixels + i] = static_cast<std::int8_t>(source[i * channels + c] - Shift);
}

}  // namespace espalier::cpu::onednn
