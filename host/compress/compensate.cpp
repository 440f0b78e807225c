#include "compress/compensate.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "cpu/float_reference.hpp"
#include "model/window.hpp"

namespace espalier::compress {
namespace {

constexpr std::size_t MostPlaces = 8192;  // of a map, over all samples
constexpr std::size_t MostWeights = 512;  // of a block
constexpr double Damping = 0.01;          // of the mean square, added to every square: few samples are not all inputs
constexpr int Sweeps = 20;

using model::Graph;
using model::Node;

/// The largest magnitude of a level, or 0 for types whose levels are not all neighbours.
int largest_level(WeightType type) {
  switch (type) {
    case WeightType::Int8:
      return 127;
    case WeightType::Int4:
      return 7;
    case WeightType::Ternary:
      return 1;
    default:
      return 0;
  }
}

/// Sums over places of products of what a block of one group's weights multiplies.
struct Moments {
  std::size_t first = 0, size = 0;  // weights within a row
  std::vector<double> products;     // size x size
  std::vector<double> sums;
};

/// One convolution: where its weights read, and the moments of that for every group and block.
class Reads {
 public:
  Reads(const Graph& graph, const Node& node, std::size_t samples)
      : window_(model::read_window(node, {1, 1}, {1, 1})), input_(static_cast<std::size_t>(node.inputs[0])) {
    const model::Shape& weights = graph.value(node.inputs[1]).constant->shape;
    const model::Shape &in = graph.value(node.inputs[0]).shape, &out = graph.value(node.outputs[0]).shape;
    groups_ = static_cast<std::size_t>(node.integer("group", 1));
    outputs_ = static_cast<std::size_t>(weights[0]);
    channels_ = static_cast<std::size_t>(weights[1]);
    taps_ = static_cast<std::size_t>(weights[2] * weights[3]);
    height_ = in[2], width_ = in[3];
    out_width_ = static_cast<std::size_t>(out[3]);
    map_ = static_cast<std::size_t>(out[2] * out[3]);
    places_ = std::clamp<std::size_t>(MostPlaces / std::max<std::size_t>(samples, 1), 1, map_);
    const std::size_t block = std::max<std::size_t>(1, MostWeights / taps_) * taps_;
    for (std::size_t group = 0; group < groups_; ++group)
      for (std::size_t first = 0; first < row(); first += block) {
        const std::size_t size = std::min(block, row() - first);
        moments_.push_back({first, size, std::vector<double>(size * size, 0.0), std::vector<double>(size, 0.0)});
      }
  }

  std::size_t row() const { return channels_ * taps_; }
  std::size_t outputs() const { return outputs_; }

  void add(const std::vector<cpu::FloatTensor>& values) {
    std::vector<float> read(row());
    for (std::size_t i = 0; i < places_; ++i) {
      const std::size_t place = i * map_ / places_;
      for (std::size_t k = 0; k < moments_.size(); ++k) {
        if (k % blocks() == 0) unfold(values[input_], k / blocks(), place, read);
        add(moments_[k], std::span(read).subspan(moments_[k].first, moments_[k].size));
      }
    }
    count_ += places_;
  }

  /// The moments become the means of products, around the mean if `centred`, damped.
  void finish(bool centred) {
    for (Moments& m : moments_) {
      double trace = 0;
      for (std::size_t i = 0; i < m.size; ++i)
        for (std::size_t j = 0; j <= i; ++j) {
          const auto count = static_cast<double>(count_);
          double product = m.products[i * m.size + j] / count;
          if (centred) product -= m.sums[i] * m.sums[j] / (count * count);
          m.products[i * m.size + j] = m.products[j * m.size + i] = product;
          if (i == j) trace += product;
        }
      for (std::size_t i = 0; i < m.size; ++i)
        m.products[i * m.size + i] += Damping * trace / static_cast<double>(m.size);
    }
  }

  std::span<const Moments> of_output(std::size_t output) const {
    return std::span(moments_).subspan(output / (outputs_ / groups_) * blocks(), blocks());
  }

 private:
  std::size_t blocks() const { return moments_.size() / groups_; }

