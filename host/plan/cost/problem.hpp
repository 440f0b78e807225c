// One cost model for every planner: devices, links, layers, exits, variants and tilings as plain data.
//
//   Problem problem = read_problem(text);                 // problem_json.hpp
//   Plan plan = run_planner("neurosurgeon", problem, request);
//   Evaluation cost = evaluate(problem, plan);
//
// Layers are in topological order and run in it, those that a policy does not need left out. A sample enters at `home`
// and its answers return there. Times carry a mean, which objectives count, and a bound, which deadlines count; both
// are equal where the time is exact.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plan/cost/units.hpp"

namespace espalier::plan {

/// How a time is known: from the static schedule, from measurements, or from a server that states its own bound.
enum class TimeSource { Exact, Measured, Reported };

struct Time {
  Nanoseconds mean = 0;
  Nanoseconds bound = 0;  // at least the mean
  TimeSource source = TimeSource::Exact;
};

/// What a layer or group costs on one device.
struct Cost {
  Time time;
  Nanojoules energy = 0;
};

enum class DeviceKind { Accelerator, Cpu, Remote };

struct Device {
  std::string name;
  DeviceKind kind = DeviceKind::Cpu;
  Bytes memory = 0;          // for weights; 0: no limit
  BasisPoints load = Whole;  // factor on its times: 20000 is a device half taken by others
};

/// One direction from one device to another. Devices without a link cannot reach each other.
struct Link {
  int from = 0;
  int to = 0;
  std::int64_t bytes_per_second = 0;       // 0: down
  Nanoseconds latency = 0;                 // one way
  std::int64_t serialise_picoseconds = 0;  // per byte, both ends
  std::int64_t energy_picojoules = 0;      // per byte, both ends
};

/// The map a layer slides over, for tiles: output (channels, height, width) from windows of kernel, stride, padding
/// over its inputs' maps. A pool whose kernel is its stride and an addition are windows, too.
struct Window {
  int height = 0, width = 0;  // of the output
  int kernel = 1, stride = 1, padding = 0;
};

struct Layer {
  std::string name;
  std::vector<int> inputs;       // earlier layers; NetworkInput is the network's input
  std::optional<Window> window;  // none: the layer cannot be tiled
  std::int64_t macs = 0;
};

inline constexpr int NetworkInput = -1;

/// Sizes and costs of one layer in one precision or pruning variant.
struct LayerVariant {
  Bytes output_bytes = 0;
  Bytes weight_bytes = 0;
  std::vector<std::optional<Cost>> costs;  // per device; none: not supported there
};

/// The network in one precision, pruned or compressed one way; accuracies are measured, in Policy.
struct Variant {
  std::string name;
  Bytes input_bytes = 0;
  std::vector<LayerVariant> layers;
  bool isolated_tiles = false;  // trained for tiles that are padded with zeros at their own borders: no halo
};

/// The layers first..last run at once on a device cost this instead of the sum of the layers.
struct Group {
  int first = 0, last = 0;
  int device = 0;
  int variant = 0;
  Cost cost;
};

/// A head: the layer that makes an answer.
struct Exit {
  std::string name;
  int layer = 0;
};

/// Which exits are looked at, and what was measured with them: the share of samples that leaves at each, in the order
/// of the exits, and the accuracy per variant. A network cut off after one exit is a policy with one exit.
struct Policy {
  struct Leave {
    int exit = 0;
    BasisPoints share = 0;
  };
  std::string name;
  std::vector<Leave> leaves;          // shares sum to Whole
  std::vector<BasisPoints> accuracy;  // per variant
};

/// Rows first_row..last_row and columns first_column..last_column of a tiling's last output, on one device.
struct Tile {
  int device = 0;
  int first_row = 0, last_row = 0;
  int first_column = 0, last_column = 0;
};

/// The layers first..last run as tiles. All inputs but one tensor are inside; `last` is the only output used later.
struct Tiling {
  int first = 0, last = 0;
  std::vector<Tile> tiles;
};

struct Problem {
  std::string name;
  int home = 0;
  std::vector<Device> devices;
  std::vector<Link> links;
  int input_height = 0, input_width = 0;  // of the network's input map, for tiles
  std::vector<Layer> layers;
  std::vector<Variant> variants;
  std::vector<Group> groups;
  std::vector<Exit> exits;  // in the order of their layers
  std::vector<Policy> policies;
  std::vector<Tiling> tilings;  // that a plan may choose
  BasisPoints accuracy_floor = 0;
};

enum class Objective { Latency, Energy, Throughput };

/// What is asked of a planner.
struct Request {
  Objective objective = Objective::Latency;
  std::optional<Nanoseconds> deadline;  // of the bound of one sample's time through all exits of its policy
};

const char* to_string(Objective objective);
const char* to_string(DeviceKind kind);
const char* to_string(TimeSource source);

/// Throws Error (Input) naming the field and the value if the data contradict themselves or exceed LargestStep.
void validate(const Problem& problem);

}  // namespace espalier::plan
