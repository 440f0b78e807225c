// A network of one layer, compiled, with a float input and output around it.
#pragma once

#include <string>

#include "compile/compile.hpp"
#include "model/layer_text.hpp"
#include "run/session.hpp"

namespace espalier::test {

struct LayerExecutable {
  model::Network network;
  run::Executable executable;
};

inline LayerExecutable make_layer(const std::string& line) {
  LayerExecutable result;
  result.network = model::parse_layer(line);
  result.executable = {"layer", compile::compile(result.network, abi::Array8x8), {}};
  const auto shape = [](const model::Feature& f) { return model::Shape{1, f.channels, f.height, f.width}; };
  const model::Feature& in = result.network.features[static_cast<std::size_t>(result.network.inputs[0])];
  const model::Feature& out = result.network.features[static_cast<std::size_t>(result.network.outputs[0])];
  result.executable.ports.inputs = {{"in", model::ElementType::Int8, shape(in), 1.0F, 0}};
  result.executable.ports.outputs = {{"out", model::ElementType::Float, shape(out), 0.5F, 3, {}}};
  return result;
}

}  // namespace espalier::test
