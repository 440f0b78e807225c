#include "compile/exact_choice.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "compile/layout_choice.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

/// Programs up to so many cycles are compiled in several ways; longer ones follow the estimates.
constexpr std::uint32_t MostExact = 300000;

/// What trying tilings and strips may take: programs, cycles of them, and weights that are scheduled for them.
constexpr std::size_t MostTried = 40;
constexpr std::uint64_t MostTriedCycles = 4000000;
constexpr std::uint64_t MostTriedWeights = 8000000;

/// Tilings and strips are tried unless the lanes work for this share of the cycles.
constexpr double BusyShare = 0.99;

constexpr std::size_t TilingsTried = 6;
constexpr std::array<StripChoice, 8> StripsTried{{{1, 0}, {2, 0}, {3, 0}, {4, 0}, {8, 0}, {2, 1}, {3, 1}, {4, 2}}};

class Search {
 public:
  Search(const model::Network& network, const abi::Configuration& configuration, const Options& options,
         const CompileOnce& compile_once)
      : network_(network), configuration_(configuration), chosen_(options), compile_once_(compile_once) {
    for (const model::Layer& layer : network.layers) weights_ += layer.weights.size();
  }

  Compiled run() {
    compile_first();
    if (!chosen_.timing || best_.total_cycles > MostExact) return std::move(best_);
    chosen_.progress = nullptr;
    if (std::any_of(best_.layers.begin(), best_.layers.end(), by_vector)) {
      Options without = chosen_;
      without.vectors = false;
      prefer_faster(without);
      // What follows concerns other layers.
      if (std::all_of(best_.layers.begin(), best_.layers.end(), by_vector)) return std::move(best_);
    }
    if (chosen_.joint_layouts) {
      Options alone = chosen_;
      alone.joint_layouts = false;
      prefer_faster(alone);
    }
    if (chosen_.inputs_by_rows) {
      Options by_planes = chosen_;
      by_planes.inputs_by_rows = false;
      prefer_faster(by_planes);
    }
    if (chosen_.layers.empty()) {
      try_strips();
      if (try_tilings()) try_strips();
    }
    if (chosen_.weight_format == WeightFormat::Auto && configuration_.coded) try_formats();
    return std::move(best_);
  }

 private:
  static bool by_vector(const LayerReport& layer) { return layer.weight_format == "vector"; }

  /// What is estimated to fit all banks may not.
  void compile_first() {
    try {
      best_ = compile_once_(chosen_);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unsupported || !chosen_.vectors) throw;
      chosen_.vectors = false;
      best_ = compile_once_(chosen_);
    }
  }

  /// Compiles in another way, which becomes the best if it is faster.
  bool prefer_faster(const Options& other) {
    try {
      Compiled compiled = compile_once_(other);
      if (compiled.total_cycles >= best_.total_cycles) return false;
      best_ = std::move(compiled);
    } catch (const Error&) {
      return false;  // what was estimated fits, another way may not
    }
    chosen_ = other;
    return true;
  }

  bool worth_trying() {
    std::uint64_t computing = 0;
    for (const LayerReport& layer : best_.layers) computing += layer.causes.computing;
    if (static_cast<double>(computing) >= BusyShare * best_.total_cycles) return false;
    ++tried_;
    cycles_ += best_.total_cycles;
    scheduled_ += weights_;
    return tried_ <= MostTried && cycles_ <= MostTriedCycles && scheduled_ <= MostTriedWeights;
  }

  /// Whether one is faster.
  bool try_tilings() {
    const LayoutPlan plan = choose_layouts(network_, configuration_, chosen_);
    const auto alternatives = alternative_tilings(network_, configuration_, chosen_, TilingsTried);
    std::vector<LayerChoice> layers = chosen_.layers;
    layers.resize(network_.layers.size());
    bool better = false;
    for (std::size_t i = 0; i < layers.size(); ++i) layers[i].tilings = plan.tilings[i];
    for (std::size_t i = 0; i < layers.size(); ++i) {
      for (const Tiling& tiling : alternatives[i]) {
        if (tiling == layers[i].tilings.front()) continue;
        if (!worth_trying()) return better;
        Options other = chosen_;
        other.layers = layers;
        other.layers[i].tilings.front() = tiling;
        if (!prefer_faster(other)) continue;
        layers = other.layers;
        better = true;
      }
    }
    return better;
  }

  /// Those of layers that the windows of the host are loaded or stored by.
  void try_strips() {
    for (std::size_t i = 0; i < network_.layers.size(); ++i) {
      if (!at_the_edge(network_.layers[i]) || by_vector(best_.layers[i])) continue;
      for (const StripChoice& strips : StripsTried) {
        if (!worth_trying()) return;
        Options other = chosen_;
        other.layers.resize(network_.layers.size());
        other.layers[i].strips = strips;
        prefer_faster(other);
      }
    }
  }

  bool at_the_edge(const model::Layer& layer) const {
    const auto among = [](const std::vector<int>& features, int feature) {
      return std::find(features.begin(), features.end(), feature) != features.end();
    };
    return among(network_.outputs, layer.output) ||
           std::any_of(layer.inputs.begin(), layer.inputs.end(),
                       [&](int input) { return among(network_.inputs, input); });
  }

  void try_formats() {
    for (const WeightFormat format : {WeightFormat::Raw, WeightFormat::Fixed, WeightFormat::Huffman}) {
      if (stored_as(format)) continue;
      Options told = chosen_;
      told.weight_format = format;
      prefer_faster(told);
    }
  }

  /// Whether all weights lie in `format`; packed dense weights have fixed codes.
  bool stored_as(WeightFormat format) const {
    return std::all_of(best_.layers.begin(), best_.layers.end(), [&](const LayerReport& layer) {
      if (layer.weight_bytes == 0) return true;
      if (format == WeightFormat::Raw) return layer.weight_format == "raw";
      if (format == WeightFormat::Huffman) return layer.weight_format == "huffman";
      return layer.weight_format == "fixed" || layer.weight_format == "packed" || by_vector(layer);
    });
  }

  const model::Network& network_;
  const abi::Configuration& configuration_;
  Options chosen_;
  const CompileOnce& compile_once_;
  Compiled best_;
  std::uint64_t weights_ = 0;
  std::size_t tried_ = 0;
  std::uint64_t cycles_ = 0, scheduled_ = 0;
};

}  // namespace

Compiled fastest(const model::Network& network, const abi::Configuration& configuration, const Options& options,
                 const CompileOnce& compile_once) {
  return Search(network, configuration, options, compile_once).run();
}

}  // namespace espalier::compile
