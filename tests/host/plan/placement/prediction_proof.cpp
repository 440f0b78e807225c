// The time of a frame that the plan predicts, against what it took: processor time of the CPU segments and of changes of
// layout, cycles of the programs as the RTL counts them at the clock, and the modelled link, for networks with some
// layers on the CPU. Each of
// 11 runs measures the costs of the CPU anew, plans, and carries the plan out, so that what other guests of the machine
// do meanwhile meets both sides; the median of their ratios is within 10 %. Without the simulation of the RTL the cycles
// are those of the timing model.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#ifdef ESPALIER_RTL
#include "rtl/rtl_bus.hpp"
#else
#include "functional/functional_bus.hpp"
#endif
#include "run/mixed_session.hpp"
#include "zoo/zoo.hpp"

namespace espalier::test {
namespace {

constexpr std::size_t Runs = 11, Frames = 3;  // frames of a run

#ifdef ESPALIER_RTL
constexpr const char* Device = "rtl";
using Bus = rtl::RtlBus;
#else
constexpr const char* Device = "functional";
using Bus = functional::FunctionalBus;
#endif

/// Every fourth layer on the CPU.
plan::PlaceOptions mixed_options(const model::Network& network) {
  plan::PlaceOptions options;
  options.costs = true;
  for (std::size_t i = 1; i < network.layers.size(); i += 4) options.pins[network.layers[i].name] = plan::Place::Host;
  return options;
}

template <typename Number>
Number median(std::vector<Number> list) {
  std::sort(list.begin(), list.end());
  return list[list.size() / 2];
}

/// The link of the model: what a tensor that crosses it takes, without the changes of layout.
plan::Nanoseconds moved(const plan::Piece& piece, const plan::LinkModel& link, const model::Network& network) {
  plan::Nanoseconds time = 0;
  for (const std::vector<int>& side : {piece.inputs, piece.outputs})
    for (const int index : side) {
      const auto bytes = static_cast<double>(network.features[static_cast<std::size_t>(index)].elements());
      time += link.latency + std::llround(bytes / link.bytes_per_ns);
    }
  return time;
}

/// Of a frame; medians of Frames.
plan::Nanoseconds measured(const plan::MixedPlan& plan, const plan::PlaceOptions& options) {
  Bus bus(plan.configuration);
  driver::Device device(bus);
  run::MixedSession session(&device, plan, {}, {{Device, {}, {}}, 1, {}});
  std::vector<run::Feature> frame;
  for (const int input : plan.network.inputs)
    frame.emplace_back(plan.network.features[static_cast<std::size_t>(input)].elements(), std::int8_t{1});
  session.run_features(std::vector<std::vector<run::Feature>>(Frames, frame));
  std::map<std::string, std::vector<std::int64_t>> times;
  std::map<std::string, std::vector<std::uint64_t>> cycles;
  for (const run::TimelineEvent& event : session.timeline()) {
    const bool host = event.worker == "cpu";
    times[event.name].push_back(host ? event.cpu_time : event.conversion_time);
    if (host) continue;
#ifdef ESPALIER_RTL
    EXPECT_TRUE(event.measured_cycles) << event.name;
#endif
    cycles[event.name].push_back(event.measured_cycles.value_or(*event.predicted_cycles));
  }
  plan::Nanoseconds total = 0;
  for (const auto& [name, list] : times) total += median(list);
  for (const auto& [name, list] : cycles)
    total +=
        options.link.start + static_cast<plan::Nanoseconds>(static_cast<double>(median(list)) * 1000 / options.mhz);
  for (const plan::Segment& segment : plan.segments)
    if (segment.place == plan::Place::Accelerator) total += moved(segment.piece, options.link, plan.network);
  return total;
}

TEST(PlacementProof, PredictsTheTimeOfAFrame) {
  for (const char* name : {"resnet8", "ds_cnn"}) {
    const model::Network network = zoo::build(name, {});
    const plan::PlaceOptions options = mixed_options(network);
    std::vector<double> ratios;
    for (std::size_t run = 0; run < Runs; ++run) {
      plan::CpuCosts costs;
      const plan::MixedPlan plan = plan::place(network, abi::Array8x8, costs, options);
      const plan::Nanoseconds total = measured(plan, options);
      ratios.push_back(static_cast<double>(total) / static_cast<double>(plan.costs->total));
      std::printf("%s, run %zu: predicted %.1f us, measured %.1f us (%+.1f %%); cycles of %s\n", name, run + 1,
                  static_cast<double>(plan.costs->total) / 1000, static_cast<double>(total) / 1000,
                  100 * (ratios.back() - 1), Device);
    }
    const double middle = median(ratios);
    std::printf("%s: median of %zu runs %+.2f %%\n", name, Runs, 100 * (middle - 1));
    EXPECT_NEAR(middle, 1.0, 0.1) << name;
  }
}

}  // namespace
}  // namespace espalier::test
