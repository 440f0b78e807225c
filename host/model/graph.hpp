// A network as its file describes it: values, operators with their ONNX names, attributes and constants.
//
//   model::Graph graph = model::import_model("digits.onnx").graph;
//   for (const model::Node& node : graph.nodes) std::cout << node.op << '\n';
//
// Nodes are in topological order; a value is a graph input, a constant, or the output of exactly one node.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model/array.hpp"

namespace espalier::model {

/// real = scale * (q - zero), q int8. Several scales: one per index of `axis` (weights only; zero is 0 then).
struct Quantisation {
  std::vector<float> scale;
  std::int32_t zero = 0;
  int axis = 0;
  bool operator==(const Quantisation&) const = default;
};

struct Value {
  std::string name;
  ElementType type = ElementType::Float;
  bool known = false;  // the shape is known (all sizes positive)
  Shape shape;
  std::optional<Array> constant;
  std::optional<Quantisation> quantisation;  // after strip_quantisation: the int8 numbers that stand for the reals
};

using Attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>, Array>;

struct Node {
  std::string name;
  std::string op;
  std::vector<int> inputs;  // indices into Graph::values; -1 = optional input left out
  std::vector<int> outputs;
  std::map<std::string, Attribute> attributes;

  bool has_input(std::size_t index) const { return index < inputs.size() && inputs[index] >= 0; }
  /// Attribute values; `otherwise` if absent. Throws Error(Model) if the attribute has another type.
  std::int64_t integer(const std::string& key, std::int64_t otherwise) const;
  float real(const std::string& key, float otherwise) const;
  std::string text(const std::string& key, const std::string& otherwise) const;
  std::vector<std::int64_t> integers(const std::string& key, const std::vector<std::int64_t>& otherwise) const;
  /// "node 'conv1' (Conv)", for messages.
  std::string where() const;
};

/// A graph input or output as the file declares it; rewrites may give `value` another shape of as many elements.
struct Port {
  int value = -1;
  std::string name;
  ElementType type = ElementType::Float;
  Shape shape;
  std::optional<int> softmax_axis;  // outputs: the host applies Softmax along this axis of `shape`
  std::optional<bool> quantised;    // after strip_quantisation: true = the caller sees the integers, of `type`
};

struct Graph {
  std::string name;
  int opset = 13;
  std::vector<Value> values;
  std::vector<Node> nodes;
  std::vector<Port> inputs;
  std::vector<Port> outputs;

  Value& value(int index) { return values.at(static_cast<std::size_t>(index)); }
  const Value& value(int index) const { return values.at(static_cast<std::size_t>(index)); }
  bool is_constant(int index) const { return index >= 0 && value(index).constant.has_value(); }

  /// Adds a value and returns its index.
  int add_value(std::string name, ElementType type = ElementType::Float, std::optional<Shape> shape = {});
  int add_constant(std::string name, Array array);
  /// The node that writes a value, or -1.
  int producer(int value) const;
  /// How many node inputs and graph outputs read a value.
  int use_count(int value) const;
  /// Every reader of `from` reads `to` instead.
  void replace_uses(int from, int to);
  /// Brings nodes into topological order. Throws Error(Model) naming a node that is part of a cycle.
  void sort();
  /// Removes nodes whose outputs nobody reads.
  void remove_dead_nodes();
};

}  // namespace espalier::model
