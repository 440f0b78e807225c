#include "model/rewrites.hpp"

#include <algorithm>

namespace espalier::model {

bool is_quantised(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(), [](const Node& node) {
    return node.op == "QuantizeLinear" || node.op == "DequantizeLinear" || node.op == "QGemm" ||
           node.op.starts_with("QLinear");
  });
}

void remove_identities(Graph& graph) {
  for (Node& node : graph.nodes) {
    const bool same = !node.inputs.empty() && graph.value(node.inputs[0]).type == graph.value(node.outputs[0]).type;
    if (node.op != "Identity" && node.op != "Dropout" && !(node.op == "Cast" && same)) continue;
    graph.replace_uses(node.outputs[0], node.inputs[0]);
    node.op.clear();
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.op.empty(); });
}

void detach_epilogues(Graph& graph) {
  for (Port& port : graph.outputs) {
    // Reshapes behind the Softmax do not change the order of the values, only the axis is counted differently.
    int value = port.value, reshapes = 0;
    const auto node_of = [&](int index) -> const Node* {
      const int producer = graph.producer(index);
      return producer < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(producer)];
    };
    const Node* node = node_of(value);
    for (; node != nullptr && (node->op == "Reshape" || node->op == "Flatten"); ++reshapes)
      node = node_of(value = node->inputs[0]);
    if (node == nullptr || node->op != "Softmax") continue;
    const Shape& shape = graph.value(value).shape;
    const auto axis = static_cast<std::size_t>(node->integer("axis", 1));
    if (reshapes > 0) {
      // Only a Softmax over all elements has the same meaning in another shape.
      const auto elements = count_elements(shape, node->where());
      const auto same = std::find(port.shape.begin(), port.shape.end(), elements);
      if (shape[axis] != elements || same == port.shape.end()) continue;
      port.softmax_axis = static_cast<int>(same - port.shape.begin());
    } else {
      port.softmax_axis = static_cast<int>(axis);
    }
    port.value = node->inputs[0];
  }
  graph.remove_dead_nodes();
}

}  // namespace espalier::model
