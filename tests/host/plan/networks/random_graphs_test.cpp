// Networks no one has shown us:
// - random graphs over the whole operator set, quantised and then placed, give the CPU reference's bits on every
//   placement: all on the CPU, oneDNN's integers where they are exact, the accelerator for all that it takes, least
//   time, pins at random; with two frames in flight;
// - at least half of all MACs are on the accelerator in the placement that prefers it; those that it refuses and that
//   stay in float32 count, transposed convolutions and products of activations: in the proof at least one in ten;
// - every operator occurs, in the proof at least 20 times; the counts are printed;
// - the quantised network says what the graph says: its signal is above its error in nearly all of them;
// - the two float executors of the CPU agree on the graphs that both execute;
// - operators that nothing executes are listed all at once, with reasons.
#include <gtest/gtest.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>

#include "compress/quantise.hpp"
#include "cpu/fast.hpp"
#include "cpu/reference.hpp"
#include "functional/functional_bus.hpp"
#include "model/onnx_import.hpp"
#include "model/operators.hpp"
#include "model/refusal_list.hpp"
#include "model/rewrites.hpp"
#include "random_graph.hpp"
#include "run/mixed_session.hpp"
#ifdef ESPALIER_ONEDNN
#include "cpu/onednn/integer_executor.hpp"
#endif

#ifndef ESPALIER_RANDOM_GRAPHS
#define ESPALIER_RANDOM_GRAPHS 60
#endif

