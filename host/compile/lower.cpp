#include "compile/lower.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "compile/layer_ways.hpp"
#include "compile/tiling_choice.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;

/// What a reader needs in the bytes outside the map.
struct FillRule {
  enum class Kind { Any, AtMost, Exactly } kind = Kind::Any;
  int value = 0;

  static std::optional<FillRule> merged(const FillRule& a, const FillRule& b) {
    if (a.kind == Kind::Any) return b;
    if (b.kind == Kind::Any) return a;
    if (a.kind == Kind::AtMost && b.kind == Kind::AtMost) return FillRule{Kind::AtMost, std::min(a.value, b.value)};
    if (a.kind == Kind::AtMost) return merged(b, a);
    const bool agree = b.kind == Kind::Exactly ? a.value == b.value : a.value <= b.value;
    return agree ? std::optional(a) : std::nullopt;
  }
};

/// A layout that readers of a feature want.
struct Request {
  Layout layout;
  FillRule fill;
};

/// What one input of one layer was read as when its layout was last chosen.
struct Wish {
  std::size_t layer = 0;
  std::size_t part = 0;
  Layout layout;
};

/// The planes of a concatenation that a feature is written into; or the feature itself.
struct Root {
  int feature = -1;
  int channel = 0;
};

bool same_quantisation(const Feature& a, const Feature& b) {
  return a.zero == b.zero && !(a.scale < b.scale) && !(a.scale > b.scale);
}

Window window_of(const Layer& layer) {
  return {layer.kernel_h,   layer.kernel_w,   layer.stride_h, layer.stride_w,
          layer.dilation_h, layer.dilation_w, layer.pad_top,  layer.pad_left};
}

bool windowed(LayerKind kind) {
  return kind == LayerKind::Convolution || kind == LayerKind::MaxPool || kind == LayerKind::AveragePool;
}

bool global(LayerKind kind) { return kind == LayerKind::GlobalAveragePool || kind == LayerKind::GlobalMaxPool; }

/// Values of a map with its padding and a stride: the words of several such maps can be counted in 32 bits.
constexpr std::int64_t MostValues = 1 << 28;

/// Throws for maps whose addresses could not be computed.
void check_size(const model::Network& network, const Layer& layer) {
  for (const int input : layer.inputs) {
    const Feature& in = network.features[static_cast<std::size_t>(input)];
    const double height = static_cast<double>(in.height) + layer.pad_top + layer.pad_bottom + layer.stride_h;
    const double width = static_cast<double>(in.width) + layer.pad_left + layer.pad_right + layer.stride_w;
    const Feature& out = network.features[static_cast<std::size_t>(layer.output)];
    const double most = std::max(height * width * in.channels, static_cast<double>(out.elements()));
    if (most <= static_cast<double>(MostValues)) continue;
    throw Error(ErrorCode::Unsupported, "the map with its padding is too large", "layer '" + layer.name + "'",
                std::to_string(in.channels) + " x " + std::to_string(in.height) + " x " + std::to_string(in.width) +
                    ", stride " + std::to_string(layer.stride_h) + " x " + std::to_string(layer.stride_w),
                "use maps of at most " + std::to_string(MostValues) + " values, padding and stride included");
  }
}

/// Times that layouts are chosen for the whole network.
constexpr int Passes = 3;

class Lowering {
 public:
  Lowering(const model::Network& network, const abi::Configuration& configuration, const Options& options)
      : network_(network), configuration_(configuration), options_(options), chooser_(configuration_) {}

  Lowered run() {
    find_roots();
    wishes_.resize(network_.features.size());
    splits_.resize(network_.layers.size());
    // Each pass knows what the readers of a feature that come earlier wanted in the one before.
    for (int pass = 0; pass < Passes; ++pass) {
      requests_.assign(network_.features.size(), {});
      tilings_.assign(network_.layers.size(), {});
      for (std::size_t i = network_.layers.size(); i-- > 0;) choose(i);
    }
    make_images();
    for (std::size_t i = 0; i < network_.layers.size(); ++i) make_steps(i);
    return std::move(lowered_);
  }

 private:
  const Feature& feature(int index) const { return network_.features[static_cast<std::size_t>(index)]; }
  Root& root(int index) { return roots_[static_cast<std::size_t>(index)]; }
  std::vector<Request>& requests(int index) { return requests_[static_cast<std::size_t>(index)]; }
  static bool contains(const std::vector<int>& list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }

