// Networks on CPU and accelerator together:
// - random networks with branches, joins and several outputs give the CPU reference's bits on every placement, with
//   several frames in flight;
// - everything that the accelerator takes is there in the placement that prefers it, at least half of the MACs of all
//   networks;
// - the placement of least latency is never worse than all on the CPU, all that can on the accelerator, or greedy, and
//   its cost is the sum of its parts;
// - pins hold; layers that are refused are named with the reason if the CPU is forbidden.
#include <gtest/gtest.h>

#include "cpu/reference.hpp"
#include "esp_error.hpp"
#include "functional/functional_bus.hpp"
#include "random_network.hpp"
#include "run/mixed_session.hpp"

#ifndef ESPALIER_PLACED_NETWORKS
#define ESPALIER_PLACED_NETWORKS 60
#endif

namespace espalier::test {
namespace {

using plan::Place;
using plan::Policy;

plan::CpuCosts given_costs() { return plan::CpuCosts::modelled({500, 0.4, 0.2}, {{30, 0.1}, {30, 0.1}, {20, 0.05}, {20, 0.05}}); }

std::vector<std::vector<run::Feature>> random_frames(Random& random, const model::Network& network, int count) {
  std::vector<std::vector<run::Feature>> frames(static_cast<std::size_t>(count));
  for (auto& frame : frames)
    for (const int input : network.inputs) {
      run::Feature& values = frame.emplace_back(network.features[static_cast<std::size_t>(input)].elements());
      for (std::int8_t& value : values) value = random.byte();
    }
  return frames;
}

/// Runs the plan and compares every output of every frame.
void check_bits(const plan::MixedPlan& plan, const std::vector<std::vector<run::Feature>>& frames) {
  functional::FunctionalBus bus(plan.configuration);
  driver::Device device(bus);
  run::MixedSession session(&device, plan, {}, {{"functional", {}, {}}, 2, {}});
  const std::vector<run::FeatureRun> runs = session.run_features(frames);
  ASSERT_EQ(runs.size(), frames.size());
  EXPECT_EQ(session.timeline().size(), frames.size() * plan.segments.size());
  for (std::size_t f = 0; f < frames.size(); ++f) {
    const std::vector<cpu::Tensor> features = cpu::run(plan.network, frames[f]);
    for (std::size_t o = 0; o < plan.network.outputs.size(); ++o)
      ASSERT_EQ(runs[f].features[o], features[static_cast<std::size_t>(plan.network.outputs[o])])
          << "frame " << f << ", output " << o;
  }
}

void check_costs(const plan::MixedPlan& plan) {
  ASSERT_TRUE(plan.costs);
  const plan::PlanCosts& costs = *plan.costs;
  EXPECT_EQ(costs.total, costs.host + costs.accelerator + costs.transfers);
  EXPECT_LE(costs.certificate.bound_any_group, costs.total);
  EXPECT_LE(costs.certificate.bound, costs.total);
}

TEST(Place, GivesTheSameBitsOnEveryPlacement) {
  std::int64_t macs = 0, taken = 0;
  for (int index = 0; index < ESPALIER_PLACED_NETWORKS; ++index) {
    Random random(static_cast<std::uint64_t>(index));
    const model::Network network = RandomNetwork(random).build(random.between(2, 9));
    const auto frames = random_frames(random, network, 2);
    plan::CpuCosts costs = given_costs();
    plan::PlaceOptions options;
    options.group_trials = 2;
    const plan::MixedPlan first = plan::place(network, abi::Array8x8, costs, options);
    for (const plan::LayerPlacement& layer : first.layers) {
      EXPECT_EQ(layer.place == Place::Host, !layer.refusal.empty());
      macs += layer.macs;
      taken += layer.place == Place::Accelerator ? layer.macs : 0;
    }
    check_bits(first, frames);

    // Layers at random on the CPU.
    for (const plan::LayerPlacement& layer : first.layers)
      if (random.chance(0.3)) options.pins[layer.layer] = Place::Host;
    const plan::MixedPlan pinned = plan::place(network, abi::Array8x8, costs, options);
    for (const plan::LayerPlacement& layer : pinned.layers)
      if (options.pins.contains(layer.layer)) EXPECT_EQ(layer.place, Place::Host);
    check_bits(pinned, frames);
    if (HasFailure()) return;

    if (index % 3 != 0) continue;  // the next one compiles every layer alone
    options.policy = Policy::Latency;
    options.pins.clear();
    const plan::MixedPlan least = plan::place(network, abi::Array8x8, costs, options);
    check_costs(least);
    EXPECT_LE(least.costs->total, least.costs->all_host);
    EXPECT_LE(least.costs->total, least.costs->accelerator_first);
    EXPECT_LE(least.costs->total, least.costs->greedy);
    check_bits(least, frames);
  }
  EXPECT_GE(2 * taken, macs);
}

model::Network refused_in_the_middle() {
  Random random;
  model::Network network;
  network.name = "middle";
  std::vector<std::string> lines{"conv ic4 ih9 iw9 oc4 kh3 ph1", "conv ic4 ih9 iw9 oc4 kh3 kw3 ph300 pw300 dh300 dw300",
                                 "conv ic4 ih9 iw9 oc4 kh3 ph1"};
  network.features.push_back({"image", 4, 9, 9, 1.0, 3});
  network.inputs = {0};
  for (const std::string& line : lines) {
    const model::Network one = model::parse_layer(line);
    model::Layer layer = one.layers[0];
    layer.name = "layer" + std::to_string(network.layers.size());
    model::Feature made = one.features[static_cast<std::size_t>(layer.output)];
    layer.inputs = {static_cast<int>(network.features.size()) - 1};
    layer.output = static_cast<int>(network.features.size());
    network.features.push_back(made);
    network.layers.push_back(layer);
  }
  network.outputs = {3};
  return network;
}

TEST(Place, ARefusedLayerInTheMiddleRunsOnTheCpu) {
  Random random;
  const model::Network network = refused_in_the_middle();
  plan::CpuCosts costs = given_costs();
  plan::PlaceOptions options;
  options.costs = true;
  const plan::MixedPlan plan = plan::place(network, abi::Array8x8, costs, options);
  ASSERT_EQ(plan.segments.size(), 3U);
  EXPECT_EQ(plan.segments[0].place, Place::Accelerator);
  EXPECT_EQ(plan.segments[1].place, Place::Host);
  EXPECT_EQ(plan.segments[2].place, Place::Accelerator);
  EXPECT_NE(plan.layers[1].refusal, "");
  EXPECT_NE(plan.layers[1].reason.find(plan.layers[1].refusal), std::string::npos);
  ASSERT_TRUE(plan.layers[1].gain_if_supported);
  EXPECT_GT(*plan.layers[1].gain_if_supported, 0);
  check_costs(plan);
  EXPECT_FALSE(costs.changed());
  check_bits(plan, random_frames(random, network, 5));
}

TEST(Place, EverythingOnTheCpuNeedsNoDevice) {
  Random random;
  const model::Network network = refused_in_the_middle();
  plan::CpuCosts costs = given_costs();
  plan::PlaceOptions options;
  options.policy = Policy::HostOnly;
  const plan::MixedPlan plan = plan::place(network, abi::Array8x8, costs, options);
  ASSERT_EQ(plan.segments.size(), 1U);
  run::MixedSession session(nullptr, plan, {}, {});
  const auto frames = random_frames(random, network, 1);
  EXPECT_EQ(session.run_features(frames)[0].features[0], cpu::run(network, frames[0])[3]);
}

TEST(Place, AForbiddenCpuNamesWhatWouldRunThere) {
  const model::Network network = refused_in_the_middle();
  plan::CpuCosts costs = given_costs();
  plan::PlaceOptions options;
  options.forbid_host = true;
  try {
    plan::place(network, abi::Array8x8, costs, options);
    FAIL() << "placed";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(error.value().find("layer1"), std::string::npos);
    EXPECT_EQ(error.value().find("layer0"), std::string::npos);
  }
}

TEST(Place, RefusesPinsThatCannotHold) {
  const model::Network network = refused_in_the_middle();
  const auto code = [&](const plan::PlaceOptions& options) {
    plan::CpuCosts costs = given_costs();
    try {
      plan::place(network, abi::Array8x8, costs, options);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::Internal;
  };
  plan::PlaceOptions options;
  options.pins = {{"nobody", Place::Host}};
  EXPECT_EQ(code(options), ErrorCode::Usage);
  options.pins = {{"layer1", Place::Accelerator}};
  EXPECT_EQ(code(options), ErrorCode::Unsupported);
}

}  // namespace
}  // namespace espalier::test