namespace espalier::test {
namespace {

using plan::Place;
using plan::Policy;

constexpr int LeastCount = ESPALIER_RANDOM_GRAPHS >= 1000 ? 20 : 0;

struct Totals {
  std::int64_t macs = 0, taken = 0;
  int by_onednn = 0, measured = 0, noisy = 0, float_compared = 0, float_refused = 0;
};

plan::CpuCosts given_costs() { return plan::CpuCosts::modelled({500, 0.4, 0.2}, {{30, 0.1}, {30, 0.1}, {20, 0.05}, {20, 0.05}}); }

std::vector<std::vector<run::Feature>> random_frames(Random& random, const model::Network& network) {
  std::vector<std::vector<run::Feature>> frames(2);
  for (auto& frame : frames)
    for (const int input : network.inputs) {
      run::Feature& values = frame.emplace_back(network.features[static_cast<std::size_t>(input)].elements());
      for (std::int8_t& value : values) value = random.byte();
    }
  return frames;
}

std::vector<compress::Sample> samples_for(Random& random, const model::Graph& graph) {
  std::normal_distribution<float> normal;
  std::vector<compress::Sample> samples(3);
  for (compress::Sample& sample : samples)
    for (const model::Port& port : graph.inputs) {
      std::vector<float>& values =
          sample.emplace_back(static_cast<std::size_t>(model::count_elements(port.shape, port.name)));
      for (float& value : values) {
        value = normal(random.engine());
        if (port.type == model::ElementType::Int8) value = static_cast<float>(random.between(-128, 127));
        if (port.type == model::ElementType::UInt8) value = static_cast<float>(random.between(0, 255));
      }
    }
  return samples;
}

using Expected = std::vector<std::vector<cpu::Tensor>>;  // per frame, per output

Expected expected_outputs(const model::Network& network, const std::vector<std::vector<run::Feature>>& frames) {
  Expected result;
  for (const auto& frame : frames) {
    const std::vector<cpu::Tensor> features = cpu::run(network, frame);
    for (std::vector<cpu::Tensor>& outputs = result.emplace_back(); const int output : network.outputs)
      outputs.push_back(features[static_cast<std::size_t>(output)]);
  }
  return result;
}

void check_bits(const plan::MixedPlan& plan, const std::vector<std::vector<run::Feature>>& frames,
                const Expected& expected, const char* what) {
  functional::FunctionalBus bus(plan.configuration);
  driver::Device device(bus);
  run::MixedSession session(&device, plan, {}, {{"functional", {}, {}}, 2, {}});
  const std::vector<run::FeatureRun> runs = session.run_features(frames);
  ASSERT_EQ(runs.size(), frames.size());
  for (std::size_t f = 0; f < frames.size(); ++f)
    for (std::size_t o = 0; o < expected[f].size(); ++o)
      ASSERT_EQ(runs[f].features[o], expected[f][o]) << what << ", frame " << f << ", output " << o;
}

void check_placements(Random& random, const model::Network& network, int index, Totals& totals) {
  const auto frames = random_frames(random, network);
  const Expected expected = expected_outputs(network, frames);
  plan::CpuCosts costs = given_costs();
  plan::PlaceOptions options;
  options.group_trials = 2;
  options.policy = Policy::HostOnly;
  check_bits(plan::place(network, abi::Array8x8, costs, options), frames, expected, "all on the CPU");

  options.policy = Policy::AcceleratorFirst;
  const plan::MixedPlan first = plan::place(network, abi::Array8x8, costs, options);
  for (const plan::LayerPlacement& layer : first.layers) {
    EXPECT_EQ(layer.place == Place::Host, !layer.refusal.empty());
    totals.macs += layer.macs;
    totals.taken += layer.place == Place::Accelerator ? layer.macs : 0;
  }
  check_bits(first, frames, expected, "all that the accelerator takes");

  for (const plan::LayerPlacement& layer : first.layers)
    if (random.chance(0.3)) options.pins[layer.layer] = Place::Host;
  check_bits(plan::place(network, abi::Array8x8, costs, options), frames, expected, "pins");

  if (index % 3 != 0) return;  // the next one compiles every layer alone
  options.policy = Policy::Latency;
  options.pins.clear();
  const plan::MixedPlan least = plan::place(network, abi::Array8x8, costs, options);
  EXPECT_LE(least.costs->total, least.costs->all_host);
  EXPECT_LE(least.costs->total, least.costs->accelerator_first);
  check_bits(least, frames, expected, "least time");
}

void check_onednn([[maybe_unused]] Random& random, [[maybe_unused]] const model::Graph& graph,
                  [[maybe_unused]] const model::Network& network, [[maybe_unused]] Totals& totals) {
#ifdef ESPALIER_ONEDNN
  const bool real = std::any_of(network.layers.begin(), network.layers.end(),
                                [](const model::Layer& layer) { return layer.kind == model::LayerKind::Real; });
  if (!real && cpu::onednn_integers_are_exact()) {
    const auto frames = random_frames(random, network);
    cpu::OneDnnIntegerExecutor executor(network);
    EXPECT_EQ(executor.run(frames[0]), expected_outputs(network, {frames[0]})[0]) << "oneDNN's integers";
    ++totals.by_onednn;
  }
  if (model::is_quantised(graph) || model::is_dynamic(graph)) return;
  const compress::Sample sample = samples_for(random, graph)[0];
  try {
    cpu::OneDnnExecutor fast(graph);
    const std::vector<cpu::FloatTensor> given = fast.run(sample);
    const std::vector<cpu::FloatTensor> values = cpu::FloatExecutor(graph).run(sample);
    for (std::size_t o = 0; o < given.size(); ++o) {
      const cpu::FloatTensor& wanted = values[static_cast<std::size_t>(graph.outputs[o].value)];
      float largest = 1e-3F;
      for (const float value : wanted) largest = std::max(largest, std::abs(value));
      ASSERT_EQ(given[o].size(), wanted.size());
      for (std::size_t i = 0; i < wanted.size(); ++i)
        ASSERT_NEAR(given[o][i], wanted[i], 1e-4F * largest) << "float executors, output " << o << ", element " << i;
    }
    ++totals.float_compared;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Unsupported) throw;
    ++totals.float_refused;
  }
#endif
}

/// Signal over error energy of all outputs, in dB, against the graph in float32.
double signal_to_noise(const compress::QuantisedGraph& made, const compress::Sample& sample) {
  std::vector<cpu::Tensor> inputs;
  for (std::size_t i = 0; i < sample.size(); ++i)
    inputs.push_back(compress::to_int8(made.quantised.inputs[i], sample[i]));
  const std::vector<cpu::Tensor> features = cpu::run(made.quantised.network, inputs);
  const std::vector<cpu::FloatTensor> reals = cpu::FloatExecutor(made.reals).run(sample);
  double signal = 0, noise = 0;  // one step of every value is never too much
  for (std::size_t o = 0; o < made.quantised.outputs.size(); ++o) {
    compress::Output port = made.quantised.outputs[o];
    port.softmax_axis.reset();
    const std::vector<float> given =
        compress::to_real(port, features[static_cast<std::size_t>(made.quantised.network.outputs[o])]);
    const cpu::FloatTensor& wanted = reals[static_cast<std::size_t>(made.reals.outputs[o].value)];
    EXPECT_EQ(given.size(), wanted.size());
    for (std::size_t i = 0; i < given.size(); ++i) {
      signal += std::pow(static_cast<double>(wanted[i]), 2);
      const double error = std::abs(static_cast<double>(wanted[i]) - static_cast<double>(given[i]));
      noise += std::pow(std::max(0.0, error - static_cast<double>(port.scale)), 2);
    }
  }
  return 10 * std::log10((signal + 1e-6) / (noise + 1e-9));
}

void check_graph(Random& random, const std::string& bytes, int index, Totals& totals) {
  const model::Graph graph = model::import_onnx_bytes(bytes);
  const bool quantised = model::is_quantised(graph);
  const std::vector<compress::Sample> samples = samples_for(random, graph);
  const compress::QuantisedGraph made =
      quantised ? compress::lower_quantised_graph(graph) : compress::quantise_graph(graph, samples);
  if (!quantised) {
    const double decibel = signal_to_noise(made, samples[0]);
    ++totals.measured;
    if (decibel < 10) {
      ++totals.noisy;
      if (std::getenv("ESPALIER_KEEP_GRAPHS")) std::printf("graph %d: %.1f dB\n", index, decibel);
    }
  }
  check_placements(random, made.quantised.network, index, totals);
  check_onednn(random, graph, made.quantised.network, totals);
}

void print_counts(const OperatorCounts& counts) {
  std::printf("%-44s%8s\n", "operator", "count");
  for (const auto& [op, count] : counts)
    if (!op.starts_with("(")) std::printf("%-44s%8d\n", op.c_str(), count);
}

/// Those operators of float32 that this version executes between quantised layers.
void accept_unary_operators(Random& random) {
  for (const std::string& op : RandomGraph::unary_operators()) {
    OnnxBuilder b(17);
    b.input("x", {1, 2, 3, 3});
    b.node(op, {"x"}, "y");
    b.output("y");
    try {
      const model::Graph graph = model::import_onnx_bytes(b.bytes());
      compress::quantise(graph, samples_for(random, graph));
      RandomGraph::accepted_unary().push_back(op);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unsupported) throw;
    }
  }
}

