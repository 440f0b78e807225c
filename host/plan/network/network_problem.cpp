#include "plan/network/network_problem.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "esp_error.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

constexpr double NanosecondsPerMicrosecond = 1000;

void check_range(double value, double low, double high, const char* what) {
  if (!(value >= low && value <= high))
    throw Error(ErrorCode::Usage, "out of range", what, std::to_string(value),
                "give a number from " + std::to_string(low) + " to " + std::to_string(high));
}

/// The costs of cycles on each machine: the accelerator's own, and those of a share of its time elsewhere.
class Pricing {
 public:
  explicit Pricing(const Machines& machines) : machines_(machines) {
    add_factor(machines.cpu, machines.cpu_watts, TimeSource::Measured);
    add_factor(machines.server, machines.server_watts, TimeSource::Reported);
  }

  Cost exact(std::int64_t cycles) const {
    return cost(static_cast<double>(cycles), machines_.accelerator_watts, TimeSource::Exact);
  }
  /// Accelerator first, then those that exist.
  std::vector<std::optional<Cost>> costs(const std::optional<std::int64_t>& alone, std::int64_t share) const {
    std::vector<std::optional<Cost>> result{alone ? std::optional(exact(*alone)) : std::nullopt};
    for (const Factor& factor : factors_)
      result.emplace_back(cost(static_cast<double>(share) / factor.speed, factor.watts, factor.source));
    return result;
  }

 private:
  struct Factor {
    double speed, watts;
    TimeSource source;
  };
  void add_factor(double speed, double watts, TimeSource source) {
    if (speed > 0) factors_.push_back({speed, watts, source});
  }
  Cost cost(double cycles, double watts, TimeSource source) const {
    const double nanoseconds = cycles * NanosecondsPerMicrosecond / machines_.clock_megahertz;
    if (nanoseconds > static_cast<double>(LargestStep))
      throw Error(ErrorCode::Usage, "a step takes longer than 1000 s", "speed of a machine",
                  std::to_string(nanoseconds) + " ns", "give faster machines");
    const std::int64_t time = std::llround(nanoseconds);
    return {{time, time, source}, std::llround(std::min(nanoseconds * watts, static_cast<double>(LargestStep)))};
  }

  const Machines& machines_;
  std::vector<Factor> factors_;
};

void add_machines(const Machines& machines, Problem& problem) {
  problem.devices = {{"accelerator", DeviceKind::Accelerator, 0, Whole}};
  const auto connect = [&](int one, int other, const Link& there, const Link& back) {
    problem.links.push_back(there);
    problem.links.back().from = one;
    problem.links.back().to = other;
    problem.links.push_back(back);
    problem.links.back().from = other;
    problem.links.back().to = one;
  };
  if (machines.cpu > 0) {
    const Link bus{0, 0, machines.bus_bytes_per_second, machines.bus_latency, 0, machines.bus_picojoules_per_byte};
    problem.devices.push_back({"cpu", DeviceKind::Cpu, 0, Whole});
    connect(0, 1, bus, bus);
  }
  if (machines.server > 0) {
    const Link up{0, 0, machines.up_bytes_per_second, machines.link_latency, 0, machines.up_picojoules_per_byte};
    const Link down{0, 0, machines.down_bytes_per_second, machines.link_latency, 0, machines.down_picojoules_per_byte};
    const int server = static_cast<int>(problem.devices.size());
    problem.devices.push_back({"server", DeviceKind::Remote, 0, Whole});
    for (int local = 0; local < server; ++local) connect(local, server, up, down);
  }
}

/// The layer as tiles see it; none where it needs more than a window of its inputs.
std::optional<Window> window_of(const model::Network& network, const model::Layer& layer) {
  const model::Feature& output = network.features[at(layer.output)];
  Window window{output.height, output.width, 1, 1, 0};
  switch (layer.kind) {
    case model::LayerKind::Add:
    case model::LayerKind::Concat:
    case model::LayerKind::Requantise:
      break;
    case model::LayerKind::Convolution:
    case model::LayerKind::MaxPool:
    case model::LayerKind::AveragePool: {
      const int kernel = (layer.kernel_h - 1) * layer.dilation_h + 1;
      if (kernel != (layer.kernel_w - 1) * layer.dilation_w + 1 || layer.stride_h != layer.stride_w ||
          layer.pad_top != layer.pad_left)
        return std::nullopt;
      window.kernel = kernel;
      window.stride = layer.stride_h;
      window.padding = layer.pad_top;
      break;
    }
    case model::LayerKind::GlobalAveragePool:
    case model::LayerKind::GlobalMaxPool:
    case model::LayerKind::Real:  // any operator
      return std::nullopt;
  }
  if (output.height < 2 || output.width < 2) return std::nullopt;
  return window;
}

