// Squeeze-and-excite blocks (Hu et al., "Squeeze-and-Excitation Networks", 2018): x times a gate per channel that two
// products compute from the mean of x. Exporters flatten the mean and write products of matrices; here the gate stays a
// 1 x 1 map from the mean to the factor, so that it is convolutions like the rest of the network.
#include <algorithm>

#include "model/array_order.hpp"
#include "model/rewrite_patterns.hpp"
#include "model/rewrites.hpp"
#include "model/window.hpp"

namespace espalier::model {
namespace {

constexpr int MostNodes = 16;  // of a gate, from the mean to the factor

class Gate {
 public:
  explicit Gate(Graph& graph) : graph_(graph) {}

  /// Whether `factor`, one number per channel of `map`, is computed from the mean of a map, and not by maps already.
  bool find(int map, int factor) {
    const Shape& full = graph_.value(map).shape;
    if (full.size() != 4 || full[0] != 1 || full[2] * full[3] < 2) return false;
    if (graph_.value(factor).shape != Shape{1, full[1], 1, 1} || graph_.is_constant(factor)) return false;
    bool flat = false;
    for (int value = factor; chain_.size() < MostNodes;) {
      Node* node = producer_of(graph_, value);
      if (node == nullptr || node->outputs.size() != 1 || graph_.use_count(value) != 1) return false;
      if (graph_.value(value).quantisation) return false;
      chain_.push_back(*node);
      if (is_mean(*node)) {
        std::reverse(chain_.begin(), chain_.end());
        return flat || node->op == "ReduceMean";
      }
      const auto data = data_input(*node);
      if (!data) return false;
      flat |= node->op == "Reshape" || node->op == "Flatten" || node->op == "Gemm" || node->op == "MatMul";
      value = node->inputs[*data];
    }
    return false;
  }

  /// The nodes of the gate on maps; the last one writes `factor`.
  std::vector<Node> nodes(int factor) {
    std::vector<Node> result;
    int value = chain_.front().inputs[0];
    for (const Node& node : chain_) {
      if (node.op == "Reshape" || node.op == "Flatten") continue;
      Node next = on_maps(node, value);
      const Shape& before = graph_.value(node.outputs[0]).shape;
      const Shape shape{1, std::max<std::int64_t>(1, before.size() > 1 ? before[1] : before.back()), 1, 1};
      value = graph_.add_value(graph_.value(node.outputs[0]).name + ".map", ElementType::Float, shape);
      next.outputs = {value};
      result.push_back(std::move(next));
    }
    result.back().outputs = {factor};
    return result;
  }

 private:
  bool is_mean(const Node& node) const {
    return (node.op == "GlobalAveragePool" || node.op == "ReduceMean") &&
           graph_.value(node.inputs[0]).shape.size() == 4;
  }

  bool plain_constant(int value) const {
    return graph_.is_constant(value) && !graph_.value(value).quantisation &&
           graph_.value(value).type == ElementType::Float;
  }

  static bool is_elementwise(const std::string& op) {
    return op == "Relu" || op == "Clip" || op == "Sigmoid" || op == "HardSigmoid" || op == "HardSwish";
  }

