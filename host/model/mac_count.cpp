// How many multiply-accumulates a layer needs: products in integers, and those that stay in float32.
#include <algorithm>
#include <functional>
#include <numeric>
#include <string_view>

#include "model/graph.hpp"
#include "model/network.hpp"
#include "model/rewrites.hpp"
#include "model/single_operator.hpp"

namespace espalier::model {
namespace {

std::int64_t product(Shape::const_iterator first, Shape::const_iterator last) {
  return std::accumulate(first, last, std::int64_t{1}, std::multiplies<>());
}
std::int64_t elements(const Shape& shape) { return product(shape.begin(), shape.end()); }

const Shape& shape_of(const Value& value) { return value.constant ? value.constant->shape : value.shape; }

/// Of the operator of a Real layer, with zero weights. A ConvTranspose multiplies every input by the weights of its
/// channel; all others sum up a number of products for every output.
std::int64_t all_macs(const Graph& graph, const Node& node) {
  const std::string_view op = defined_name(node.op);
  const bool known = op == "Conv" || op == "ConvTranspose" || op == "Gemm" || op == "MatMul";
  if (!known || !node.has_input(0) || !node.has_input(1)) return 0;
  const Shape &first = shape_of(graph.value(node.inputs[0])), &second = shape_of(graph.value(node.inputs[1]));
  if (first.empty() || second.empty()) return 0;
  const std::int64_t outputs = elements(graph.value(node.outputs[0]).shape);
  if (op == "Conv") return outputs * product(second.begin() + 1, second.end());
  if (op == "ConvTranspose") return elements(first) * product(second.begin() + 1, second.end());
  return outputs * (op == "Gemm" && node.integer("transA", 0) != 0 ? first.front() : first.back());
}

/// All weights are part of equally many products.
MacCount real_macs(const Graph& graph) {
  const Node& node = graph.nodes.at(0);
  const std::int64_t all = all_macs(graph, node);
  if (all == 0) return {};
  for (const int input : {node.inputs[1], node.inputs[0]}) {
    if (!graph.is_constant(input)) continue;
    const std::vector<float> weights = real_constant(graph.value(input)).as_floats();
    const auto zero = std::count(weights.begin(), weights.end(), 0.0F);
    const auto count = static_cast<std::int64_t>(weights.size());
    return {all, all / count * (count - zero)};
  }
  return {all, all};
}

}  // namespace

MacCount count_macs(const Network& network, const Layer& layer) {
  if (layer.kind == LayerKind::Real) return real_macs(*layer.real);
  if (layer.kind != LayerKind::Convolution) return {};
  const Feature& out = network.features[static_cast<std::size_t>(layer.output)];
  const std::int64_t positions = std::int64_t{out.height} * out.width;
  const auto zero = std::count(layer.weights.begin(), layer.weights.end(), std::int8_t{0});
  const auto count = static_cast<std::int64_t>(layer.weights.size());
  return {positions * count, positions * (count - zero)};
}

}  // namespace espalier::model
