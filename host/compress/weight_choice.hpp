// Which type the weights of every convolution have: what each type loses there, and the best set under a budget.
//
//   auto choices = choose_weight_types(canonical, samples, {.bits = 4.5});
//   set_weights(canonical, choices);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/sample.hpp"
#include "compress/weight_types.hpp"
#include "model/graph.hpp"

namespace espalier::compress {

/// At most one of the two limits; without any, every convolution has the first type.
struct WeightBudget {
  std::optional<std::uint64_t> bytes;                                           // of all weights that are not zero
  std::optional<double> bits;                                                   // mean of a weight that is not zero
  std::vector<WeightType> types{AllWeightTypes.begin(), AllWeightTypes.end()};  // to choose from

  bool limited() const { return bytes || bits; }
};

/// The weights of one convolution.
struct WeightChoice {
  std::size_t node = 0;  // of the canonical graph
  std::string name;
  WeightType type = WeightType::Int8;
  std::int64_t nonzero = 0;     // weights that are not zero in float32: positions of zeros cost nothing here
  std::optional<double> noise;  // error energy over energy of the result, from the weights alone; if measured
  std::uint64_t bytes() const;  // of the values: ceil(nonzero * bits / 8)
};

/// What rounding the weights of one convolution does to its result, its input being exact.
struct WeightError {
  std::size_t node = 0;
  double signal = 0, error = 0;  // energies over all samples
  std::vector<double> mean;      // of the error per output channel
  double noise() const { return signal > 0 ? error / signal : error > 0 ? 1 : 0; }
};

/// The convolutions with float32 weights, each int8.
std::vector<WeightChoice> int8_weights(const model::Graph& canonical);

/// Rounds the weights of the choices: their constants become int8 with a quantisation. Activations must have theirs.
void set_weights(model::Graph& canonical, std::span<const WeightChoice> choices);

/// Compares convolutions with the weights of `reals` and of `rounded`, the same graph after set_weights, on the float32
/// activations of `reals`. A sample costs two passes.
std::vector<WeightError> weight_errors(const model::Graph& reals, const model::Graph& rounded,
                                       std::span<const Sample> samples);

/// Measures the noise of every type in every convolution and takes the set with the least sum of noise within the
/// budget. Exact up to 4096 kept partial sums; with more, those evenly spaced in bytes. Throws Error(Usage) naming the
/// least possible size if the budget is too small, and for two limits or no types.
std::vector<WeightChoice> choose_weight_types(const model::Graph& canonical, std::span<const Sample> samples,
                                              const WeightBudget& budget);

/// One alternative of a layer, and the choice among the layers' alternatives with the least sum of cost whose bytes fit
/// `limit`: an index per layer, or nothing if none fits.
struct Alternative {
  std::uint64_t bytes = 0;
  double cost = 0;
};
std::optional<std::vector<std::size_t>> least_cost(const std::vector<std::vector<Alternative>>& layers,
                                                   std::uint64_t limit);

/// Adds the mean error of every convolution's rounded weights to its bias, so that the mean of its result over the
/// samples is that of `reals` (Nagel et al. 2019, section 4.2, with measured activations).
void correct_bias(model::Graph& rounded, std::span<const WeightError> errors);

}  // namespace espalier::compress
