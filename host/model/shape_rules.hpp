// Shapes of the results of the operators of the table, from the shapes of activations and the values of constants.
//
// A rule is one function; its operators are entries of one of the lists in shape_rules.cpp, window_shapes.cpp or
// moved_shapes.cpp.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/graph.hpp"

namespace espalier::model {

/// What a rule may ask about a node. Everything throws Error(Model) where the node contradicts itself, and
/// Error(Unsupported) where a value is needed that is not constant.
class ShapeQuestions {
 public:
  ShapeQuestions(const Graph& graph, const Node& node) : graph_(graph), node_(node) {}

  const Graph& graph() const { return graph_; }
  const Node& node() const { return node_; }
  bool has(std::size_t input) const { return node_.has_input(input); }
  const Shape& shape(std::size_t input) const;
  std::size_t rank(std::size_t input) const { return shape(input).size(); }
  /// An axis from -rank to rank - 1 as 0 to rank - 1.
  std::size_t axis(std::int64_t value, std::size_t rank) const;
  std::size_t axis(const char* key, std::int64_t otherwise, std::size_t rank) const {
    return axis(node_.integer(key, otherwise), rank);
  }
  bool has_list(std::size_t input, const char* key) const { return has(input) || node_.attributes.contains(key); }
  /// The integers of a constant input, or else of an attribute; `key` empty: there is no such attribute.
  std::vector<std::int64_t> list(std::size_t input, const std::string& key) const;
  std::vector<double> reals(std::size_t input, const std::string& key) const;
  /// A list with one entry per axis; absent: all `otherwise`.
  Shape per_axis(const char* key, std::size_t count, std::int64_t otherwise) const;
  Shape broadcast(const Shape& a, const Shape& b) const;
  void require(bool holds, const char* problem, const Shape& value = {}) const;
  [[noreturn]] void refuse(const char* problem) const;

 private:
  const Array& constant(std::size_t input) const;

  const Graph& graph_;
  const Node& node_;
};

using ShapeRule = std::vector<Shape> (*)(const ShapeQuestions&);
using ShapeRules = std::vector<std::pair<std::string, ShapeRule>>;

ShapeRules window_shape_rules();
ShapeRules moved_shape_rules();

/// The rule of an operator, or nullptr: it is not executed in networks.
ShapeRule find_shape_rule(std::string_view op);

}  // namespace espalier::model