  /// The index of the input that belongs to the gate, if the node is of a kind that gates are made of.
  std::optional<std::size_t> data_input(const Node& node) const {
    const Shape& out = graph_.value(node.outputs[0]).shape;
    const auto elements = count_elements(out, node.where());
    if (is_elementwise(node.op)) return 0;
    if (node.op == "Reshape" || node.op == "Flatten") {
      const bool row = out.size() >= 2 && out[0] == 1 && out[1] == elements;
      return row ? std::optional<std::size_t>(0) : std::nullopt;
    }
    const bool row = out.size() == 2 && out[0] == 1;
    if (node.op == "MatMul")
      return row && plain_constant(node.inputs[1]) ? std::optional<std::size_t>(0) : std::nullopt;
    if (node.op == "Gemm") {
      const bool plain = is_near(node.real("alpha", 1), 1) && is_near(node.real("beta", 1), 1);
      const bool bias =
          !node.has_input(2) || (plain_constant(node.inputs[2]) &&
                                 graph_.value(node.inputs[2]).constant->size() == static_cast<std::size_t>(elements));
      const bool fits = row && plain && bias && node.integer("transA", 0) == 0 && plain_constant(node.inputs[1]);
      return fits ? std::optional<std::size_t>(0) : std::nullopt;
    }
    if (node.op == "Conv") {
      const Window window = read_window(node, {1, 1}, {1, 1});
      const bool point = window.kernel == std::array<std::int64_t, 2>{1, 1} && out.size() == 4 &&
                         plain_constant(node.inputs[1]) && node.integer("group", 1) == 1;
      return point ? std::optional<std::size_t>(0) : std::nullopt;
    }
    if (node.op == "Add")
      for (const std::size_t constant : {std::size_t{0}, std::size_t{1}})
        if (plain_constant(node.inputs[constant]) && row &&
            graph_.value(node.inputs[constant]).constant->size() == static_cast<std::size_t>(elements))
          return 1 - constant;
    return {};
  }

  int reshaped(int constant, Shape shape) {
    Array array = *graph_.value(constant).constant;
    array.shape = std::move(shape);
    return graph_.add_constant(graph_.value(constant).name + ".map", std::move(array));
  }

  /// The weights of a product as those of a 1 x 1 convolution: output, input, 1, 1.
  int point_weights(int constant, bool rows_are_outputs) {
    Array array = *graph_.value(constant).constant;
    constexpr std::size_t flipped[] = {1, 0};
    if (!rows_are_outputs) array = permute(array, flipped);
    array.shape = {array.shape[0], array.shape[1], 1, 1};
    return graph_.add_constant(graph_.value(constant).name + ".map", std::move(array));
  }

  Node on_maps(const Node& node, int source) {
    Node result = node;
    if (node.op == "ReduceMean") {
      result.op = "GlobalAveragePool";
      result.attributes.clear();
    } else if (node.op == "Gemm" || node.op == "MatMul") {
      result.op = "Conv";
      result.attributes.clear();
      write_window(result, {});
      result.inputs = {source, point_weights(node.inputs[1], node.integer("transB", 0) != 0)};
      if (node.op == "Gemm" && node.has_input(2)) {
        const auto outputs = static_cast<std::int64_t>(graph_.value(node.inputs[2]).constant->size());
        result.inputs.push_back(reshaped(node.inputs[2], {outputs}));
      }
      return result;
    } else if (node.op == "Add") {
      const std::size_t constant = plain_constant(node.inputs[0]) ? 0 : 1;
      const auto channels = static_cast<std::int64_t>(graph_.value(node.inputs[constant]).constant->size());
      result.inputs = {source, reshaped(node.inputs[constant], {1, channels, 1, 1})};
      return result;
    }
    result.inputs[0] = source;
    return result;
  }

  Graph& graph_;
  std::vector<Node> chain_;
};

}  // namespace

void find_squeeze_excite(Graph& graph) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node product = graph.nodes[i];
    if (product.op != "Mul") continue;
    for (const std::size_t gate_input : {std::size_t{0}, std::size_t{1}}) {
      const int factor = product.inputs[gate_input];
      Gate gate(graph);
      if (!gate.find(product.inputs[1 - gate_input], factor)) continue;
      const int old = graph.producer(factor);
      std::vector<Node> nodes = gate.nodes(factor);
      graph.nodes[static_cast<std::size_t>(old)].outputs = {graph.add_value(graph.value(factor).name + ".flat")};
      graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i), nodes.begin(), nodes.end());
      i += nodes.size();
      break;
    }
  }
  graph.remove_dead_nodes();
  graph.sort();
}

}  // namespace espalier::model