  /// Concatenation by address: an input with the output's quantisation that nobody else reads.
  void find_roots() {
    std::vector<int> readers(network_.features.size(), 0);
    std::vector<bool> written(network_.features.size(), false);
    for (const Layer& layer : network_.layers) {
      for (const int input : layer.inputs) ++readers[static_cast<std::size_t>(input)];
      written[static_cast<std::size_t>(layer.output)] = true;
    }
    roots_.resize(network_.features.size());
    for (std::size_t i = 0; i < roots_.size(); ++i) roots_[i] = {static_cast<int>(i), 0};
    most_split_.assign(network_.features.size(), static_cast<int>(configuration_.max_split()));
    for (std::size_t i = network_.layers.size(); i-- > 0;) {
      const Layer& layer = network_.layers[i];
      if (layer.kind != LayerKind::Concat) continue;
      int channel = 0;
      for (const int input : layer.inputs) {
        const bool free = readers[static_cast<std::size_t>(input)] == 1 && written[static_cast<std::size_t>(input)] &&
                          !contains(network_.outputs, input);
        if (free && same_quantisation(feature(input), feature(layer.output))) {
          root(input) = {root(layer.output).feature, root(layer.output).channel + channel};
        }
        int& most = most_split_[static_cast<std::size_t>(root(layer.output).feature)];
        while ((root(layer.output).channel + channel) % most != 0) most /= 2;
        channel += feature(input).channels;
      }
    }
  }

  void choose(std::size_t index) {
    const Layer& layer = network_.layers[index];
    const int base = root(layer.output).feature;
    auto& wanted = requests(base);
    if (base == layer.output) choose_first(index);
    tilings_[index].resize(layer.inputs.size());
    for (const std::size_t part : computed_parts(layer)) {
      const auto destination = wanted.empty() ? std::nullopt : std::optional(wanted.front().layout);
      tilings_[index][part] = chosen(index, part, destination).tiling;
      want_something(layer, tilings_[index][part]);
    }
    want_something(layer, fewest_words(feature(layer.output).height, feature(layer.output).width, 1, configuration_));
    if (wanted.size() > 1 || contains(network_.outputs, base)) {
      wanted.front().layout = covering(wanted.front().layout);
    }
    for (std::size_t part = 0; part < layer.inputs.size(); ++part) request_input(index, part);
  }

  /// The parts of a layer that are steps of their own.
  std::vector<std::size_t> computed_parts(const Layer& layer) {
    if (layer.kind == LayerKind::Add) return {0};
    std::vector<std::size_t> parts;
    for (std::size_t part = 0; part < layer.inputs.size(); ++part) {
      if (layer.kind != LayerKind::Concat || !in_place(layer, static_cast<int>(part))) parts.push_back(part);
    }
    return parts;
  }

  /// If nobody has asked for a layout of a layer's output, it is that of its own tiles.
  void want_something(const Layer& layer, Tiling tiling) {
    const Feature& out = feature(layer.output);
    auto& wanted = requests(root(layer.output).feature);
    const int most = most_split_[static_cast<std::size_t>(root(layer.output).feature)];
    if (!wanted.empty()) return;
    if (tiling.word.split > most) tiling = fewest_words(out.height, out.width, most, configuration_);
    wanted.push_back({window_layout(tiling, {}, out.height, out.width), {}});
  }

