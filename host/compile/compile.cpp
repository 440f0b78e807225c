#include "compile/compile.hpp"

#include <algorithm>

#include "compile/exact_choice.hpp"
#include "compile/generate.hpp"
#include "compile/lower.hpp"
#include "compile/placement.hpp"
#include "compile/weight_format.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "model/weight_pattern.hpp"

namespace espalier::compile {
namespace {

std::string shape_of(const model::Feature& feature) {
  return std::to_string(feature.channels) + "x" + std::to_string(feature.height) + "x" + std::to_string(feature.width);
}

/// What takes most cycles; a beat takes BeatBytes / memory.bytes of them in its direction.
Bound bound_of(const LayerWork& work, const MemoryParameters& memory, unsigned writers) {
  const std::uint64_t interval = abi::BeatBytes / memory.bytes;
  const std::uint64_t weights = work.stream_beats * interval;
  const std::uint64_t data = (work.read_beats - std::min(work.read_beats, work.stream_beats)) * interval;
  const std::uint64_t moved = std::max(data, work.write_beats * interval);
  const std::uint64_t output = work.result_words / writers;
  const std::uint64_t most = std::max({work.slots, weights, moved, output});
  if (most == work.slots) return Bound::Compute;
  if (most == weights) return Bound::Weights;
  return most == output ? Bound::Output : Bound::Memory;
}

const char* format_name(unsigned format) {
  switch (format) {
    case abi::FormatPacked:
      return "packed";
    case abi::FormatFixed:
      return "fixed";
    case abi::FormatHuffman:
      return "huffman";
    case abi::FormatVector:
      return "vector";
    default:
      return "raw";
  }
}

LayerReport report_of(const model::Network& network, std::size_t index, const LayerWork& work,
                      const MemoryParameters& memory, unsigned writers) {
  const model::Layer& layer = network.layers[index];
  const model::MacCount macs = model::count_macs(network, layer);
  LayerReport report;
  report.name = layer.name;
  report.op = layer.op;
  report.shape = shape_of(network.features[static_cast<std::size_t>(layer.inputs[0])]) + " -> " +
                 shape_of(network.features[static_cast<std::size_t>(layer.output)]);
  report.macs = macs.all;
  report.nonzero_macs = macs.nonzero;
  report.density = macs.all == 0 ? 1.0 : static_cast<double>(macs.nonzero) / static_cast<double>(macs.all);
  report.sparse = work.sparse;
  report.dram_read_bytes = work.read_beats * abi::BeatBytes;
  report.dram_write_bytes = work.write_beats * abi::BeatBytes;
  if (layer.kind == model::LayerKind::Convolution) {
    report.weight_bytes = work.weight_beats * abi::BeatBytes;
    report.code_table_bytes = work.code_beats * abi::BeatBytes;
    report.weight_alignment_bytes = work.alignment_bits / 8;
    report.weight_entropy_bytes = work.entropy_bits / 8;
    report.natural_entropy_bytes = natural_entropy_bits(layer.weights) / 8;
    report.weight_format = format_name(work.weight_format);
    report.nonzero_weights = std::count_if(layer.weights.begin(), layer.weights.end(), [](auto w) { return w != 0; });
    report.pattern = model::weight_pattern(layer.weights, model::weight_shape(network, layer));
  }
  report.bound = bound_of(work, memory, writers);
  report.group = work.group;
  report.scheduled_slots = work.slots;
  report.lower_bound_cycles = work.lower_bound;
  report.split = work.split;
  report.mark = static_cast<int>(index) + 1;
  return report;
}

/// What the layers of a group do together.
LayerWork group_work(const std::vector<LayerWork>& layers, int group) {
  LayerWork sum;
  for (const LayerWork& layer : layers) {
    if (layer.group != group) continue;
    sum.slots += layer.slots;
    sum.result_words += layer.result_words;
    sum.stream_beats += layer.stream_beats;
    sum.read_beats += layer.read_beats;
    sum.write_beats += layer.write_beats;
  }
  return sum;
}

PackedFeature packed(const model::Network& network, const Lowered& lowered, const Placement& placement, unsigned pixels,
                     int image_index, const std::vector<int>& order, std::size_t position) {
  const Image& image = lowered.images[static_cast<std::size_t>(image_index)];
  const ImagePlace& place = placement.images[static_cast<std::size_t>(image_index)];
  const model::Feature& feature = network.features[static_cast<std::size_t>(image.feature)];
  PackedFeature result;
  result.name = feature.name;
  const auto found = std::find(order.begin(), order.end(), image.feature);
  result.index = image.input ? static_cast<int>(found - order.begin()) : static_cast<int>(position);
  result.channels = image.channels;
  result.scale = feature.scale;
  result.zero = feature.zero;
  result.layout = image.layout;
  result.fill = image.fill;
  result.offset = place.offset;
  const std::uint64_t words = static_cast<std::uint64_t>(place.plane_pitch) * pixels;
  result.plane_bytes = place.linear ? words : static_cast<std::uint64_t>(place.plane_beats) * abi::BeatBytes;
  return result;
}

std::vector<Stage> stages_of(const model::Network& network, std::vector<int> firsts) {
  if (firsts.empty()) return {};
  std::vector<Stage> stages;
  firsts.insert(firsts.begin(), 0);
  firsts.push_back(static_cast<int>(network.layers.size()));
  for (std::size_t i = 0; i + 1 < firsts.size(); ++i) stages.push_back({firsts[i], firsts[i + 1] - firsts[i], 0, 0});
  return stages;
}

void check_stages(const model::Network& network, const std::vector<int>& firsts) {
  int before = 0;
  for (const int first : firsts) {
    if (first <= before || first >= static_cast<int>(network.layers.size()))
      throw Error(ErrorCode::Usage, "a stage without layers", "compiler options", std::to_string(first),
                  "name first layers in ascending order, from 1 on");
    before = first;
  }
}

void check_format(WeightFormat format, const abi::Configuration& configuration) {
  if (configuration.coded || format == WeightFormat::Auto || format == WeightFormat::Raw) return;
  throw Error(
      ErrorCode::Usage, "the array has no coded weights", "weight format",
      std::string(format == WeightFormat::Fixed ? "fixed" : "huffman") + " for " + abi::array_name(configuration),
      "use auto or raw, or an array that has them, such as 16x16");
}

/// Causes of the cycles between two marks.
Causes between(const Causes& first, const Causes& last) {
  return {last.computing - first.computing, last.weights - first.weights, last.output - first.output,
          last.data - first.data,           last.writing - first.writing, last.control - first.control};
}

/// The only places that run the timing model.
void predict_stage_layers(Compiled& compiled, std::size_t index) {
  Stage& stage = compiled.stages[index];
  const Prediction prediction = predict_stage(compiled.program, index, compiled.configuration, compiled.memory);
  const LayerCycles cycles = stage_cycles(compiled, index, prediction.marks, prediction.cycles);
  stage.cycles = prediction.cycles;
  stage.epilogue = cycles.epilogue;
  compiled.total_cycles += prediction.cycles;
  compiled.prologue_cycles += cycles.prologue;
  compiled.epilogue_cycles += cycles.epilogue;
  for (std::size_t i = 0; i < cycles.layers.size(); ++i) {
    const std::size_t layer = static_cast<std::size_t>(stage.first_layer) + i;
    const bool begins = index > 0 && i == 0;
    compiled.layers[layer].predicted_cycles = cycles.layers[i];
    compiled.layers[layer].causes =
        between(begins ? Causes{} : prediction.causes_at_marks[layer], prediction.causes_at_marks[layer + 1]);
  }
}

void predict_layers(Compiled& compiled) {
  for (std::size_t i = 0; i < compiled.stages.size(); ++i) predict_stage_layers(compiled, i);
  if (!compiled.stages.empty()) return;
  const Prediction prediction = predict(compiled.program, compiled.configuration, compiled.memory);
  const LayerCycles cycles = layer_cycles(compiled, prediction.marks, prediction.cycles);
  compiled.total_cycles = prediction.cycles;
  compiled.prologue_cycles = cycles.prologue;
  compiled.epilogue_cycles = cycles.epilogue;
  for (std::size_t i = 0; i < compiled.layers.size(); ++i) {
    compiled.layers[i].predicted_cycles = cycles.layers[i];
    compiled.layers[i].causes = between(prediction.causes_at_marks[i], prediction.causes_at_marks[i + 1]);
  }
}

/// Compiles in one way.
Compiled compile_once(const model::Network& network, const abi::Configuration& configuration, const Options& options) {
  Lowered lowered = lower(network, configuration, options);
  const Placement placement = place(network, lowered, configuration, options);
  Generated generated = generate(network, lowered, placement, configuration, options);
  Compiled compiled;
  compiled.name = network.name;
  compiled.configuration = configuration;
  compiled.memory = options.memory;
  compiled.program = std::move(generated.program);
  for (const int image : lowered.input_images) {
    compiled.inputs.push_back(packed(network, lowered, placement, configuration.pixels, image, network.inputs, 0));
  }
  for (std::size_t i = 0; i < lowered.output_images.size(); ++i) {
    compiled.outputs.push_back(
        packed(network, lowered, placement, configuration.pixels, lowered.output_images[i], network.outputs, i));
  }
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const unsigned writers = configuration.writers;
    LayerReport& report =
        compiled.layers.emplace_back(report_of(network, i, generated.layers[i], options.memory, writers));
    if (report.group > 0) report.bound = bound_of(group_work(generated.layers, report.group), options.memory, writers);
  }
  compiled.stages = stages_of(network, options.stages);
  if (options.timing) predict_layers(compiled);
  return compiled;
}

}  // namespace

