// Integer products with their scales beside them (ConvInteger, MatMulInteger, DynamicQuantizeLinear) become products of
// reals whose weights keep the integers of the file.
//
//   x -> DynamicQuantizeLinear -> ConvInteger(w) -> Cast -> Mul(scale of x times scale of w)  =  Conv(x, scale w)
//
// A range that is found anew for every input has no place in a static schedule: the activation is left open and takes
// its range from calibration. A constant scale (QuantizeLinear) is kept to the bit.
#include <algorithm>

#include "model/refusals.hpp"
#include "model/rewrite_patterns.hpp"
#include "model/rewrites.hpp"

namespace espalier::model {
namespace {

constexpr std::int64_t OnnxFloat = 1;

class IntegerProduct {
 public:
  IntegerProduct(Graph& graph, int node) : graph_(graph), node_(graph.nodes[static_cast<std::size_t>(node)]) {}

  /// The nodes that stand for the product; the last one has the result of the last factor.
  std::vector<Node> replace() {
    read_weights();
    find_source();
    follow_factors();
    std::vector<Node> result;
    int source = source_;
    if (input_scale_ >= 0) {
      const Shape shape = graph_.value(node_.inputs[0]).shape;
      source = graph_.add_value(graph_.value(node_.inputs[0]).name + ".real", ElementType::Float, shape);
      Node real{node_.name, "DequantizeLinear", {node_.inputs[0], input_scale_}, {source}, {}};
      if (node_.has_input(2)) real.inputs.push_back(node_.inputs[2]);
      result.push_back(std::move(real));
    }
    Node product{node_.name, is_convolution() ? "Conv" : "MatMul", {source, scaled_weights()}, {result_}, {}};
    if (is_convolution()) product.attributes = node_.attributes;
    result.push_back(std::move(product));
    return result;
  }

 private:
  bool is_convolution() const { return node_.op == "ConvInteger"; }

  [[noreturn]] void refuse(const std::string& problem, const std::string& value, const std::string& action) const {
    unsupported(problem, node_, value, action);
  }

  /// The weights minus their zero point, one for all or one per output.
  void read_weights() {
    const Value& weights = graph_.value(node_.inputs[1]);
    if (!weights.constant) refuse("the weights are not constant", weights.name, "export with constant weights");
    weights_ = *weights.constant;
    axis_ = is_convolution() ? 0 : 1;
    std::vector<std::int64_t> zero{0};
    if (node_.has_input(3)) zero = graph_.value(node_.inputs[3]).constant->as_integers();
    const std::vector<std::int64_t> integers = weights_.as_integers();
    std::vector<std::int32_t> values;
    values.reserve(integers.size());
    for (std::size_t i = 0; i < integers.size(); ++i)
      values.push_back(static_cast<std::int32_t>(integers[i] - zero[zero.size() == 1 ? 0 : channel(i)]));
    weights_.values = std::move(values);
    scales_ = {1.0F};
  }

  std::size_t channels() const { return static_cast<std::size_t>(weights_.shape[axis_]); }
  std::size_t channel(std::size_t index) const {
    std::size_t inner = 1;
    for (std::size_t i = axis_ + 1; i < weights_.shape.size(); ++i)
      inner *= static_cast<std::size_t>(weights_.shape[i]);
    return index / inner % channels();
  }

  /// Where the integers of the input come from.
  void find_source() {
    const Node* producer = producer_of(graph_, node_.inputs[0]);
    const std::string& op = producer == nullptr ? node_.op : producer->op;
    if (op == "DynamicQuantizeLinear") {
      if (!node_.has_input(2) || producer->outputs.size() < 3 || node_.inputs[2] != producer->outputs[2])
        refuse("the zero point is not that of the quantised input", graph_.value(node_.inputs[0]).name,
               "use the zero point of DynamicQuantizeLinear");
      source_ = producer->inputs[0];
      dynamic_scale_ = producer->outputs[1];
    } else if (op == "QuantizeLinear") {
      input_scale_ = producer->inputs[1];
      scale_value_ = graph_.value(input_scale_).constant->as_floats().at(0);
    } else {
      refuse("the scale of the integer input is not known", graph_.value(node_.inputs[0]).name,
             "put QuantizeLinear or DynamicQuantizeLinear before it");
    }
  }