  /// The first image of a feature is the one that is written into, the others are copies of it: the cheapest. Its
  /// words must not hold channels of two parts.
  void choose_first(std::size_t index) {
    const Layer& layer = network_.layers[index];
    const Feature& out = feature(layer.output);
    auto& wanted = requests(layer.output);
    const int most = most_split_[static_cast<std::size_t>(layer.output)];
    const auto fits = [&](const Request& request) { return request.layout.word.split <= most; };
    if (wanted.empty() || (wanted.size() == 1 && fits(wanted.front()))) return;
    std::size_t best = wanted.size();
    double best_cost = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (!fits(wanted[i])) continue;
      double cost = 0;
      for (const Request& other : wanted) {
        if (&other != &wanted[i]) cost += chooser_.copying(wanted[i].layout, other.layout, out.channels);
      }
      for (const std::size_t part : computed_parts(layer)) cost += chosen(index, part, wanted[i].layout).cost;
      if (cost < best_cost || best == wanted.size()) {
        best = i;
        best_cost = cost;
      }
    }
    if (best < wanted.size()) {
      std::swap(wanted.front(), wanted[best]);
    } else {
      const Tiling tiling = fewest_words(out.height, out.width, most, configuration_);
      wanted.insert(wanted.begin(), {window_layout(tiling, {}, out.height, out.width), {}});
    }
  }

  /// The best tiling of a part if it is written to `destination`.
  TilingChoice chosen(std::size_t index, std::size_t part, const std::optional<Layout>& destination) {
    TilingProblem choice = problem(index, part);
    choice.destination = destination;
    if (!global(network_.layers[index].kind)) return chooser_.tiling(choice);
    const TilingChoice words = chooser_.words(choice);
    return {{1, 1, 1, 1, 1, 1, words.tiling.word}, words.cost};
  }

  bool in_place(const Layer& layer, int part) {
    const int input = layer.inputs[static_cast<std::size_t>(part)];
    return root(input).feature == root(layer.output).feature;
  }

  TilingProblem problem(std::size_t index, std::size_t part) {
    const Layer& layer = network_.layers[index];
    const Feature& in = feature(layer.inputs[part]);
    const Feature& out = feature(layer.output);
    TilingProblem result;
    result.height = out.height;
    result.width = out.width;
    result.splits = split_options(index, part);
    if (windowed(layer.kind)) result.window = window_of(layer);
    result.input_height = in.height;
    result.input_width = in.width;
    result.input_channels = in.channels;
    for (std::size_t i = 0; i < layer.inputs.size(); ++i) {
      if (i != part && layer.kind != LayerKind::Add) continue;
      const int base = root(layer.inputs[i]).feature;
      result.most_source_split = std::min(result.most_source_split, most_split_[static_cast<std::size_t>(base)]);
      auto& layouts = result.sources.emplace_back();
      if (contains(network_.inputs, base)) continue;  // the host packs it in every layout
      for (const Wish& wish : wishes_[static_cast<std::size_t>(base)]) {
        if (wish.layer != index) layouts.push_back(wish.layout);
      }
    }
    return result;
  }

  const std::vector<SplitOption>& split_options(std::size_t index, std::size_t part) {
    const Layer& layer = network_.layers[index];
    auto& parts = splits_[index];
    parts.resize(layer.inputs.size());
    if (parts[part].empty()) {
      const ChannelPlace place = channel_place(layer, static_cast<int>(part));
      parts[part] = LayerWays(network_, layer, configuration_, options_).options(place);
    }
    return parts[part];
  }

  ChannelPlace channel_place(const Layer& layer, int part) {
    int channel = root(layer.output).channel;
    int channels = feature(layer.output).channels;
    if (layer.kind == LayerKind::Concat) {
      for (int i = 0; i < part; ++i) channel += feature(layer.inputs[static_cast<std::size_t>(i)]).channels;
      channels = feature(layer.inputs[static_cast<std::size_t>(part)]).channels;
    }
    return {channels, channel + channels == feature(root(layer.output).feature).channels};
  }

  void request_input(std::size_t index, std::size_t part) {
    const Layer& layer = network_.layers[index];
    const Feature& in = feature(layer.inputs[part]);
    if (layer.kind == LayerKind::Concat && in_place(layer, static_cast<int>(part))) return;
    Request request;
    if (global(layer.kind)) {
      request.layout = window_layout(pooled_words(in, tilings_[index][part]), {}, in.height, in.width);
      request.fill = layer.kind == LayerKind::GlobalMaxPool ? FillRule{FillRule::Kind::AtMost, -128}
                                                            : FillRule{FillRule::Kind::Exactly, in.zero};
    } else {
      const Tiling& tiling = tilings_[index][layer.kind == LayerKind::Add ? 0 : part];
      const Window window = windowed(layer.kind) ? window_of(layer) : Window{};
      request.layout = window_layout(tiling, window, in.height, in.width);
      request.fill = fill_rule(layer, in);
    }
    const int base = root(layer.inputs[part]).feature;
    add_request(base, request);
    auto& wishes = wishes_[static_cast<std::size_t>(base)];
    const auto known = std::find_if(wishes.begin(), wishes.end(),
                                    [&](const Wish& wish) { return wish.layer == index && wish.part == part; });
    Wish& wish = known == wishes.end() ? wishes.emplace_back(Wish{index, part, {}}) : *known;
    wish.layout = request.layout;
  }

  /// The words of a map that is pooled as a whole, with as many channels in them as in the result.
  Tiling pooled_words(const Feature& in, const Tiling& result) const {
    return fewest_words(in.height, in.width, result.word.split, configuration_);
  }

  FillRule fill_rule(const Layer& layer, const Feature& in) const {
    const bool padded = layer.pad_top > 0 || layer.pad_left > 0 || layer.pad_bottom > 0 || layer.pad_right > 0;
    if (!windowed(layer.kind) || !padded) return {};
    if (layer.kind == LayerKind::MaxPool) {
      int low = -128;
      for (const Layer& producer : network_.layers) {
        const int produced = producer.output;
        if (&feature(produced) == &in && producer.kind != LayerKind::Concat) low = producer.low;
      }
      return {FillRule::Kind::AtMost, low};
    }
    return {FillRule::Kind::Exactly, in.zero};
  }

  void add_request(int index, const Request& request) {
    for (Request& known : requests(index)) {
      const auto fill = FillRule::merged(known.fill, request.fill);
      if (!fill || !known.layout.same_tiles(request.layout)) continue;
      known.layout = united(known.layout, request.layout);
      known.fill = *fill;
      return;
    }
    requests(index).push_back(request);
  }

  void make_images() {
    first_image_.assign(network_.features.size(), -1);
    for (std::size_t f = 0; f < requests_.size(); ++f) {
      const int index = static_cast<int>(f);
      const bool input = contains(network_.inputs, index);
      if (contains(network_.outputs, index) && input) {
        throw Error(ErrorCode::Unsupported, "a network input is also an output",
                    "feature '" + feature(index).name + "'", "", "drop that output");
      }
      if (!requests_[f].empty()) first_image_[f] = static_cast<int>(lowered_.images.size());
      for (const Request& request : requests_[f]) {
        Image image;
        image.name = feature(index).name;
        image.feature = index;
        image.channels = feature(index).channels;
        image.layout = request.layout;
        image.planes = image.layout.planes(image.channels);
        image.fill = static_cast<std::int8_t>(request.fill.kind == FillRule::Kind::Any ? feature(index).zero
                                                                                       : request.fill.value);
        image.input = input;
        image.output = contains(network_.outputs, index) && &request == &requests_[f].front();
        if (input) lowered_.input_images.push_back(static_cast<int>(lowered_.images.size()));
        lowered_.images.push_back(image);
      }
    }
    for (const int output : network_.outputs) {
      const int image = first_image_[static_cast<std::size_t>(output)];
      if (image < 0) throw Error(ErrorCode::Model, "no layer writes a network output", feature(output).name);
      lowered_.output_images.push_back(image);
    }
  }

  /// The image of an input that has the tiles and fill this reader asked for.
  Operand operand(int input, const Layout& layout, const FillRule& fill) {
    const int base = root(input).feature;
    const auto& known = requests(base);
    for (std::size_t i = 0; i < known.size(); ++i) {
      const auto merged = FillRule::merged(known[i].fill, fill);
      if (known[i].layout.same_tiles(layout) && merged && merged->kind == known[i].fill.kind &&
          merged->value == known[i].fill.value) {
        return {first_image_[static_cast<std::size_t>(base)] + static_cast<int>(i),
                root(input).channel / layout.word.split};
      }
    }
    throw Error(ErrorCode::Internal, "no image has the layout of a reader", feature(input).name);
  }

  void make_steps(std::size_t index) {
    const Layer& layer = network_.layers[index];
    int channel = 0;
    for (std::size_t part = 0; part < layer.inputs.size(); ++part) {
      const int parts_channels = feature(layer.inputs[part]).channels;
      const bool skip = (layer.kind == LayerKind::Add && part > 0) ||
                        (layer.kind == LayerKind::Concat && in_place(layer, static_cast<int>(part)));
      if (!skip) add_step(make_step(index, part, channel));
      channel += parts_channels;
    }
    const int output = root(layer.output).feature;
    if (output == layer.output) copy_to_readers(index, output);
    lowered_.last_step.push_back(static_cast<int>(lowered_.steps.size()));
  }

  void add_step(const Step& step) {
    Image& image = lowered_.images[static_cast<std::size_t>(step.output)];
    const int end = step.output_channel + step.rows() * step.split();
    image.planes = std::max(image.planes, image.layout.planes(end));
    lowered_.steps.push_back(step);
  }

  Step make_step(std::size_t index, std::size_t part, int channel) {
    const Layer& layer = network_.layers[index];
    const Feature& in = feature(layer.inputs[part]);
    Step step;
    step.kind = kind_of(layer, part);
    step.layer = static_cast<int>(index);
    step.part = static_cast<int>(part);
    step.tiling = tilings_[index][part];
    step.zero_in = in.zero;
    step.input_channels = in.channels;
    step.output = first_image_[static_cast<std::size_t>(root(layer.output).feature)];
    step.output_channel = root(layer.output).channel;
    step.output_channels = feature(layer.output).channels;
    step.groups = in.channels;
    FillRule fill;
    Layout layout;
    if (global(layer.kind)) {
      const Tiling words = pooled_words(in, step.tiling);
      layout = window_layout(words, {}, in.height, in.width);
      step.window = {words.height, words.width, 1, 1, 1, 1, 0, 0};
      fill = layer.kind == LayerKind::GlobalMaxPool ? FillRule{FillRule::Kind::AtMost, -128}
                                                    : FillRule{FillRule::Kind::Exactly, in.zero};
    } else {
      if (windowed(layer.kind)) step.window = window_of(layer);
      layout = window_layout(step.tiling, step.window, in.height, in.width);
      fill = fill_rule(layer, in);
    }
    if (layer.kind == LayerKind::Convolution) step.groups = layer.groups;
    if (layer.kind == LayerKind::Concat) {
      step.output_channel += channel;
      step.output_channels = in.channels;
    }
    step.inputs.push_back(operand(layer.inputs[part], layout, fill));
    if (layer.kind == LayerKind::Add) step.inputs.push_back(operand(layer.inputs[1], layout, fill));
    return step;
  }

  StepKind kind_of(const Layer& layer, std::size_t part) const {
    switch (layer.kind) {
      case LayerKind::Convolution:
        return StepKind::Convolution;
      case LayerKind::MaxPool:
      case LayerKind::AveragePool:
        return StepKind::Pool;
      case LayerKind::GlobalAveragePool:
      case LayerKind::GlobalMaxPool:
        return StepKind::GlobalPool;
      case LayerKind::Add:
        return StepKind::Add;
      case LayerKind::Requantise:
        return StepKind::Requantise;
      case LayerKind::Concat:
        return same_quantisation(feature(layer.inputs[part]), feature(layer.output)) ? StepKind::Copy
                                                                                     : StepKind::Requantise;
    }
    throw Error(ErrorCode::Internal, "unknown layer kind", "layer '" + layer.name + "'");
  }

  /// Readers that want other tiles, or another fill, get an image of their own.
  void copy_to_readers(std::size_t index, int output) {
    const int first = first_image_[static_cast<std::size_t>(output)];
    for (std::size_t i = 1; i < requests(output).size(); ++i) {
      Step step;
      step.kind = StepKind::Copy;
      step.layer = static_cast<int>(index);
      step.inputs = {{first, 0}};
      step.output = first + static_cast<int>(i);
      step.output_channels = step.input_channels = step.groups = feature(output).channels;
      step.tiling = lowered_.images[static_cast<std::size_t>(first)].layout.tiling();
      add_step(step);
    }
  }

  const model::Network& network_;
  const abi::Configuration& configuration_;
  const Options& options_;
  TilingChooser chooser_;
  std::vector<std::vector<std::vector<SplitOption>>> splits_;  // per layer and input
  std::vector<Root> roots_;
  std::vector<int> most_split_;                 // per root feature: divides the first channel of every part
  std::vector<std::vector<Request>> requests_;  // per root feature
  std::vector<std::vector<Wish>> wishes_;       // per root feature
  std::vector<std::vector<Tiling>> tilings_;    // per layer and input
  std::vector<int> first_image_;                // per root feature
  Lowered lowered_;
};

}  // namespace

Lowered lower(const model::Network& network, const abi::Configuration& configuration, const Options& options) {
  for (const Layer& layer : network.layers) check_size(network, layer);
  return Lowering(network, configuration, options).run();
}

}  // namespace espalier::compile