const char* to_string(Bound bound) {
  switch (bound) {
    case Bound::Compute:
      return "compute";
    case Bound::Weights:
      return "weights";
    case Bound::Memory:
      return "memory";
    case Bound::Output:
      return "output";
  }
  return "compute";
}

Compiled compile(const model::Network& network, const abi::Configuration& configuration, const Options& options) {
  check_memory(options.memory);
  if (options.split && *options.split < 1) {
    throw Error(ErrorCode::Usage, "no channels in a word", "compiler options", std::to_string(*options.split),
                "use at least 1");
  }
  check_stages(network, options.stages);
  check_format(options.weight_format, configuration);
  model::validate(network);
  for (const model::Layer& layer : network.layers)
    if (layer.kind == model::LayerKind::Real)
      throw Error(ErrorCode::Unsupported, "the machine has no such operator",
                  "layer '" + layer.name + "' (" + layer.op + ")", layer.refusal,
                  "run the model with espalier run, which puts the layer on the CPU");
  return fastest(network, configuration, options,
                 [&](const Options& way) { return compile_once(network, configuration, way); });
}

LayerCycles layer_cycles(const Compiled& compiled, std::span<const std::uint32_t> marks, std::uint32_t cycles) {
  if (marks.size() <= compiled.layers.size()) {
    throw Error(ErrorCode::Input, "too few cycle marks", "network '" + compiled.name + "'",
                std::to_string(marks.size()), "give " + std::to_string(compiled.layers.size() + 1));
  }
  LayerCycles result;
  result.prologue = marks[0];
  for (std::size_t i = 0; i < compiled.layers.size(); ++i) result.layers.push_back(marks[i + 1] - marks[i]);
  result.epilogue = cycles - marks[compiled.layers.size()];
  return result;
}

LayerCycles stage_cycles(const Compiled& compiled, std::size_t stage, std::span<const std::uint32_t> marks,
                         std::uint32_t cycles) {
  if (compiled.stages.empty()) return layer_cycles(compiled, marks, cycles);
  const Stage& part = compiled.stages.at(stage);
  const auto first = static_cast<std::size_t>(part.first_layer);
  const auto count = static_cast<std::size_t>(part.layers);
  if (marks.size() <= first + count) {
    throw Error(ErrorCode::Input, "too few cycle marks", "network '" + compiled.name + "'",
                std::to_string(marks.size()), "give " + std::to_string(first + count + 1));
  }
  LayerCycles result;
  result.prologue = stage == 0 ? marks[0] : 0;
  std::uint32_t before = result.prologue;
  for (std::size_t i = first; i < first + count; ++i) {
    result.layers.push_back(marks[i + 1] - before);
    before = marks[i + 1];
  }
  result.epilogue = cycles - before;
  return result;
}

}  // namespace espalier::compile