  /// A Cast to float32, then factors until the scale of the input is among them; static products take one factor.
  void follow_factors() {
    Node* reader = only_reader_of(graph_, node_.outputs[0]);
    if (reader == nullptr || reader->op != "Cast" || reader->integer("to", 0) != OnnxFloat)
      refuse("the integer result is not made float32", graph_.value(node_.outputs[0]).name, "put Cast behind it");
    result_ = reader->outputs[0];
    bool complete = false;
    while (!complete) {
      reader = only_reader_of(graph_, result_);
      const auto other = reader == nullptr ? std::nullopt : other_operand(*reader, result_);
      if (!other || reader->op != "Mul" || !take_factor(reader->inputs[*other], complete)) break;
      result_ = reader->outputs[0];
    }
    if (dynamic_scale_ >= 0 && !complete)
      refuse("the result is not multiplied by the scale of the input", graph_.value(node_.outputs[0]).name,
             "multiply by the scale of DynamicQuantizeLinear");
    if (input_scale_ >= 0)
      for (float& scale : scales_) scale /= scale_value_;
  }

  /// Whether a factor is constant per output, or the scale of the input, or both; `complete` once no more is awaited.
  bool take_factor(int factor, bool& complete) {
    if (factor == dynamic_scale_) return complete = true;
    if (graph_.is_constant(factor)) {
      if (!multiply(factor)) return false;
      complete = input_scale_ >= 0;
      return true;
    }
    const Node* product = producer_of(graph_, factor);
    if (product == nullptr || product->op != "Mul" || dynamic_scale_ < 0) return false;
    const auto constant = other_operand(*product, dynamic_scale_);
    if (!constant || !graph_.is_constant(product->inputs[*constant]) || !multiply(product->inputs[*constant]))
      return false;
    return complete = true;
  }

  bool multiply(int factor) {
    const Array& array = *graph_.value(factor).constant;
    const std::vector<float> values = array.as_floats();
    if (values.size() != 1) {
      // Broadcast along the outputs: axis 1 of a map of four axes, the last one of a matrix.
      const std::size_t behind = is_convolution() ? 2 : 0;
      Shape expected(behind + 1, 1);
      expected[0] = static_cast<std::int64_t>(channels());
      Shape given = array.shape;
      while (given.size() > expected.size() && given.front() == 1) given.erase(given.begin());
      if (given != expected) return false;
    }
    if (scales_.size() < values.size()) scales_.resize(values.size(), scales_[0]);
    for (std::size_t i = 0; i < scales_.size(); ++i) scales_[i] *= values[values.size() == 1 ? 0 : i];
    return true;
  }

  int scaled_weights() {
    for (const float scale : scales_)
      if (!(scale > 0) || std::isinf(scale)) damaged("a scale is not positive", node_, std::to_string(scale));
    const std::string name = graph_.value(node_.inputs[1]).name;
    const int result = graph_.add_constant(name, weights_);
    graph_.value(result).quantisation = Quantisation{scales_, 0, static_cast<int>(axis_)};
    return result;
  }

  Graph& graph_;
  const Node node_;
  Array weights_;              // int32, minus the zero point
  std::vector<float> scales_;  // of the weights, one or one per output
  std::size_t axis_ = 0;       // of the outputs in the weights
  int source_ = -1;            // what DynamicQuantizeLinear reads
  int dynamic_scale_ = -1;     // what it computes
  int input_scale_ = -1;       // the constant scale of QuantizeLinear
  float scale_value_ = 1;
  int result_ = -1;
};

}  // namespace

bool is_dynamic(const Graph& graph) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [](const Node& node) { return node.op == "DynamicQuantizeLinear"; });
}

void make_quantisation_static(Graph& graph, RefusalList& refusals) {
  for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
    const Node node = graph.nodes[i];
    if (node.op != "ConvInteger" && node.op != "MatMulInteger") continue;
    refusals.attempt(node, [&] {
      std::vector<Node> parts = IntegerProduct(graph, static_cast<int>(i)).replace();
      // What wrote the result before is dead, and must not write it a second time.
      const int old = graph.producer(parts.back().outputs[0]);
      const std::string name = graph.value(parts.back().outputs[0]).name + ".integers";
      graph.nodes[static_cast<std::size_t>(old)].outputs = {graph.add_value(name)};
      graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i), parts.begin(), parts.end());
      i += parts.size();
    });
  }
  graph.remove_dead_nodes();
  graph.sort();
}

}  // namespace espalier::model
