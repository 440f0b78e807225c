// Transposes vanish: the order of axes is a matter of how constants are stored.
#include <algorithm>
#include <numeric>

#include "model/array_order.hpp"
#include "model/rewrites.hpp"

namespace espalier::model {
namespace {

using Order = std::vector<std::size_t>;

class OrderRemover {
 public:
  explicit OrderRemover(Graph& graph) : graph_(graph) {}

  void run() {
    separate_requantisation();
    // Every step removes a Transpose or moves it behind a node, so this ends.
    for (bool changed = true; changed;) {
      changed = false;
      for (std::size_t i = 0; i < graph_.nodes.size() && !changed; ++i)
        if (graph_.nodes[i].op == "Transpose") changed = merge(i) || to_reshape(i) || move_behind(i) || into_weights(i);
    }
    graph_.remove_dead_nodes();
    graph_.sort();
  }

 private:
  Node& node(int index) { return graph_.nodes[static_cast<std::size_t>(index)]; }
  const Shape& shape(int value) const { return graph_.value(value).shape; }

  Order order_of(const Node& transpose) const {
    return read_order(transpose.integers("perm", {}), shape(transpose.inputs[0]).size(), transpose.where());
  }
  static void set_order(Node& transpose, const Order& order) {
    transpose.attributes["perm"] = std::vector<std::int64_t>(order.begin(), order.end());
  }

