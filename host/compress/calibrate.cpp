// Ranges of activations, from running the calibration samples in float32.
#include <numeric>

#include "compress/quantise.hpp"
#include "compress/ranges.hpp"
#include "esp_error.hpp"

namespace espalier::compress {
namespace {

/// Whether every number of the result is one of the input's, so that one quantisation serves both without rounding.
bool moves_values(const model::Node& node) {
  if (node.op == "MaxPool" || node.op == "GlobalMaxPool" || node.op == "Concat") return true;
  return node.op == "Real" && node.text("real_op", {}) == "Transpose";
}

/// Values that share a quantisation, as a forest of parents.
std::vector<int> group_values(const model::Graph& graph) {
  std::vector<int> parent(graph.values.size());
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](int value) {
    while (parent[static_cast<std::size_t>(value)] != value) value = parent[static_cast<std::size_t>(value)];
    return value;
  };
  for (const model::Node& node : graph.nodes)
    if (moves_values(node))
      for (const int input : node.inputs) parent[static_cast<std::size_t>(root(input))] = root(node.outputs[0]);
  for (std::size_t i = 0; i < parent.size(); ++i) parent[i] = root(static_cast<int>(i));
  return parent;
}

class Calibrator {
 public:
  Calibrator(model::Graph& graph, std::span<const Sample> samples, const QuantiseOptions& options)
      : graph_(graph),
        samples_(samples),
        options_(options),
        executor_(graph),
        group_(group_values(graph)),
        ranges_(graph.values.size()),
        exact_(graph.values.size(), false) {}

  void run() {
    for (const auto& ports : {graph_.inputs, graph_.outputs})
      for (const model::Port& port : ports) exact_[group(static_cast<std::size_t>(port.value))] = true;
    for_each_value([&](std::size_t group, const cpu::FloatTensor& values) { widen(ranges_[group], values); });
    if (options_.method != RangeMethod::MinMax) clip();
    set_ranges();
    for (std::size_t i = 0; i < graph_.values.size(); ++i)
      if (!graph_.values[i].constant && !graph_.values[i].quantisation)
        graph_.values[i].quantisation = to_quantisation(ranges_[group(i)]);
  }

 private:
  std::size_t group(std::size_t value) const { return static_cast<std::size_t>(group_[value]); }

  template <typename Visitor>
  void for_each_value(Visitor&& visit) const {
    for (const Sample& sample : samples_) {
      const auto values = executor_.run(sample);
      for (std::size_t i = 0; i < values.size(); ++i)
        if (!values[i].empty()) visit(group(i), values[i]);
    }
  }

  /// Those that the options give.
  void set_ranges() {
    for (const auto& [name, range] : options_.ranges) {
      if (!(range.low <= 0 && range.high >= 0 && range.low < range.high))
        throw Error(ErrorCode::Usage, "a range does not hold zero", "network '" + graph_.name + "'", name,
                    "give a range from at most 0 to at least 0");
      bool found = false;
      for (const auto& ports : {graph_.inputs, graph_.outputs})
        for (const model::Port& port : ports) {
          if (port.name != name) continue;
          ranges_[group(static_cast<std::size_t>(port.value))] = range;
          found = true;
        }
      if (!found)
        throw Error(ErrorCode::Usage, "no input or output has the name that a range was given for",
                    "network '" + graph_.name + "'", name, "name one as the file names it");
    }
  }

  void clip() {
    std::vector<Histogram> histograms;
    histograms.reserve(ranges_.size());
    for (std::size_t i = 0; i < ranges_.size(); ++i) histograms.emplace_back(exact_[i] ? Range{} : ranges_[i]);
    for_each_value([&](std::size_t group, const cpu::FloatTensor& values) { histograms[group].add(values); });
    for (std::size_t i = 0; i < ranges_.size(); ++i)
      if (!histograms[i].empty()) ranges_[i] = clipped(histograms[i]);
  }

  Range clipped(const Histogram& histogram) const {
    switch (options_.method) {
      case RangeMethod::Percentile:
        return percentile_range(histogram, options_.percentile);
      case RangeMethod::MeanSquaredError:
        return least_error_range(histogram);
      case RangeMethod::Entropy:
        return least_divergence_range(histogram);
      case RangeMethod::MinMax:
        break;
    }
    return histogram.range();
  }

  model::Graph& graph_;
  std::span<const Sample> samples_;
  const QuantiseOptions& options_;
  cpu::FloatExecutor executor_;
  std::vector<int> group_;
  std::vector<Range> ranges_;  // of the groups, at the index of their root
  std::vector<bool> exact_;    // the same: never clipped
};

}  // namespace

void calibrate(model::Graph& canonical, std::span<const Sample> samples, const QuantiseOptions& options) {
  if (samples.empty())
    throw Error(ErrorCode::Usage, "a float model needs calibration inputs", "network '" + canonical.name + "'", {},
                "give typical inputs, a hundred or more");
  if (!(options.percentile > 0 && options.percentile <= 100))
    throw Error(ErrorCode::Usage, "the percentile is out of range", "quantisation", std::to_string(options.percentile),
                "give a number above 0, up to 100");
  Calibrator(canonical, samples, options).run();
}

}  // namespace espalier::compress
