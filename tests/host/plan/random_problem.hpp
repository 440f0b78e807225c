// Random small problems for planners; every number comes from the generator.
#pragma once

#include "plan/cost/problem.hpp"
#include "random.hpp"

namespace espalier::plan {

struct Shape {
  int layers = 6;
  int devices = 2;
  int variants = 1;
  bool branches = true;
  bool early_exits = false;
  bool windows = false;
};

inline Cost random_cost(test::Random& random) {
  const std::int64_t mean = random.between(1, 100) * 1000;
  return {{mean, mean + (random.chance(0.3) ? random.between(0, 20000) : 0), TimeSource::Exact},
          random.between(0, 1000)};
}

inline Problem random_problem(test::Random& random, const Shape& shape) {
  Problem problem;
  problem.name = "random";
  problem.input_height = problem.input_width = 12;
  for (int device = 0; device < shape.devices; ++device) {
    problem.devices.push_back({"device" + std::to_string(device), device == 0 ? DeviceKind::Cpu : DeviceKind::Remote, 0,
                               Whole * random.between(1, 2)});
    for (int other = 0; other < device; ++other)
      for (const auto& [from, to] : {std::pair{other, device}, std::pair{device, other}})
        problem.links.push_back({from, to, random.between(1, 200) * 100000, random.between(0, 10) * 1000,
                                 random.between(0, 500), random.between(0, 3000)});
  }
  for (int layer = 0; layer < shape.layers; ++layer) {
    Layer one{"layer" + std::to_string(layer), {layer - 1}, std::nullopt, 0};
    if (shape.branches && layer > 0 && random.chance(0.4)) {
      const int other = random.between(NetworkInput, layer - 2);
      if (random.chance(0.5))
        one.inputs.push_back(other);
      else
        one.inputs = {other};
    }
    if (shape.windows) {
      one.inputs = {layer - 1};
      one.window = Window{12, 12, random.chance(0.5) ? 3 : 1, 1, 0};
      one.window->padding = one.window->kernel / 2;
    }
    problem.layers.push_back(std::move(one));
  }
  // Every layer has a reader or is the last.
  for (int layer = 0; layer + 1 < shape.layers; ++layer) {
    bool read = false;
    for (const Layer& later : problem.layers)
      read = read || std::find(later.inputs.begin(), later.inputs.end(), layer) != later.inputs.end();
    if (!read) problem.layers.back().inputs.push_back(layer);
  }
  for (int variant = 0; variant < shape.variants; ++variant) {
    Variant one{"variant" + std::to_string(variant), random.between(1, 60) * 100, {}, false};
    for (int layer = 0; layer < shape.layers; ++layer) {
      LayerVariant sizes{random.between(1, 60) * 100, random.between(1, 100), {}};
      for (int device = 0; device < shape.devices; ++device) sizes.costs.emplace_back(random_cost(random));
      one.layers.push_back(std::move(sizes));
    }
    problem.variants.push_back(std::move(one));
  }
  const int last = shape.layers - 1;
  if (shape.early_exits) problem.exits.push_back({"early", random.between(0, last - 1)});
  problem.exits.push_back({"last", last});
  for (int exit = 0; exit < static_cast<int>(problem.exits.size()); ++exit)
    problem.policies.push_back({"exit" + std::to_string(exit), {{exit, Whole}}, {}});
  if (shape.early_exits) {
    const BasisPoints share = random.between(1, 9999);
    problem.policies.push_back({"both", {{0, share}, {1, Whole - share}}, {}});
  }
  for (Policy& policy : problem.policies)
    for (int variant = 0; variant < shape.variants; ++variant) policy.accuracy.push_back(random.between(5000, 9999));
  return problem;
}

}  // namespace espalier::plan
