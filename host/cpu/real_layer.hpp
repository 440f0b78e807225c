// Layers of kind Real, prepared once: the bits of cpu::run_layer, sooner. What only moves values becomes a list of
// places, a function of single values a table; everything else is computed in float32.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cpu/float_reference.hpp"
#include "cpu/reference.hpp"

namespace espalier::cpu {

/// What every int8 value becomes, at 128 plus the value.
using ValueTable = std::array<std::int8_t, 256>;

/// The layer's operator on dequantised inputs, and its result quantised; `executor` is that of layer.real. A result
/// that is no number becomes zero.
Tensor run_real(const model::Network& network, const model::Layer& layer, const FloatExecutor& executor,
                std::span<const Tensor> inputs);

class RealLayer {
 public:
  /// Keeps references to both. Throws Error(Unsupported) as FloatExecutor does.
  RealLayer(const model::Network& network, const model::Layer& layer);

  Tensor run(std::span<const Tensor> inputs) const;

  /// Of layers with one input whose every result depends on one value: what becomes of it.
  const std::optional<ValueTable>& table() const { return table_; }
  /// With a table: the place in the input of every result's value; empty: the same place.
  const std::vector<std::uint32_t>& places() const { return places_; }

 private:
  void find_table();
  void find_places();

  const model::Network& network_;
  const model::Layer& layer_;
  FloatExecutor executor_;
  std::optional<ValueTable> table_;
  std::vector<std::uint32_t> places_;
};

}  // namespace espalier::cpu