TEST(RandomGraphs, GiveTheSameBitsOnEveryPlacement) {
  OperatorCounts counts;
  Totals totals;
  Random choice(0);
  RandomGraph::accepted_unary().clear();
  accept_unary_operators(choice);
  const char* only = std::getenv("ESPALIER_GRAPH");
  for (int index = 0; index < ESPALIER_RANDOM_GRAPHS; ++index) {
    Random random(static_cast<std::uint64_t>(index) + 1);
    const bool quantised = index % 4 == 3;
    const std::string bytes = quantised ? RandomQuantisedGraph(random, counts).build(random.between(1, 8))
                                        : RandomGraph(random, counts).build(random.between(1, 9));
    if (only != nullptr && std::atoi(only) != index) continue;
    if (const char* folder = std::getenv("ESPALIER_KEEP_GRAPHS"))
      std::ofstream(std::string(folder) + "/" + std::to_string(index) + ".onnx", std::ios::binary) << bytes;
    SCOPED_TRACE("graph " + std::to_string(index));
    try {
      check_graph(random, bytes, index, totals);
    } catch (const Error& error) {
      ADD_FAILURE() << error.what();
    }
    if (HasFatalFailure() && std::getenv("ESPALIER_KEEP_GRAPHS") == nullptr) return;
  }
  print_counts(counts);
  if (only != nullptr) return;
  std::printf(
      "%d graphs; %.1f %% of the MACs on the accelerator; %d networks by oneDNN's integers; float executors "
      "compared on %d graphs (%d hold operators that oneDNN's refuses); %d of %d below 10 dB\n",
      ESPALIER_RANDOM_GRAPHS, 100.0 * static_cast<double>(totals.taken) / static_cast<double>(totals.macs),
      totals.by_onednn, totals.float_compared, totals.float_refused, totals.noisy, totals.measured);
  EXPECT_GE(2 * totals.taken, totals.macs);
  EXPECT_LE(20 * totals.noisy, totals.measured);
  if (LeastCount == 0) return;
  EXPECT_LE(10 * totals.taken, 9 * totals.macs);  // else their half could not be missed
  for (const auto& operators : {RandomGraph::operators(), RandomQuantisedGraph::operators()})
    for (const std::string& op : operators) EXPECT_GE(counts[op], LeastCount) << op;
}

TEST(RandomGraphs, NameAllOperatorsThatNothingExecutes) {
  OperatorCounts counts;
  for (int index = 0; index < ESPALIER_RANDOM_GRAPHS; ++index) {
    Random random(static_cast<std::uint64_t>(index) + 100'000);
    std::vector<std::string> unknown;
    const std::string bytes = RandomGraph(random, counts).build_with_unknown(random.between(0, 3), unknown);
    try {
      model::import_onnx_bytes(bytes);
      FAIL() << "imported";
    } catch (const model::UnsupportedModel& error) {
      std::set<std::string> named;
      for (const model::Refusal& refusal : error.refusals()) {
        EXPECT_FALSE(refusal.reason.empty());
        named.insert(refusal.node);
      }
      EXPECT_EQ(named, std::set<std::string>(unknown.begin(), unknown.end()));
    }
  }
}

}  // namespace
}  // namespace espalier::test
