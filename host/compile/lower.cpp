#include "compile/lower.hpp"

#include <algorithm>
#include <cstdint>
#include <string>

#include "compile/layout_choice.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;

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

class Lowering {
 public:
  Lowering(const model::Network& network, const abi::Configuration& configuration, const Options& options)
      : network_(network), configuration_(configuration), plan_(choose_layouts(network, configuration, options)) {}

  Lowered run() {
    make_images();
    for (std::size_t i = 0; i < network_.layers.size(); ++i) make_steps(i);
    return std::move(lowered_);
  }

 private:
  const Feature& feature(int index) const { return network_.features[static_cast<std::size_t>(index)]; }
  const Root& root(int index) const { return plan_.root(index); }
  const std::vector<Request>& requests(int index) const { return plan_.requests[static_cast<std::size_t>(index)]; }
  static bool contains(const std::vector<int>& list, int value) {
    return std::find(list.begin(), list.end(), value) != list.end();
  }

  void make_images() {
    first_image_.assign(network_.features.size(), -1);
    for (std::size_t f = 0; f < plan_.requests.size(); ++f) {
      const int index = static_cast<int>(f);
      const bool input = contains(network_.inputs, index);
      if (contains(network_.outputs, index) && input) {
        throw Error(ErrorCode::Unsupported, "a network input is also an output",
                    "feature '" + feature(index).name + "'", "", "drop that output");
      }
      if (!input && !plan_.requests[f].empty()) first_image_[f] = static_cast<int>(lowered_.images.size());
      if (input) first_image_[f] = static_cast<int>(lowered_.images.size());
      for (const Request& request : plan_.requests[f]) {
        Image image;
        image.name = feature(index).name;
        image.feature = index;
        image.channels = feature(index).channels;
        image.layout = request.layout;
        image.planes = image.layout.planes(image.channels);
        image.fill = static_cast<std::int8_t>(request.fill.kind == FillRule::Kind::Any ? feature(index).zero
                                                                                       : request.fill.value);
        image.input = input;
        image.vector = plan_.vectors.features[f];
        image.output = contains(network_.outputs, index) && &request == &plan_.requests[f].front();
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
                        (layer.kind == LayerKind::Concat && plan_.in_place(layer, part));
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
    step.tiling = plan_.tilings[index][part];
    step.zero_in = in.zero;
    step.input_channels = in.channels;
    step.output = first_image_[static_cast<std::size_t>(root(layer.output).feature)];
    step.output_channel = root(layer.output).channel;
    step.output_channels = feature(layer.output).channels;
    step.groups = in.channels;
    if (plan_.vectors.layers[index]) {
      step.vector = true;
      step.groups = layer.groups;
      step.window = window_of(layer);
      step.inputs.push_back({first_image_[static_cast<std::size_t>(root(layer.inputs[part]).feature)], 0});
      return step;
    }
    const FillRule fill = fill_rule(network_, layer, in);
    Layout layout;
    if (global_pool(layer.kind)) {
      const Tiling words = pooled_words(in, step.tiling, configuration_);
      layout = window_layout(words, {}, in.height, in.width);
      step.window = {words.height, words.width, 1, 1, 1, 1, 0, 0};
    } else {
      if (windowed(layer.kind)) step.window = window_of(layer);
      layout = window_layout(step.tiling, step.window, in.height, in.width);
      if (step.tiling.sampled) step.window = {};
      step.tiling.sampled = false;
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
      case LayerKind::Real:  // refused before
        break;
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
  const LayoutPlan plan_;
  std::vector<int> first_image_;  // per root feature
  Lowered lowered_;
};

}  // namespace

Lowered lower(const model::Network& network, const abi::Configuration& configuration, const Options& options) {
  for (const Layer& layer : network.layers) check_size(network, layer);
  return Lowering(network, configuration, options).run();
}

}  // namespace espalier::compile
