// Operators whose inputs are constants become constants.
#include <algorithm>
#include <cmath>
#include <limits>

#include "model/array_order.hpp"
#include "model/rewrites.hpp"

namespace espalier::model {
namespace {

// Elements that a network's folded constants may have together; what exceeds them stays an operator.
constexpr std::int64_t MostFolded = std::int64_t{1} << 26;

/// Elementwise with broadcasting, in float32 as an execution would compute it.
template <typename Function>
Array combine(const Array& a, const Array& b, const Shape& shape, Function&& function) {
  const std::vector<float> left = a.as_floats(), right = b.as_floats();
  const auto count = static_cast<std::size_t>(count_elements(shape, "folded constant"));
  const auto place = [&](const Shape& own, std::size_t index) {
    std::size_t result = 0, step = 1;
    for (std::size_t i = 0; i < own.size(); ++i) {
      const auto full = static_cast<std::size_t>(shape[shape.size() - 1 - i]);
      const auto size = static_cast<std::size_t>(own[own.size() - 1 - i]);
      if (size != 1) result += index % full * step;
      step *= size;
      index /= full;
    }
    return result;
  };
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = function(left[place(a.shape, i)], right[place(b.shape, i)]);
  return {shape, std::move(values)};
}

/// Joins along `axis`.
Array join(const std::vector<const Array*>& parts, std::size_t axis, const Shape& shape) {
  std::size_t outer = 1;
  for (std::size_t i = 0; i < axis; ++i) outer *= static_cast<std::size_t>(shape[i]);
  std::vector<float> values;
  std::vector<std::vector<float>> sources;
  for (const Array* part : parts) sources.push_back(part->as_floats());
  for (std::size_t o = 0; o < outer; ++o)
    for (const auto& source : sources) {
      const auto run = static_cast<std::ptrdiff_t>(source.size() / outer);
      const auto first = source.begin() + static_cast<std::ptrdiff_t>(o) * run;
      values.insert(values.end(), first, first + run);
    }
  return {shape, std::move(values)};
}

template <typename Function>
Array each(const Array& array, Function&& function) {
  std::vector<float> values = array.as_floats();
  for (float& value : values) value = function(value);
  return {array.shape, std::move(values)};
}

std::optional<Array> fold(const Graph& graph, const Node& node) {
  const Value& out = graph.value(node.outputs[0]);
  std::vector<const Array*> in;
  for (const int input : node.inputs) {
    if (!graph.is_constant(input)) return {};
    in.push_back(&*graph.value(input).constant);
  }
  if (in.empty() || !out.known) return {};
  const std::string& op = node.op;
  if (op == "Reshape" || op == "Flatten") return Array{out.shape, in[0]->values};
  if (op == "Identity" || op == "Dropout") return *in[0];
  for (const Array* array : in)
    if (array->type() != ElementType::Float) return {};
  if (op == "Add") return combine(*in[0], *in[1], out.shape, [](float a, float b) { return a + b; });
  if (op == "Sub") return combine(*in[0], *in[1], out.shape, [](float a, float b) { return a - b; });
  if (op == "Mul") return combine(*in[0], *in[1], out.shape, [](float a, float b) { return a * b; });
  if (op == "Div") return combine(*in[0], *in[1], out.shape, [](float a, float b) { return a / b; });
  if (op == "Concat") return join(in, static_cast<std::size_t>(node.integer("axis", 0)), out.shape);
  if (op == "Relu") return each(*in[0], [](float value) { return std::max(value, 0.0F); });
  if (op == "Clip") {
    const float low = node.real("min", std::numeric_limits<float>::lowest());
    const float high = node.real("max", std::numeric_limits<float>::max());
    return each(*in[0], [=](float value) { return std::min(std::max(value, low), high); });
  }
  if (op == "Sigmoid") return each(*in[0], [](float value) { return 1.0F / (1.0F + std::exp(-value)); });
  return {};
}

}  // namespace

void fold_constants(Graph& graph) {
  std::int64_t folded = 0;
  for (Node& node : graph.nodes) {
    std::int64_t elements = 0;
    if (graph.value(node.outputs[0]).known) elements = count_elements(graph.value(node.outputs[0]).shape, node.where());
    if (elements < 1 || folded + elements > MostFolded) continue;
    std::optional<Array> array = fold(graph, node);
    if (!array) continue;
    folded += elements;
    Value& value = graph.value(node.outputs[0]);
    value.type = array->type();
    value.constant = std::move(array);
    node.op.clear();
  }
  std::erase_if(graph.nodes, [](const Node& node) { return node.op.empty(); });
}

}  // namespace espalier::model
