// A small network with three exits and synthetic weights, compiled in stages.
#pragma once

#include "compile/compile.hpp"
#include "model/stages.hpp"
#include "run/exit_session.hpp"
#include "zoo/builder.hpp"

namespace espalier::test {

/// 3 x 12 x 12: a residual block and two convolutions, an exit of 10 classes after each.
inline model::Network exit_network() {
  const zoo::Options options;
  zoo::Builder builder("exits", options);
  using zoo::Activation;
  const int image = builder.input(3, 12, 12);
  const int stem = builder.convolution("stem", image, 16, {3, 3, 1, 1, false}, Activation::Relu);
  const int branch = builder.convolution("branch", stem, 16, {3, 3, 1, 1, false}, Activation::None);
  const int block = builder.add("block", stem, branch, Activation::Relu);
  const int exit0 = builder.fully_connected("exit0", block, 10, Activation::None);
  const int middle = builder.convolution("middle", block, 24, {3, 3, 2, 1, false}, Activation::Relu);
  const int exit1 = builder.fully_connected("exit1", builder.global_average("average1", middle), 10, Activation::None);
  // The last stage reads what the first one and the second one made.
  const int skip = builder.convolution("skip", block, 32, {1, 1, 2, 0, false}, Activation::None);
  const int deep = builder.convolution("deep", middle, 32, {3, 3, 1, 1, false}, Activation::None);
  const int last = builder.add("last", skip, deep, Activation::Relu);
  const int exit2 = builder.fully_connected("exit2", builder.global_average("average2", last), 10, Activation::None);
  model::Network network = builder.finish(exit2);
  network.outputs = {exit0, exit1, exit2};
  return network;
}

/// Its outputs are int8; its layers are in the order of the stages.
struct ExitCase {
  model::Network network;
  run::Executable executable;
};

inline ExitCase exit_case(const abi::Configuration& array) {
  const model::Staged staged = model::in_stages(exit_network());
  compile::Options options;
  options.stages.assign(staged.firsts.begin() + 1, staged.firsts.end());
  ExitCase result{staged.network, {"exits", compile::compile(staged.network, array, options), {}}};
  const model::Feature& in = staged.network.features[static_cast<std::size_t>(staged.network.inputs.front())];
  result.executable.ports.inputs = {
      {in.name, model::ElementType::Int8, {1, in.channels, in.height, in.width}, 1.0F, in.zero}};
  for (const int output : staged.network.outputs) {
    const model::Feature& out = staged.network.features[static_cast<std::size_t>(output)];
    result.executable.ports.outputs.push_back({out.name, model::ElementType::Int8, {1, 10}, 0.0625F, out.zero, {}});
  }
  return result;
}

}  // namespace espalier::test
