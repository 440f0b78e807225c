#include "cpu/onednn/integer_executor.hpp"

#include <algorithm>
#include <string>

#include "cpu/onednn/integer_convolution.hpp"
#include "cpu/onednn/integer_program.hpp"
#include "esp_error.hpp"

// See executor.cpp.
extern "C" void omp_set_num_threads(int threads);

namespace espalier::cpu {
namespace {

using model::Feature;
using model::Layer;
using onednn::IntegerConvolution;

/// A layer of a test: every weight the same, no padding.
struct Extreme {
  Layer layer;
  Feature in, out;
};

Extreme extreme_layer(int channels, int groups, int kernel, std::int8_t weight) {
  Extreme test;
  test.in = {"in", channels, 6, 6, 1.0, 0};
  test.out = {"out", channels, 7 - kernel, 7 - kernel, 1.0, 0};
  test.layer.groups = groups;
  test.layer.kernel_h = test.layer.kernel_w = kernel;
  const auto taps = static_cast<std::size_t>(channels / groups) * static_cast<std::size_t>(kernel * kernel);
  test.layer.weights.assign(static_cast<std::size_t>(channels) * taps, weight);
  test.layer.bias.assign(static_cast<std::size_t>(channels), 0);
  return test;
}

bool sums_are_exact(const Extreme& test, std::uint8_t value) {
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  IntegerConvolution convolution(test.layer, test.in, test.out, engine, stream);
  const std::vector<std::uint8_t> source(test.in.elements(), value);
  std::vector<std::int32_t> sums(test.out.elements());
  convolution.run(source.data(), sums.data(), stream);
  stream.wait();
  const auto taps = static_cast<std::int32_t>(test.layer.weights.size() / test.layer.bias.size());
  const std::int32_t expected = taps * value * test.layer.weights[0];
  return std::all_of(sums.begin(), sums.end(), [&](std::int32_t sum) { return sum == expected; });
}

bool try_extremes() {
  for (const int kernel : {1, 3}) {
    for (const int groups : {1, 64}) {
      for (const std::int8_t weight : {std::int8_t{-128}, std::int8_t{127}}) {
        const Extreme test = extreme_layer(64, groups, kernel, weight);
        if (!sums_are_exact(test, 0) || !sums_are_exact(test, 255)) return false;
      }
    }
  }
  return true;
}

}  // namespace

bool onednn_integers_are_exact() {
  static const bool exact = try_extremes();
  return exact;
}

std::string onednn_integer_name() { return "oneDNN int8, " + onednn_instruction_set(); }

struct OneDnnIntegerExecutor::State {
  int threads;
  onednn::IntegerProgram program;
};

OneDnnIntegerExecutor::OneDnnIntegerExecutor(const model::Network& network, const OneDnnOptions& options) {
  omp_set_num_threads(options.threads);
  if (!onednn_integers_are_exact()) {
    throw Error(ErrorCode::Unsupported, "oneDNN's integer sums are not exact with this instruction set", "CPU",
                onednn_instruction_set(), "use a processor with VNNI, or the executor cpu::FastExecutor");
  }
  state_.reset(new State{options.threads, {network, options}});
}

OneDnnIntegerExecutor::~OneDnnIntegerExecutor() = default;

void OneDnnIntegerExecutor::enter(std::span<const Tensor> inputs) {
  const model::Network& network = state_->program.network();
  if (inputs.size() != network.inputs.size())
    throw Error(ErrorCode::Input, "wrong number of inputs", "network '" + network.name + "'",
                std::to_string(inputs.size()), "give " + std::to_string(network.inputs.size()));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Feature& feature = network.features[static_cast<std::size_t>(network.inputs[i])];
    if (inputs[i].size() != feature.elements())
      throw Error(ErrorCode::Input, "tensor has the wrong number of elements", "feature '" + feature.name + "'",
                  std::to_string(inputs[i].size()), "give " + std::to_string(feature.elements()));
  }
  state_->program.enter(inputs);
}

void OneDnnIntegerExecutor::compute() {
  omp_set_num_threads(state_->threads);
  state_->program.compute();
}

std::vector<Tensor> OneDnnIntegerExecutor::leave() { return state_->program.leave(); }

}  // namespace espalier::cpu
