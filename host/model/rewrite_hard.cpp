// HardSigmoid and HardSwish from the operators that exporters without them write:
//   HardSigmoid(x) = max(0, min(1, alpha x + beta)), alpha = 1/6, beta = 1/2
//   HardSwish(x) = x HardSigmoid(x)                  (Howard et al., "Searching for MobileNetV3", 2019)
#include "model/rewrite_patterns.hpp"
#include "model/rewrites.hpp"

namespace espalier::model {
namespace {

constexpr float Sixth = 1.0F / 6.0F;

bool clips(const Node& node, float low, float high) {
  return node.op == "Clip" && is_near(node.real("min", 1), low) && is_near(node.real("max", 0), high);
}

/// x where `value` is x + shift.
int before_shift(Graph& graph, int value, float shift) {
  const Node* node = producer_of(graph, value);
  if (node == nullptr || node->op != "Add" || graph.use_count(value) != 1) return -1;
  for (const std::size_t constant : {std::size_t{0}, std::size_t{1}}) {
    const auto number = uniform_constant(graph, node->inputs[constant]);
    const int source = node->inputs[1 - constant];
    if (number && is_near(*number, shift) && graph.value(source).shape == graph.value(value).shape) return source;
  }
  return -1;
}

/// x where the node is x / 6 or x * (1/6).
int sixth_source(const Graph& graph, const Node& node) {
  if (node.op != "Mul" && node.op != "Div") return -1;
  for (const std::size_t constant : {std::size_t{1}, std::size_t{0}}) {
    const auto number = uniform_constant(graph, node.inputs[constant]);
    const bool matches = number && (node.op == "Mul" ? is_near(*number, Sixth) : constant == 1 && is_near(*number, 6));
    const int source = matches ? node.inputs[1 - constant] : -1;
    if (source >= 0 && graph.value(source).shape == graph.value(node.outputs[0]).shape) return source;
  }
  return -1;
}

/// x where `value` is clip(x + 3, 0, 6).
int before_clipped_shift(Graph& graph, int value) {
  const Node* clip = producer_of(graph, value);
  if (clip == nullptr || !clips(*clip, 0, 6) || graph.use_count(value) != 1) return -1;
  return before_shift(graph, clip->inputs[0], 3);
}

void replace(Node& node, const char* op, int source) {
  node.op = op;
  node.inputs = {source};
  node.attributes.clear();
}

/// x where the node is clip(x + 3, 0, 6) / 6 or clip(x / 6 + 1/2, 0, 1).
int hard_sigmoid_source(Graph& graph, const Node& node) {
  if (clips(node, 0, 1)) {
    const int scaled = before_shift(graph, node.inputs[0], 0.5F);
    const Node* factor = scaled < 0 || graph.use_count(scaled) != 1 ? nullptr : producer_of(graph, scaled);
    return factor == nullptr ? -1 : sixth_source(graph, *factor);
  }
  return before_clipped_shift(graph, sixth_source(graph, node));
}

/// x where the node is x HardSigmoid(x), or its part x clip(x + 3, 0, 6).
int gated_source(Graph& graph, const Node& node, bool clipped) {
  if (node.op != "Mul") return -1;
  for (const std::size_t gate : {std::size_t{0}, std::size_t{1}}) {
    const int source = node.inputs[1 - gate];
    if (clipped && before_clipped_shift(graph, node.inputs[gate]) == source) return source;
    const Node* sigmoid = clipped ? nullptr : producer_of(graph, node.inputs[gate]);
    if (sigmoid != nullptr && sigmoid->op == "HardSigmoid" && sigmoid->inputs[0] == source &&
        is_near(sigmoid->real("alpha", 0.2F), Sixth) && is_near(sigmoid->real("beta", 0.5F), 0.5F))
      return source;
  }
  return -1;
}

/// x where the node is (x clip(x + 3, 0, 6)) / 6.
int divided_source(Graph& graph, const Node& node) {
  const int product = sixth_source(graph, node);
  const Node* gated = product < 0 || graph.use_count(product) != 1 ? nullptr : producer_of(graph, product);
  return gated == nullptr ? -1 : gated_source(graph, *gated, true);
}

}  // namespace

void find_hard_sigmoid(Graph& graph) {
  for (Node& node : graph.nodes) {
    const int source = hard_sigmoid_source(graph, node);
    if (source < 0) continue;
    replace(node, "HardSigmoid", source);
    node.attributes = {{"alpha", Sixth}, {"beta", 0.5F}};
  }
  graph.remove_dead_nodes();
}

void find_hard_swish(Graph& graph) {
  for (Node& node : graph.nodes) {
    int source = gated_source(graph, node, false);
    if (source < 0) source = divided_source(graph, node);
    if (source >= 0) replace(node, "HardSwish", source);
  }
  graph.remove_dead_nodes();
}

}  // namespace espalier::model
