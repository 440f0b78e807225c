// The BranchyNet exit rule in integers: a sample leaves if the entropy of its answer is below the threshold. The same
// decision on every device, because no floating point takes part.
//
// Teerapittayanon, McDanel, Kung, "BranchyNet", ICPR 2016: y = softmax(x), e = -sum y log y, leave if e < T. Ours: the
// fixed-point tables; entropies are in units of 2^-16 nat.
#pragma once

#include <cstdint>
#include <span>

namespace espalier::plan {

inline constexpr std::int32_t EntropyUnit = 1 << 16;

/// The entropy of softmax(scale * logits), where scale is `scale_units` / 2^16; 0 for no logits. The result is within
/// 0.002 nat of the exact value for up to 1024 classes.
std::int32_t entropy(std::span<const std::int8_t> logits, std::int32_t scale_units);

/// Whether a sample leaves at an exit: never for threshold 0, always for one above log(classes).
inline bool leaves(std::span<const std::int8_t> logits, std::int32_t scale_units, std::int32_t threshold) {
  return entropy(logits, scale_units) < threshold;
}

}  // namespace espalier::plan
