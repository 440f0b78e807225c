// Merging of small operators into their neighbours.
#include <algorithm>
#include <cmath>
#include <limits>

#include "model/rewrites.hpp"
#include "model/window.hpp"

namespace espalier::model {
namespace {

/// The node before `value` if nothing else reads the value and it has no quantisation of its own but `allowed`.
Node* private_producer(Graph& graph, int value, const std::optional<Quantisation>& allowed) {
  const int producer = graph.producer(value);
  if (producer < 0 || graph.use_count(value) != 1) return nullptr;
  const auto& quantisation = graph.value(value).quantisation;
  if (quantisation && !(quantisation == allowed)) return nullptr;
  return &graph.nodes[static_cast<std::size_t>(producer)];
}

bool is_clamped(const Node& node) {
  return node.attributes.contains("clamp_low") || node.attributes.contains("clamp_high");
}

std::vector<float> bias_of(const Graph& graph, const Node& node, std::size_t channels) {
  if (!node.has_input(2)) return std::vector<float>(channels, 0.0F);
  return real_constant(graph.value(node.inputs[2])).as_floats();
}

void set_input(Graph& graph, Node& node, std::size_t input, Array array) {
  const std::string name = node.name + (input == 1 ? ".weights" : ".bias");
  const int index = graph.add_constant(name, std::move(array));
  node.inputs.resize(std::max(node.inputs.size(), input + 1), -1);
  node.inputs[input] = index;
}

/// Quantised weights only allow a shift: their scales are those of the file.
bool merge_affine(Graph& graph, Node& before, const Node& affine) {
  const auto factor = graph.value(affine.inputs[1]).constant->as_floats();
  const auto shift = graph.value(affine.inputs[2]).constant->as_floats();
  const std::size_t channels = factor.size();
  const Value weights = graph.value(before.inputs[1]);
  const bool only_shift = std::all_of(factor.begin(), factor.end(), [](float f) { return std::abs(f - 1) <= 0; });
  if (weights.quantisation && !only_shift) return false;
  std::vector<float> bias = bias_of(graph, before, channels);
  for (std::size_t c = 0; c < channels; ++c)
    bias[c] = static_cast<float>(static_cast<double>(bias[c]) * factor[c] + shift[c]);
  set_input(graph, before, 2, {{static_cast<std::int64_t>(channels)}, std::move(bias)});
  if (only_shift) return true;
  Array scaled{weights.shape, weights.constant->as_floats()};
  auto& values = std::get<std::vector<float>>(scaled.values);
  const std::size_t row = values.size() / channels;
  for (std::size_t i = 0; i < values.size(); ++i) values[i] *= factor[i / row];
  set_input(graph, before, 1, std::move(scaled));
  return true;
}

bool has_clamp(const std::string& op) {
  return op == "Conv" || op == "Add" || op == "MaxPool" || op == "AveragePool" || op == "GlobalAveragePool" ||
         op == "GlobalMaxPool" || op == "Clip" || op == "Requantise";
}

/// clip(clip(x, a, b), c, d) = clip(x, clip(a, c, d), clip(b, c, d)).
void merge_clamp(Node& node, float low, float high) {
  const char* low_key = node.op == "Clip" ? "min" : "clamp_low";
  const char* high_key = node.op == "Clip" ? "max" : "clamp_high";
  const float old_low = node.real(low_key, std::numeric_limits<float>::lowest());
  const float old_high = node.real(high_key, std::numeric_limits<float>::max());
  node.attributes[low_key] = std::min(std::max(old_low, low), high);
  node.attributes[high_key] = std::min(std::max(old_high, low), high);
}

/// Clamps every input of a concatenation instead of its result.
void push_clamp(Graph& graph, int concat, const Node& clip) {
  const auto inputs = graph.nodes[static_cast<std::size_t>(concat)].inputs;
  std::vector<Node> clips;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Shape shape = graph.value(inputs[i]).shape;
    const int clamped = graph.add_value(graph.value(inputs[i]).name + ".clamped", ElementType::Float, shape);
    graph.value(clamped).quantisation = graph.value(clip.outputs[0]).quantisation;
    clips.push_back({clip.name + "." + std::to_string(i), "Clip", {inputs[i]}, {clamped}, clip.attributes});
    graph.nodes[static_cast<std::size_t>(concat)].inputs[i] = clamped;
  }
  graph.nodes.insert(graph.nodes.begin() + concat, clips.begin(), clips.end());
}

/// Whether the padding can be added to the window of a reader.
bool takes_padding(const Node& node, int padded) {
  if (node.inputs[0] != padded) return false;
  if (node.op == "Conv") return true;
  if (node.op != "AveragePool") return false;
  const auto pads = node.integers("pads", {0, 0, 0, 0});
  const bool own = std::any_of(pads.begin(), pads.end(), [](std::int64_t p) { return p != 0; });
  return !own || node.integer("count_include_pad", 0) != 0;
}

void add_padding(const Graph& graph, Node& node, const Window& pad) {
  const Shape& map = graph.value(node.inputs[0]).shape;
  Window window = read_window(node, {map[2], map[3]}, {1, 1});
  for (std::size_t axis = 0; axis < 2; ++axis) {
    window.before[axis] += pad.before[axis];
    window.after[axis] += pad.after[axis];
  }
  write_window(node, window);
  if (node.op == "AveragePool") node.attributes["count_include_pad"] = std::int64_t{1};
}

Window padding_of(const Node& pad) {
  const auto pads = pad.integers("pads", {});
  Window result;
  result.before = {pads.at(2), pads.at(3)};
  result.after = {pads.at(6), pads.at(7)};
  return result;
}

void pad_by_convolution(Graph& graph, Node& node) {
  const Window pad = padding_of(node);
  const std::int64_t channels = graph.value(node.inputs[0]).shape[1];
  node.op = "Conv";
  node.attributes = {{"group", channels}};
  write_window(node, pad);
  set_input(graph, node, 1, {{channels, 1, 1, 1}, std::vector<float>(static_cast<std::size_t>(channels), 1.0F)});
}

}  // namespace

