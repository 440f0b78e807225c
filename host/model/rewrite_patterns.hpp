// Small questions that rewrites ask when they look for a pattern of operators.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include "model/graph.hpp"

namespace espalier::model {

/// The node that writes a value, or nullptr.
inline Node* producer_of(Graph& graph, int value) {
  const int index = value < 0 ? -1 : graph.producer(value);
  return index < 0 ? nullptr : &graph.nodes[static_cast<std::size_t>(index)];
}

/// The only node that reads a value, if nothing else does; else nullptr.
inline Node* only_reader_of(Graph& graph, int value) {
  if (graph.use_count(value) != 1) return nullptr;
  for (Node& node : graph.nodes)
    for (const int input : node.inputs)
      if (input == value) return &node;
  return nullptr;
}

/// The number that all elements of a float constant are, if they are one number.
inline std::optional<float> uniform_constant(const Graph& graph, int value) {
  if (!graph.is_constant(value) || graph.value(value).quantisation) return {};
  const Array& array = *graph.value(value).constant;
  const auto* values = std::get_if<std::vector<float>>(&array.values);
  if (values == nullptr || values->empty()) return {};
  for (const float element : *values)
    if (!std::equal_to<>{}(element, values->front())) return {};
  return values->front();
}

/// The index of the operand of a two-operand node that is not `value`, if exactly one is.
inline std::optional<std::size_t> other_operand(const Node& node, int value) {
  if (node.inputs.size() != 2 || (node.inputs[0] == value) == (node.inputs[1] == value)) return {};
  return node.inputs[0] == value ? 1 : 0;
}

/// Equal but for the rounding of decimal constants in files.
inline bool is_near(float a, float b) { return std::abs(a - b) <= 1e-6F * std::max(1.0F, std::abs(b)); }

}  // namespace espalier::model
