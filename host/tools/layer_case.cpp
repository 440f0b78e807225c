#include "layer_case.hpp"

#include <random>

#include "model/layer_text.hpp"

namespace espalier::tools {

LayerCase make_layer_case(const std::string& layer, std::uint64_t seed, const CompileSettings& settings,
                          Console& console) {
  LayerCase result;
  result.network = model::parse_layer(layer, seed);
  result.executable = compile_model({result.network, {}}, settings, console);
  std::mt19937_64 engine(seed);
  for (const int input : result.network.inputs) {
    cpu::Tensor tensor(result.network.features[static_cast<std::size_t>(input)].elements());
    for (std::int8_t& value : tensor) value = static_cast<std::int8_t>(engine() >> 56);
    result.inputs.push_back(std::move(tensor));
  }
  const std::vector<cpu::Tensor> features = cpu::run(result.network, result.inputs);
  result.expected = features[static_cast<std::size_t>(result.network.outputs.front())];
  return result;
}

}  // namespace espalier::tools
