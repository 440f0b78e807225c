// Ranges of activations, from running the calibration samples in float32.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "compress/quantise.hpp"
#include "esp_error.hpp"

namespace espalier::compress {
namespace {

constexpr std::size_t Bins = 2048;
constexpr int Candidates = 100;

struct Range {
  float low = 0, high = 0;  // zero is always inside, so that padding and clamps are exact
};

/// Values that must share a quantisation, as a forest of parents.
std::vector<int> group_values(const model::Graph& graph) {
  std::vector<int> parent(graph.values.size());
  std::iota(parent.begin(), parent.end(), 0);
  const auto root = [&](int value) {
    while (parent[static_cast<std::size_t>(value)] != value) value = parent[static_cast<std::size_t>(value)];
    return value;
  };
  for (const model::Node& node : graph.nodes)
    if (node.op == "MaxPool" || node.op == "GlobalMaxPool" || node.op == "Concat")
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
        histograms_(graph.values.size()),
        exact_(graph.values.size(), false) {}

  void run() {
    for (const auto& ports : {graph_.inputs, graph_.outputs})
      for (const model::Port& port : ports) exact_[group(static_cast<std::size_t>(port.value))] = true;
    for_each_value([&](std::size_t group, const cpu::FloatTensor& values) { widen(ranges_[group], values); });
    if (options_.method != RangeMethod::MinMax) {
      for_each_value([&](std::size_t group, const cpu::FloatTensor& values) { count(group, values); });
      for (std::size_t i = 0; i < ranges_.size(); ++i)
        if (!histograms_[i].empty())
          ranges_[i] = options_.method == RangeMethod::Percentile ? percentile(i) : least_error(i);
    }
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

  static void widen(Range& range, const cpu::FloatTensor& values) {
    for (const float value : values) {
      if (!std::isfinite(value))
        throw Error(ErrorCode::Input, "an activation is not finite during calibration", "calibration",
                    std::to_string(value), "check the calibration inputs and the weights");
      range.low = std::min(range.low, value);
      range.high = std::max(range.high, value);
    }
  }

  void count(std::size_t index, const cpu::FloatTensor& values) {
    const Range& range = ranges_[index];
    if (exact_[index] || !(range.high > range.low)) return;
    const float step = static_cast<float>(Bins) / (range.high - range.low);
    if (!std::isnormal(step)) return;  // a range that float32 cannot divide keeps its ends
    auto& histogram = histograms_[index];
    histogram.resize(Bins);
    for (const float value : values)
      ++histogram[std::min(Bins - 1, static_cast<std::size_t>((value - range.low) * step))];
  }

  double bin_width(std::size_t index) const {
    return (static_cast<double>(ranges_[index].high) - ranges_[index].low) / Bins;
  }

  Range percentile(std::size_t index) const {
    const auto& histogram = histograms_[index];
    const auto total = static_cast<double>(std::accumulate(histogram.begin(), histogram.end(), std::uint64_t{0}));
    const double tail = total * (100.0 - options_.percentile) / 200.0;
    std::size_t first = 0, last = Bins;
    double below = 0, above = 0;
    while (first + 1 < last && below + static_cast<double>(histogram[first]) <= tail)
      below += static_cast<double>(histogram[first++]);
    while (last > first + 1 && above + static_cast<double>(histogram[last - 1]) <= tail)
      above += static_cast<double>(histogram[--last]);
    const Range& range = ranges_[index];
    return {std::min(0.0F, static_cast<float>(range.low + static_cast<double>(first) * bin_width(index))),
            std::max(0.0F, static_cast<float>(range.low + static_cast<double>(last) * bin_width(index)))};
  }

  /// Tries narrower ranges with both ends scaled alike and takes the one with the smallest squared error.
  Range least_error(std::size_t index) const {
    Range best = ranges_[index];
    double least = std::numeric_limits<double>::infinity();
    for (int i = 0; i < Candidates; ++i) {
      const float factor = 1.0F - 0.008F * static_cast<float>(i);
      const Range candidate{ranges_[index].low * factor, ranges_[index].high * factor};
      const double error = squared_error(index, candidate);
      if (error < least) {
        least = error;
        best = candidate;
      }
    }
    return best;
  }

  double squared_error(std::size_t index, const Range& range) const {
    const double step = (static_cast<double>(range.high) - range.low) / 255;
    double sum = 0;
    for (std::size_t bin = 0; bin < Bins; ++bin) {
      const double value = ranges_[index].low + (static_cast<double>(bin) + 0.5) * bin_width(index);
      const double outside = std::max({0.0, range.low - value, value - range.high});
      sum += static_cast<double>(histograms_[index][bin]) * (outside * outside + (outside > 0 ? 0 : step * step / 12));
    }
    return sum;
  }

  static model::Quantisation to_quantisation(const Range& range) {
    const auto scale = static_cast<float>((static_cast<double>(range.high) - range.low) / 255.0);
    if (!(scale > std::numeric_limits<float>::min())) return {{1.0F}, 0, 0};
    const double zero = std::nearbyint(-128.0 - static_cast<double>(range.low) / static_cast<double>(scale));
    return {{scale}, static_cast<std::int32_t>(std::clamp(zero, -128.0, 127.0)), 0};
  }

  model::Graph& graph_;
  std::span<const Sample> samples_;
  const QuantiseOptions& options_;
  cpu::FloatExecutor executor_;
  std::vector<int> group_;
  std::vector<Range> ranges_;                           // of the groups, at the index of their root
  std::vector<std::vector<std::uint64_t>> histograms_;  // the same
  std::vector<bool> exact_;                             // the same: never clipped
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
