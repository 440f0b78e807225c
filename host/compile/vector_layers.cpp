#include "compile/vector_layers.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

namespace espalier::compile {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;

/// Estimated cycles by which a layer must win.
constexpr double Gain = 0.95;

/// Symbols for a weight, with those that pass over columns; products in a slot of V, of those it has room for.
constexpr double SymbolsPerWeight = 1.04, SlotShare = 0.8;

class Chooser {
 public:
  Chooser(const model::Network& network, const abi::Configuration& configuration, const Options& options)
      : network_(network), configuration_(configuration), options_(options) {}

  VectorLayers run() {
    for (const Layer& layer : network_.layers) result_.layers.push_back(possible(layer));
    // What a layer reads depends on the layers around it.
    for (bool changed = true; changed;) {
      choose_features();
      changed = false;
      for (std::size_t i = 0; i < network_.layers.size(); ++i) {
        if (!result_.layers[i] || (fits(network_.layers[i]) && faster(network_.layers[i]))) continue;
        result_.layers[i] = false;
        changed = true;
      }
    }
    return std::move(result_);
  }

 private:
  const Feature& feature(int index) const { return network_.features[static_cast<std::size_t>(index)]; }
  static bool contains(const std::vector<int>& list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }

  bool concatenated(int index) const {
    return std::any_of(network_.layers.begin(), network_.layers.end(), [&](const Layer& layer) {
      return layer.kind == LayerKind::Concat && (contains(layer.inputs, index) || layer.output == index);
    });
  }

  bool possible(const Layer& layer) const {
    if (layer.kind != LayerKind::Convolution || layer.groups != 1 || options_.mode == Mode::Dense || options_.split)
      return false;
    if (options_.weight_format != WeightFormat::Auto && options_.weight_format != WeightFormat::Fixed) return false;
    const Feature& out = feature(layer.output);
    const bool padded = layer.pad_top > 0 || layer.pad_left > 0 || layer.pad_bottom > 0 || layer.pad_right > 0;
    return out.height == 1 && out.width == 1 && !padded && !concatenated(layer.inputs[0]) &&
           !concatenated(layer.output);
  }

  void choose_features() {
    result_.features.assign(network_.features.size(), false);
    for (std::size_t f = 0; f < result_.features.size(); ++f) {
      const int index = static_cast<int>(f);
      bool made = contains(network_.inputs, index), read = true;
      for (std::size_t i = 0; i < network_.layers.size(); ++i) {
        const Layer& layer = network_.layers[i];
        if (layer.output == index) made = made || result_.layers[i];
        if (contains(layer.inputs, index)) read = read && result_.layers[i];
      }
      result_.features[f] = made && read && !(contains(network_.inputs, index) && contains(network_.outputs, index));
    }
  }

  /// Words of the input in memory; of maps that others lay out, about as many.
  double input_words(const Layer& layer) const {
    const Feature& in = feature(layer.inputs[0]);
    const double beat = configuration_.words_per_beat();
    if (result_.features[static_cast<std::size_t>(layer.inputs[0])]) {
      return std::ceil(1.0 * in.channels / configuration_.pixels) * in.height * in.width + beat;
    }
    const double plane = std::ceil(1.0 * in.height * in.width / configuration_.pixels);
    return in.channels * std::ceil(plane / beat) * beat;
  }

  bool fits(const Layer& layer) const {
    const double words = input_words(layer);
    const bool packed = result_.features[static_cast<std::size_t>(layer.output)];
    const double channels = feature(layer.output).channels;
    const double outputs =
        (packed ? std::ceil(channels / configuration_.pixels) : channels) + 2.0 * configuration_.words_per_beat();
    return words * configuration_.pixels <= abi::MostColumns &&
           (words + 1) * abi::Banks + outputs <= configuration_.scratch_words();
  }

  bool faster(const Layer& layer) const {
    const auto all = static_cast<double>(layer.weights.size());
    std::array<bool, 256> used{};
    double nonzero = 0;
    for (const std::int8_t weight : layer.weights) {
      if (weight == 0) continue;
      ++nonzero;
      used[static_cast<std::uint8_t>(weight)] = true;
    }
    const auto values = static_cast<unsigned>(std::count(used.begin(), used.end(), true));
    const double rows = feature(layer.output).channels;
    const double columns = input_words(layer) * configuration_.pixels;
    const double density = std::max(nonzero, 1.0) / (rows * columns);
    const double gap_bits = std::clamp(std::ceil(std::log2(1 / density)) + 1, 1.0, 8.0);
    const double value_bits = values > 16 ? 8.0 : std::max(2U, static_cast<unsigned>(std::bit_width(values - 1)));
    const double symbols = SymbolsPerWeight * nonzero + rows;
    const double lanes = configuration_.lanes;
    const double stream = std::max(symbols * (gap_bits + value_bits) / 8 / options_.memory.bytes,
                                   symbols / (lanes * configuration_.vector_products() * SlotShare));
    const double dense = all / std::min<double>(abi::BeatBytes, options_.memory.bytes);
    // The tables take as long either way. The input is loaded a word at a time; otherwise, if it comes from the host,
    // in planes of whole beats.
    const Feature& in = feature(layer.inputs[0]);
    const double plane = std::ceil(1.0 * in.height * in.width * configuration_.max_split() / abi::BeatBytes);
    const bool host = contains(network_.inputs, layer.inputs[0]);
    const double load = host ? in.channels * plane / configuration_.max_split() : 0;
    return stream + input_words(layer) < Gain * (std::min(dense, nonzero / lanes + rows / lanes) + load);
  }

  const model::Network& network_;
  const abi::Configuration& configuration_;
  const Options& options_;
  VectorLayers result_;
};

}  // namespace

VectorLayers choose_vector_layers(const model::Network& network, const abi::Configuration& configuration,
                                  const Options& options) {
  if (!options.vectors || !configuration.coded) {
    return {std::vector<bool>(network.layers.size(), false), std::vector<bool>(network.features.size(), false)};
  }
  return Chooser(network, configuration, options).run();
}

Layout vector_layout(const model::Feature& feature, const abi::Configuration& configuration) {
  const WordShape word{static_cast<int>(configuration.pixels), 1};
  return window_layout(Tiling::of(feature.height, feature.width, 1, 1, word), {}, feature.height, feature.width);
}

}  // namespace espalier::compile