  void unfold(const cpu::FloatTensor& in, std::size_t group, std::size_t place, std::vector<float>& read) const {
    const auto top = static_cast<std::int64_t>(place / out_width_) * window_.stride[0] - window_.before[0];
    const auto left = static_cast<std::int64_t>(place % out_width_) * window_.stride[1] - window_.before[1];
    std::size_t at = 0;
    for (std::size_t channel = group * channels_; channel < (group + 1) * channels_; ++channel)
      for (std::int64_t i = 0; i < window_.kernel[0]; ++i)
        for (std::int64_t j = 0; j < window_.kernel[1]; ++j) {
          const std::int64_t y = top + i * window_.dilation[0], x = left + j * window_.dilation[1];
          const bool inside = y >= 0 && y < height_ && x >= 0 && x < width_;
          read[at++] = inside ? in[(channel * static_cast<std::size_t>(height_) + static_cast<std::size_t>(y)) *
                                       static_cast<std::size_t>(width_) +
                                   static_cast<std::size_t>(x)]
                              : 0.0F;
        }
  }

  static void add(Moments& m, std::span<const float> read) {
    for (std::size_t i = 0; i < m.size; ++i) {
      if (!(std::abs(read[i]) > 0)) continue;
      const auto value = static_cast<double>(read[i]);
      m.sums[i] += value;
      for (std::size_t j = 0; j <= i; ++j) m.products[i * m.size + j] += value * static_cast<double>(read[j]);
    }
  }

  model::Window window_;
  std::size_t input_ = 0, groups_ = 1, outputs_ = 0, channels_ = 0, taps_ = 1, out_width_ = 1, map_ = 1, places_ = 1;
  std::int64_t height_ = 1, width_ = 1;
  std::size_t count_ = 0;
  std::vector<Moments> moments_;  // groups x blocks
};

/// Coordinate descent over the levels of one block of one output.
void descend(const Moments& m, std::span<const float> exact, std::span<std::int8_t> levels, double scale, int largest) {
  std::vector<double> gradient(m.size, 0.0);  // H (q - w)
  const auto move = [&](std::size_t k, double step) {
    for (std::size_t i = 0; i < m.size; ++i) gradient[i] += m.products[k * m.size + i] * step;
  };
  for (std::size_t k = 0; k < m.size; ++k) move(k, levels[k] * scale - static_cast<double>(exact[k]));
  bool moved = true;
  for (int sweep = 0; sweep < Sweeps && moved; ++sweep) {
    moved = false;
    for (std::size_t k = 0; k < m.size; ++k) {
      const double square = m.products[k * m.size + k];
      if (!(square > 0) || !(std::abs(exact[k]) > 0)) continue;
      const double best = std::nearbyint(levels[k] - gradient[k] / (square * scale));
      const auto level =
          static_cast<std::int8_t>(std::clamp(best, -static_cast<double>(largest), static_cast<double>(largest)));
      if (level == levels[k]) continue;
      move(k, (level - levels[k]) * scale);
      levels[k] = level;
      moved = true;
    }
  }
}

}  // namespace

void compensate_rounding(const Graph& reals, Graph& rounded, std::span<const WeightChoice> choices,
                         std::span<const Sample> samples, bool centred) {
  std::vector<const WeightChoice*> moved;
  std::vector<Reads> reads;
  for (const WeightChoice& choice : choices) {
    if (largest_level(choice.type) == 0) continue;
    moved.push_back(&choice);
    reads.emplace_back(reals, reals.nodes[choice.node], samples.size());
  }
  const cpu::FloatExecutor executor(reals);
  for (const Sample& sample : samples) {
    const auto values = executor.run(sample);
    for (Reads& each : reads) each.add(values);
  }
  for (std::size_t i = 0; i < moved.size(); ++i) {
    reads[i].finish(centred);
    const std::vector<float> exact = reals.value(reals.nodes[moved[i]->node].inputs[1]).constant->as_floats();
    model::Value& value = rounded.value(rounded.nodes[moved[i]->node].inputs[1]);
    auto& levels = std::get<std::vector<std::int8_t>>(value.constant->values);
    const std::size_t row = reads[i].row();
    for (std::size_t output = 0; output < reads[i].outputs(); ++output)
      for (const Moments& m : reads[i].of_output(output)) {
        const std::size_t first = output * row + m.first;
        descend(m, std::span(exact).subspan(first, m.size), std::span(levels).subspan(first, m.size),
                static_cast<double>(value.quantisation->scale[output]), largest_level(moved[i]->type));
      }
  }
}

}  // namespace espalier::compress
