// The time of a frame that the plan predicts, against what it took: processor time of the CPU segments as the median of
// 11 frames, predicted cycles of the programs (the RTL takes exactly those) at the clock, and the modelled link. Within
// 10 %, for networks with some layers on the CPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "functional/functional_bus.hpp"
#include "run/mixed_session.hpp"
#include "zoo/zoo.hpp"

namespace espalier::test {
namespace {

constexpr std::size_t Runs = 11;

/// Every fourth layer on the CPU.
plan::MixedPlan mixed_plan(const model::Network& network, plan::CpuCosts& costs) {
  plan::PlaceOptions options;
  options.costs = true;
  for (std::size_t i = 1; i < network.layers.size(); i += 4) options.pins[network.layers[i].name] = plan::Place::Host;
  return plan::place(network, abi::Array16x16, costs, options);
}

plan::Nanoseconds measured(const plan::MixedPlan& plan) {
  functional::FunctionalBus bus(plan.configuration);
  driver::Device device(bus);
  run::MixedSession session(&device, plan, {}, {{"functional", {}, {}}, 1, {}});
  std::vector<run::Feature> frame;
  for (const int input : plan.network.inputs)
    frame.emplace_back(plan.network.features[static_cast<std::size_t>(input)].elements(), std::int8_t{1});
  session.run_features(std::vector<std::vector<run::Feature>>(Runs, frame));
  std::map<std::string, std::vector<std::int64_t>> times;
  for (const run::TimelineEvent& event : session.timeline())
    if (event.worker == "cpu") times[event.name].push_back(event.cpu_time);
  plan::Nanoseconds total = plan.costs->accelerator + plan.costs->transfers;
  for (auto& [name, list] : times) {
    std::sort(list.begin(), list.end());
    total += list[list.size() / 2];
  }
  return total;
}

TEST(PlacementProof, PredictsTheTimeOfAFrame) {
  for (const char* name : {"resnet8", "ds_cnn"}) {
    const model::Network network = zoo::build(name, {});
    plan::CpuCosts costs;
    const plan::MixedPlan plan = mixed_plan(network, costs);
    const plan::Nanoseconds total = measured(plan);
    std::printf("%s: predicted %.1f us, measured %.1f us\n", name, static_cast<double>(plan.costs->total) / 1000,
                static_cast<double>(total) / 1000);
    EXPECT_NEAR(static_cast<double>(total) / static_cast<double>(plan.costs->total), 1.0, 0.1) << name;
  }
}

}  // namespace
}  // namespace espalier::test