  /// A Transpose between two quantisations becomes a Transpose and a Requantise.
  void separate_requantisation() {
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].op != "Transpose") continue;
      const Node found = graph_.nodes[i];
      const auto given = graph_.value(found.inputs[0]).quantisation;
      if (given == graph_.value(found.outputs[0]).quantisation || !given) continue;
      const Shape result = shape(found.outputs[0]);
      const int between =
          graph_.add_value(graph_.value(found.outputs[0]).name + ".ordered", ElementType::Float, result);
      graph_.value(between).quantisation = given;
      graph_.nodes[i].outputs = {between};
      graph_.nodes.insert(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                          Node{found.name, "Requantise", {between}, found.outputs, {}});
    }
  }

  /// Two in a row are one, and one that changes nothing is none.
  bool merge(std::size_t at) {
    Node& second = graph_.nodes[at];
    Order order = order_of(second);
    Order same(order.size());
    std::iota(same.begin(), same.end(), std::size_t{0});
    if (order == same && !is_output(second.outputs[0])) {
      graph_.replace_uses(second.outputs[0], second.inputs[0]);
      graph_.nodes.erase(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(at));
      return true;
    }
    const int producer = graph_.producer(second.inputs[0]);
    if (producer < 0 || node(producer).op != "Transpose") return false;
    const Order first = order_of(node(producer));
    for (std::size_t& axis : order) axis = first[axis];
    second.inputs = node(producer).inputs;
    set_order(second, order);
    return true;
  }

  bool is_output(int value) const {
    return std::any_of(graph_.outputs.begin(), graph_.outputs.end(), [&](const Port& p) { return p.value == value; });
  }

  /// One that moves only axes of size 1 does not change the order of the values.
  bool to_reshape(std::size_t at) {
    Node& found = graph_.nodes[at];
    const Shape given = shape(found.inputs[0]);
    Order kept;
    for (const std::size_t axis : order_of(found))
      if (given[axis] != 1) kept.push_back(axis);
    if (!std::is_sorted(kept.begin(), kept.end())) return false;
    found.op = "Reshape";
    found.attributes = {{"shape", shape(found.outputs[0])}};
    return true;
  }

  /// Elementwise operators do the same in any order.
  bool move_behind(std::size_t at) {
    const Node found = graph_.nodes[at];
    const int reader = only_reader(found.outputs[0]);
    if (reader < 0) return false;
    const std::string& op = node(reader).op;
    if (op != "Relu" && op != "Clip" && op != "Requantise") return false;
    Node& elementwise = node(reader);
    const int result = elementwise.outputs[0], between = found.outputs[0];
    const Value& out = graph_.value(result);
    Value& moved = graph_.value(between);
    moved.shape = shape(found.inputs[0]);
    moved.quantisation = out.quantisation;
    elementwise.inputs[0] = found.inputs[0];
    elementwise.outputs[0] = between;
    Node transpose = found;
    transpose.inputs = {between};
    transpose.outputs = {result};
    graph_.nodes.erase(graph_.nodes.begin() + static_cast<std::ptrdiff_t>(at));
    graph_.nodes.insert(graph_.nodes.begin() + reader, std::move(transpose));
    return true;
  }

  int only_reader(int value) const {
    if (graph_.use_count(value) != 1) return -1;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      const auto& inputs = graph_.nodes[i].inputs;
      if (std::find(inputs.begin(), inputs.end(), value) != inputs.end()) return static_cast<int>(i);
    }
    return -1;
  }

  /// Flattened and multiplied by constant weights, the order is that of the weights' rows.
  bool into_weights(std::size_t at) {
    const Node found = graph_.nodes[at];
    int reader = only_reader(found.outputs[0]);
    int flat = found.outputs[0];
    while (reader >= 0 && (node(reader).op == "Reshape" || node(reader).op == "Flatten")) {
      if (graph_.value(flat).quantisation != graph_.value(node(reader).outputs[0]).quantisation) return false;
      flat = node(reader).outputs[0];
      reader = only_reader(flat);
    }
    if (reader < 0 || (node(reader).op != "Gemm" && node(reader).op != "MatMul") || node(reader).inputs[0] != flat)
      return false;
    Node& product = node(reader);
    const bool columns = product.integer("transB", 0) != 0;
    if (!graph_.is_constant(product.inputs[1]) || product.integer("transA", 0) != 0 || shape(flat)[0] != 1)
      return false;
    Value weights = graph_.value(product.inputs[1]);
    if (weights.quantisation && weights.quantisation->scale.size() > 1 &&
        weights.quantisation->axis == (columns ? 1 : 0))
      return false;
    weights.constant = reorder(*weights.constant, columns ? 1 : 0, places(shape(found.inputs[0]), order_of(found)));
    graph_.values.push_back(std::move(weights));
    product.inputs[1] = static_cast<int>(graph_.values.size()) - 1;
    // What lies between only has the values in the order before the Transpose.
    graph_.nodes[at].op = "Reshape";
    graph_.nodes[at].attributes = {{"shape", shape(found.outputs[0])}};
    return true;
  }

  /// Element k of the transposed tensor is element places[k] of the given one.
  static std::vector<std::int64_t> places(const Shape& given, const Order& order) {
    std::vector<std::int64_t> count(static_cast<std::size_t>(count_elements(given, "transposed tensor")));
    std::iota(count.begin(), count.end(), std::int64_t{0});
    return permute(Array{given, std::move(count)}, order).as_integers();
  }

  /// Row (axis 0) or column (axis 1) k of a matrix goes to places[k].
  static Array reorder(const Array& matrix, std::size_t axis, const std::vector<std::int64_t>& places) {
    const auto rows = static_cast<std::size_t>(matrix.shape[0]), columns = static_cast<std::size_t>(matrix.shape[1]);
    Array result{matrix.shape, {}};
    std::visit(
        [&](const auto& values) {
          std::decay_t<decltype(values)> moved(values.size());
          for (std::size_t y = 0; y < rows; ++y)
            for (std::size_t x = 0; x < columns; ++x) {
              const std::size_t row = axis == 0 ? static_cast<std::size_t>(places[y]) : y;
              const std::size_t column = axis == 1 ? static_cast<std::size_t>(places[x]) : x;
              moved[row * columns + column] = values[y * columns + x];
            }
          result.values = std::move(moved);
        },
        matrix.values);
    return result;
  }

  Graph& graph_;
};

}  // namespace

void remove_transposes(Graph& graph) { OrderRemover(graph).run(); }

}  // namespace espalier::model