void fold_affine(Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node affine = graph.nodes[i];
    if (affine.op != "Conv" || affine.integer("affine", 0) == 0) continue;
    graph.nodes[i].attributes.erase("affine");
    Node* before = private_producer(graph, affine.inputs[0], {});
    if (before == nullptr || before->op != "Conv" || is_clamped(*before)) continue;
    if (!merge_affine(graph, *before, affine)) continue;
    before->outputs = affine.outputs;
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
    --i;
  }
}

void fold_clamps(Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node clip = graph.nodes[i];
    if (clip.op != "Clip") continue;
    const auto& quantisation = graph.value(clip.outputs[0]).quantisation;
    Node* before = private_producer(graph, clip.inputs[0], quantisation);
    if (before == nullptr) continue;
    if (before->op == "Concat" && !graph.value(clip.inputs[0]).quantisation) {
      const int concat = graph.producer(clip.inputs[0]);
      before->outputs = clip.outputs;
      graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
      push_clamp(graph, concat, clip);
      i = static_cast<std::size_t>(concat) - 1;
    } else if (has_clamp(before->op)) {
      merge_clamp(*before, clip.real("min", 0), clip.real("max", 0));
      before->outputs = clip.outputs;
      graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
      --i;
    }
  }
}

void fold_pads(Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].op != "Pad") continue;
    const Node node = graph.nodes[i];
    const int source = node.inputs[0], padded = node.outputs[0];
    const Window pad = padding_of(node);
    const bool same =
        !graph.value(padded).quantisation || graph.value(padded).quantisation == graph.value(source).quantisation;
    int takers = 0;
    for (const Node& reader : graph.nodes) takers += !reader.inputs.empty() && takes_padding(reader, padded) ? 1 : 0;
    if (!same || takers != graph.use_count(padded)) continue;
    for (Node& reader : graph.nodes) {
      if (reader.inputs.empty() || reader.inputs[0] != padded) continue;
      add_padding(graph, reader, pad);
      reader.inputs[0] = source;
    }
    graph.nodes.erase(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i));
    --i;
  }
}

void convolve_pads(Graph& graph) {
  for (Node& node : graph.nodes)
    if (node.op == "Pad") pad_by_convolution(graph, node);
}

}  // namespace espalier::model
