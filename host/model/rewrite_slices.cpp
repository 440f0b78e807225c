// Split becomes Slices.
#include <algorithm>

#include "model/rewrites.hpp"
#include "model/shape_rules.hpp"

namespace espalier::model {

void split_slices(Graph& graph) {
  std::vector<Node> nodes;
  for (Node& node : graph.nodes) {
    if (node.op != "Split") {
      nodes.push_back(std::move(node));
      continue;
    }
    const auto axis = static_cast<std::int64_t>(
        ShapeQuestions(graph, node).axis("axis", 0, graph.value(node.inputs[0]).shape.size()));
    // Without a name the size of a result is not known here.
    if (std::find(node.outputs.begin(), node.outputs.end(), -1) != node.outputs.end()) {
      nodes.push_back(std::move(node));
      continue;
    }
    std::int64_t start = 0;
    for (const int output : node.outputs) {
      const std::int64_t end = start + graph.value(output).shape[static_cast<std::size_t>(axis)];
      Node slice{graph.value(output).name, "Slice", {node.inputs[0]}, {output}, {}};
      const std::vector<std::pair<const char*, std::int64_t>> bounds = {
          {"starts", start}, {"ends", end}, {"axes", axis}};
      for (const auto& [key, value] : bounds) {
        const std::vector<std::int64_t> list{value};
        if (graph.opset < 10)  // attributes then, inputs since
          slice.attributes[key] = list;
        else
          slice.inputs.push_back(graph.add_constant(slice.name + "." + key, {{1}, list}));
      }
      start = end;
      nodes.push_back(std::move(slice));
    }
  }
  graph.nodes = std::move(nodes);
}

}  // namespace espalier::model
