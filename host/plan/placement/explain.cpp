// The plan as data: segments in the order in which they run, and why every layer is where it is.
#include <algorithm>
#include <utility>

#include "plan/placement/placer.hpp"

namespace espalier::plan {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

std::string shape_of(const model::Feature& feature) {
  return std::to_string(feature.channels) + "x" + std::to_string(feature.height) + "x" + std::to_string(feature.width);
}

/// Orders groups and single host layers so that everything is made before it is read; host layers that can run at the
/// same point are one segment.
class Sequencer {
 public:
  Sequencer(const model::Network& network, const Groups& groups)
      : network_(network), groups_(groups), makers_(makers_of(network)), done_(network.layers.size(), false) {
    group_of_.assign(network.layers.size(), -1);
    for (std::size_t i = 0; i < groups.size(); ++i)
      for (const int layer : groups[i]) group_of_[at(layer)] = static_cast<int>(i);
  }

  std::vector<Segment> run() {
    std::vector<Segment> segments;
    std::vector<bool> started(groups_.size(), false);
    for (;;) {
      Segment host;
      host.place = Place::Host;
      for (std::size_t layer = 0; layer < done_.size(); ++layer) {
        if (done_[layer] || group_of_[layer] >= 0 || !ready(static_cast<int>(layer))) continue;
        done_[layer] = true;
        host.layers.push_back(static_cast<int>(layer));
      }
      if (!host.layers.empty()) segments.push_back(std::move(host));
      std::size_t next = 0;
      while (next < groups_.size() && (started[next] || !group_ready(groups_[next]))) ++next;
      if (next == groups_.size()) return segments;
      started[next] = true;
      Segment group;
      group.layers = groups_[next];
      for (const int layer : group.layers) done_[at(layer)] = true;
      segments.push_back(std::move(group));
    }
  }

 private:
  bool ready(int layer) const {
    return std::all_of(network_.layers[at(layer)].inputs.begin(), network_.layers[at(layer)].inputs.end(),
                       [&](int input) { return makers_[at(input)] < 0 || done_[at(makers_[at(input)])]; });
  }
  bool group_ready(const std::vector<int>& group) const {
    return std::all_of(group.begin(), group.end(), [&](int layer) {
      const std::vector<int>& inputs = network_.layers[at(layer)].inputs;
      return std::all_of(inputs.begin(), inputs.end(), [&](int input) {
        const int maker = makers_[at(input)];
        return maker < 0 || done_[at(maker)] || group_of_[at(maker)] == group_of_[at(layer)];
      });
    });
  }

  const model::Network& network_;
  const Groups& groups_;
  std::vector<int> makers_, group_of_;
  std::vector<bool> done_;
};

std::string microseconds(Nanoseconds time) {
  const Nanoseconds tenths = (time + 50) / 100;
  return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " us";
}

std::string objective_text(const PlaceOptions& options) {
  return "time of one frame without overlap: medians of the CPU, predicted cycles at " +
         std::to_string(static_cast<int>(options.mhz)) + " MHz plus " + microseconds(options.link.start) +
         " per start, transfers of " + microseconds(options.link.latency) + " + bytes / " +
         std::to_string(static_cast<int>(options.link.bytes_per_ns * 1000)) +
         " MB/s with the change of layout, both ways, once per tensor and destination";
}

}  // namespace

MixedPlan Placer::assemble(const Groups& groups) {
  MixedPlan plan;
  plan.name = network_.name;
  plan.network = network_;
  plan.configuration = configuration_;
  plan.objective = objective_text(options_);
  plan.segments = Sequencer(network_, groups).run();
  plan.layers.resize(layers());
  for (std::size_t i = 0; i < plan.segments.size(); ++i) {
    Segment& segment = plan.segments[i];
    segment.piece = cut_out(network_, segment.layers, network_.name);
    if (segment.place == Place::Accelerator) segment.compiled = candidates_.group(segment.layers).compiled;
    for (const int layer : segment.layers) {
      plan.layers[at(layer)].place = segment.place;
      plan.layers[at(layer)].segment = static_cast<int>(i);
    }
  }
  return plan;
}

void Placer::explain(MixedPlan& plan) {
  for (std::size_t i = 0; i < layers(); ++i) {
    LayerPlacement& row = plan.layers[i];
    const model::Layer& layer = network_.layers[i];
    const model::MacCount macs = model::count_macs(network_, layer);
    row.layer = layer.name;
    row.op = layer.op;
    row.shape =
        shape_of(network_.features[at(layer.inputs[0])]) + " -> " + shape_of(network_.features[at(layer.output)]);
    row.macs = macs.all;
    row.nonzero_macs = macs.nonzero;
    row.pinned = pins_[i].has_value();
    row.refusal = refusals_[i];
    const bool host = row.place == Place::Host;
    if (with_costs_) {
      row.host = host_times_[i];
      if (shares_[i] < Impossible) {
        row.accelerator = shares_[i];
        row.cycles = share_cycles_[i];
      } else if (row.refusal.empty() && candidates_.group({static_cast<int>(i)}).possible()) {
        row.cycles = candidates_.group({static_cast<int>(i)}).cycles();
        row.accelerator = time_of(*row.cycles);
      }
      if (host && (row.pinned || !row.refusal.empty())) row.gain_if_supported = gain_of(i);
    }
    if (row.pinned) {
      row.reason = std::string("pinned to the ") + (host ? "CPU" : "accelerator");
    } else if (!row.refusal.empty()) {
      row.reason = "the accelerator refuses it: " + row.refusal;
    } else if (options_.policy == Policy::HostOnly) {
      row.reason = "everything was asked to run on the CPU";
    } else if (options_.policy == Policy::AcceleratorFirst || options_.forbid_host) {
      row.reason = "everything that can runs on the accelerator";
    } else {
      row.reason = host ? "costs less on the CPU than on the accelerator with its transfers and starts"
                        : "costs less on the accelerator, transfers and starts included";
    }
  }
}

}  // namespace espalier::plan
