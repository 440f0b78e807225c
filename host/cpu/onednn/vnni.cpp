#include "cpu/onednn/vnni.hpp"

#include <algorithm>
#include <cmath>
#include <oneapi/dnnl/dnnl.hpp>

#if defined(__x86_64__)
#include "cpu/onednn/vnni_lanes.hpp"
#endif

namespace espalier::cpu::onednn {
namespace {

using model::Feature;
using model::Layer;

constexpr double ExactProducts = 9007199254740992.0;  // 2^53
constexpr double LargestRounded = 1073741824.0;       // 2^30: room for the zero point
constexpr std::int32_t Shift = 128;

double factor_of(std::uint32_t multiplier, unsigned shift) {
  return std::ldexp(static_cast<double>(multiplier), -static_cast<int>(shift));
}

#if defined(__x86_64__)
bool allowed() {
  const auto set = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto vnni = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_vnni);
  return (set & vnni) == vnni;
}

ESP_VNNI void add_maps(const VnniAdd& add, const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* results,
                       std::size_t count) {
  const AddLanes lanes(add);
  const __m512i zero_a = _mm512_set1_epi32(add.zero_a);
  for (std::size_t i = 0; i < count; i += LaneCount)
    store(results + i, lane_mask(count, i / LaneCount),
          lanes.sum(_mm512_sub_epi32(widened(a + i), zero_a), widened(b + i)));
}
#endif

}  // namespace

bool vnni_in_use() {
#if defined(__x86_64__)
  static const bool in_use = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                             __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
                             __builtin_cpu_supports("avx512vnni") && allowed();
  return in_use;
#else
  return false;
#endif
}

bool fits_float64(const Layer& layer, std::span<const std::int64_t> largest_sums) {
  for (std::size_t c = 0; c < largest_sums.size(); ++c) {
    const double most = static_cast<double>(largest_sums[c]);
    if (most * layer.scale[c].multiplier >= ExactProducts) return false;
    if (most * factor_of(layer.scale[c].multiplier, layer.scale[c].shift) >= LargestRounded) return false;
  }
  return true;
}

VnniRequantisation vnni_requantisation(const Layer& layer, const Feature& out) {
  VnniRequantisation constants{.factors = {}, .zero = out.zero, .low = layer.low, .high = layer.high};
  constants.factors.assign(lane_blocks(out.channels) * LaneCount, 0);
  for (std::size_t c = 0; c < layer.scale.size(); ++c)
    constants.factors[c] = factor_of(layer.scale[c].multiplier, layer.scale[c].shift);
  return constants;
}

std::vector<std::int32_t> vnni_bias(const Layer& layer, const Feature& in) {
  std::vector<std::int32_t> result(lane_blocks(static_cast<int>(layer.bias.size())) * LaneCount, 0);
  const std::size_t taps = layer.weights.size() / layer.bias.size();
  for (std::size_t c = 0; c < layer.bias.size(); ++c) {
    std::int64_t sum = layer.bias[c];
    for (std::size_t i = 0; i < taps; ++i) sum -= static_cast<std::int64_t>(in.zero) * layer.weights[c * taps + i];
    result[c] = static_cast<std::int32_t>(static_cast<std::uint32_t>(sum));
  }
  return result;
}

VnniAdd VnniAdd::of(const Layer& layer, const Feature& a, const Feature& b, const Feature& out) {
  VnniAdd add;
  const double factor_a = factor_of(layer.scale[0].multiplier, layer.scale[0].shift);
  const double factor_b = factor_of(layer.multiplier_b, layer.scale[0].shift);
  add.factor_a = static_cast<float>(factor_a);
  add.factor_b = static_cast<float>(factor_b);
  add.offset = static_cast<float>(-b.zero * factor_b);
  add.zero_a = a.zero;
  add.zero = out.zero;
  add.low = layer.low;
  add.high = layer.high;
  return add;
}

void VnniAdd::run(const std::uint8_t* a, const std::uint8_t* b, std::uint8_t* results, std::size_t count) const {
#if defined(__x86_64__)
  add_maps(*this, a, b, results, count);
#else
  (void)a, (void)b, (void)results, (void)count;
#endif
}

bool is_exact(const VnniAdd& add, const Layer& layer, const Feature& a, const Feature& b, const Feature& out) {
  constexpr std::size_t Values = 256;
  std::vector<std::uint8_t> all(Values + MapSlack), one(Values + MapSlack), results(Values + MapSlack);
  for (std::size_t value = 0; value < Values; ++value) all[value] = static_cast<std::uint8_t>(value);
  for (std::int32_t value_a = 0; value_a < static_cast<std::int32_t>(Values); ++value_a) {
    std::fill(one.begin(), one.end(), static_cast<std::uint8_t>(value_a));
    add.run(one.data(), all.data(), results.data(), Values);
    for (std::int32_t value_b = 0; value_b < static_cast<std::int32_t>(Values); ++value_b) {
      const std::int8_t expected =
          abi::residual_add(static_cast<std::int8_t>(value_a - Shift), static_cast<std::int8_t>(value_b - Shift),
                            a.zero - Shift, b.zero - Shift, layer.scale[0].multiplier, layer.multiplier_b,
                            layer.scale[0].shift, out.zero - Shift, layer.low - Shift, layer.high - Shift);
      if (results[static_cast<std::size_t>(value_b)] != static_cast<std::uint8_t>(expected + Shift)) return false;
    }
  }
  return true;
}

}  // namespace espalier::cpu::onednn
