#include "digits_export.hpp"

#include "graph_builder.hpp"

namespace espalier::trainer {

Graph digits_graph(DigitNetwork& network) {
  const torch::NoGradGuard no_gradient;
  Graph graph{"digits", {"image", {1, 1, 28, 28}}, {{"logits", {1, 10}}}, {}, {}};
  GraphBuilder builder(graph);
  std::string map = builder.relu("stem_relu", builder.convolution("stem", graph.input.name, network->stem));
  for (std::size_t i = 0; i < network->blocks.size(); ++i)
    map = builder.residual_block("block" + std::to_string(i), map, network->blocks[i]);
  map = builder.node("GlobalAveragePool", "average", {map}, "average");
  map = builder.flatten("flatten", map);
  builder.linear("classifier", map, network->classifier, graph.outputs.front().name);
  return graph;
}

Graph exits_graph(ExitNetwork& network) {
  const torch::NoGradGuard no_gradient;
  Graph graph{"digits_exits", {"image", {1, 1, 28, 28}}, {}, {}, {}};
  GraphBuilder builder(graph);
  std::string map = builder.relu("stem_relu", builder.convolution("stem", graph.input.name, network->stem));
  const std::size_t missing = Exits - network->classifiers.size();
  for (std::size_t i = 0; i < Exits; ++i) {
    map = builder.residual_block("block" + std::to_string(i), map, network->blocks[i]);
    if (i < missing) continue;
    const std::string name = exit_name(i);
    const std::string values =
        i == 0 ? builder.flatten(name + "_flatten", map) : builder.average(name + "_average", map);
    graph.outputs.push_back({name, {1, 10}});
    builder.linear(name + "_classifier", values, network->classifiers[i - missing], name);
  }
  return graph;
}

}  // namespace espalier::trainer
