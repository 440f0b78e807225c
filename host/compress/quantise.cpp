#include "compress/quantise.hpp"

#include "compress/lower.hpp"
#include "esp_error.hpp"
#include "model/rewrites.hpp"

namespace espalier::compress {

Quantised quantise(const model::Graph& graph, std::span<const Sample> calibration, const QuantiseOptions& options) {
  if (model::is_quantised(graph))
    throw Error(ErrorCode::Usage, "the model is quantised already", "network '" + graph.name + "'", {},
                "lower it as it is");
  model::Graph canonical = model::canonicalise(graph, options.rewrites);
  calibrate(canonical, calibration, options);
  return lower(canonical);
}

Quantised lower_quantised(const model::Graph& graph, const model::RewriteOptions& rewrites) {
  return lower(model::canonicalise(graph, rewrites));
}

}  // namespace espalier::compress
