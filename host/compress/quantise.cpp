#include "compress/quantise.hpp"

#include "compress/compensate.hpp"
#include "compress/lower.hpp"
#include "esp_error.hpp"
#include "model/rewrites.hpp"

namespace espalier::compress {

QuantisedGraph quantise_graph(const model::Graph& graph, std::span<const Sample> calibration,
                              const QuantiseOptions& options) {
  if (model::is_quantised(graph))
    throw Error(ErrorCode::Usage, "the model is quantised already", "network '" + graph.name + "'", {},
                "lower it as it is");
  QuantisedGraph result;
  result.reals = model::canonicalise(graph, options.rewrites);
  if (options.equalise) result.equalised = equalise(result.reals, calibration);
  calibrate(result.reals, calibration, options);
  result.weights = choose_weight_types(result.reals, calibration, options.weights);
  result.dequantised = result.reals;
  set_weights(result.dequantised, result.weights);
  if (options.compensate)
    compensate_rounding(result.reals, result.dequantised, result.weights, calibration, options.correct_bias);
  if (options.correct_bias)
    correct_bias(result.dequantised, weight_errors(result.reals, result.dequantised, calibration));
  Lowered lowered = lower(result.dequantised);
  result.quantised = std::move(lowered.quantised);
  result.feature_of = std::move(lowered.feature_of);
  return result;
}

Quantised quantise(const model::Graph& graph, std::span<const Sample> calibration, const QuantiseOptions& options) {
  return quantise_graph(graph, calibration, options).quantised;
}

QuantisedGraph lower_quantised_graph(const model::Graph& graph, const model::RewriteOptions& rewrites) {
  QuantisedGraph result;
  result.dequantised = model::canonicalise(graph, rewrites);
  result.reals = result.dequantised;
  Lowered lowered = lower(result.dequantised);
  result.quantised = std::move(lowered.quantised);
  result.feature_of = std::move(lowered.feature_of);
  return result;
}

Quantised lower_quantised(const model::Graph& graph, const model::RewriteOptions& rewrites) {
  return lower(model::canonicalise(graph, rewrites)).quantised;
}

}  // namespace espalier::compress