void add_layers(const model::Network& network, Problem& problem) {
  std::vector<int> maker(network.features.size(), NetworkInput);
  for (int index = 0; index < static_cast<int>(network.layers.size()); ++index) {
    const model::Layer& layer = network.layers[at(index)];
    Layer one{layer.name, {}, window_of(network, layer), model::count_macs(network, layer).all};
    for (const int input : layer.inputs) one.inputs.push_back(maker[at(input)]);
    problem.layers.push_back(std::move(one));
    maker[at(layer.output)] = index;
  }
  // All outputs are given out; the sample leaves with the last.
  std::vector<int> answers;
  for (const int output : network.outputs)
    if (maker[at(output)] != NetworkInput) answers.push_back(maker[at(output)]);
  std::sort(answers.begin(), answers.end());
  answers.erase(std::unique(answers.begin(), answers.end()), answers.end());
  Policy all{"all outputs", {}, {}};
  for (std::size_t index = 0; index < answers.size(); ++index) {
    problem.exits.push_back({problem.layers[at(answers[index])].name, answers[index]});
    all.leaves.push_back({static_cast<int>(index), index + 1 == answers.size() ? Whole : 0});
  }
  problem.policies = {std::move(all)};
}

Variant variant_of(const model::Network& network, const NetworkVariant& given, const Pricing& pricing) {
  Variant variant{given.name, 0, {}, false};
  for (const int input : network.inputs)
    variant.input_bytes += static_cast<Bytes>(network.features[at(input)].elements());
  for (std::size_t index = 0; index < network.layers.size(); ++index) {
    const model::Layer& layer = network.layers[index];
    const auto weights = static_cast<Bytes>(layer.weights.size() + layer.bias.size() * sizeof(std::int32_t));
    variant.layers.push_back({static_cast<Bytes>(network.features[at(layer.output)].elements()),
                              weights * given.weight_percent / 100,
                              pricing.costs(given.times.alone[index], given.times.share[index])});
  }
  return variant;
}

}  // namespace

void check(const Machines& machines) {
  check_range(machines.clock_megahertz, 1, 10'000, "clock in MHz");
  for (const double speed : {machines.cpu, machines.server})
    if (speed != 0) check_range(speed, 1e-3, 1e4, "speed relative to the accelerator");
  for (const double watts : {machines.accelerator_watts, machines.cpu_watts, machines.server_watts})
    check_range(watts, 0, 1e4, "power in watts");
}

Problem network_problem(const model::Network& network, const std::vector<NetworkVariant>& variants,
                        const Machines& machines) {
  check(machines);
  const Pricing pricing(machines);
  Problem problem;
  problem.name = network.name;
  add_machines(machines, problem);
  const model::Feature& input = network.features[at(network.inputs.front())];
  if (network.inputs.size() == 1) {
    problem.input_height = input.height;
    problem.input_width = input.width;
  }
  add_layers(network, problem);
  for (int index = 0; index < static_cast<int>(variants.size()); ++index) {
    const NetworkVariant& given = variants[at(index)];
    problem.variants.push_back(variant_of(network, given, pricing));
    problem.policies.front().accuracy.push_back(given.accuracy);
    for (const NetworkTimes::Run& run : given.times.runs)
      problem.groups.push_back({run.first, run.last, 0, index, pricing.exact(run.cycles)});
  }
  validate(problem);
  return problem;
}

Problem compiled_problem(const compile::Compiled& compiled, const std::string& name, const Machines& machines) {
  check(machines);
  const Pricing pricing(machines);
  Problem problem;
  problem.name = name;
  add_machines(machines, problem);
  const auto bytes = [](const std::vector<compile::PackedFeature>& features) {
    std::vector<Bytes> each;  // an input may be packed more than once
    for (const compile::PackedFeature& feature : features) {
      each.resize(std::max(each.size(), at(feature.index) + 1), 0);
      Bytes& size = each[at(feature.index)];
      const compile::Layout& layout = feature.layout;
      size = std::max(size,
                      Bytes{1} * feature.channels * layout.height * layout.sample_y * layout.width * layout.sample_x);
    }
    Bytes sum = 0;
    for (const Bytes one : each) sum += one;
    return sum;
  };
  std::int64_t macs = 0;
  for (const compile::LayerReport& layer : compiled.layers) macs += layer.macs;
  problem.layers = {{name, {NetworkInput}, std::nullopt, macs}};
  problem.variants = {{"as compiled",
                       bytes(compiled.inputs),
                       {{bytes(compiled.outputs), 0, pricing.costs(compiled.total_cycles, compiled.total_cycles)}},
                       false}};
  problem.exits = {{"output", 0}};
  problem.policies = {{"all outputs", {{0, Whole}}, {Whole}}};
  validate(problem);
  return problem;
}

}  // namespace espalier::plan
