// Random ONNX graphs over the operators that networks are imported with: branches, joins, several outputs, results that
// are outputs and read as well, branches that nobody reads, and sizes at the edges (one pixel, one channel, more than a
// thousand channels, strides larger than kernels, uneven padding, dilation, groups).
//
//   RandomGraph graph(random, counts);
//   model::Graph imported = model::import_onnx_bytes(graph.build(6));
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "onnx_builder.hpp"

namespace espalier::test {

/// How often each operator was put into a graph; those of other domains with the domain before the name.
using OperatorCounts = std::map<std::string, int>;

/// What a step adds: the operator that it is listed under, and whether it could be added to the graph as it stands.
template <typename Graph>
struct GraphStep {
  std::string op;
  bool (Graph::*add)();
  bool common = false;  // most of a network
};

/// What graphs of reals and quantised graphs have in common.
class RandomGraphBase {
 public:
  RandomGraphBase(Random& random, OperatorCounts& counts, int opset) : random_(random), counts_(counts), b_(opset) {}

 protected:
  struct Tensor {
    std::string name;
    model::Shape shape;
  };
  /// Attributes of a Conv or a pool on one map.
  struct Window {
    std::vector<std::int64_t> kernel, stride, dilation, pads;
    std::int64_t out_height = 0, out_width = 0;
  };

  static std::int64_t elements(const model::Shape& shape);
  static bool is_map(const Tensor& tensor) { return tensor.shape.size() == 4 && tensor.shape[0] == 1; }
  static void set(onnx::NodeProto& node, const std::string& key, const std::vector<std::int64_t>& values);
  static void set(onnx::NodeProto& node, const std::string& key, std::int64_t value) {
    OnnxBuilder::set(node, key, value);
  }
  static void set_text(onnx::NodeProto& node, const std::string& key, const std::string& text);
  static void set_real(onnx::NodeProto& node, const std::string& key, float value);

  std::string fresh(const std::string& stem) { return stem + std::to_string(next_++); }
  onnx::NodeProto& add(const std::string& op, const std::vector<std::string>& inputs, const std::string& result,
                       const std::string& domain = {});
  /// The step whose operator was added least so far, one of the common ones, or any.
  template <typename Graph>
  void take_steps(Graph& graph, const std::vector<GraphStep<Graph>>& steps, int count) {
    for (int done = 0, tries = 0; done < count && tries < 20 * count; ++tries) {
      const GraphStep<Graph>* chosen = &steps[index(steps.size())];
      if (random_.chance(0.6)) {
        for (const GraphStep<Graph>& step : steps)
          if (counts_[step.op] < counts_[chosen->op]) chosen = &step;
      } else if (random_.chance(0.5)) {
        while (!chosen->common) chosen = &steps[index(steps.size())];
      }
      if ((graph.*chosen->add)()) ++done;
    }
  }
  std::size_t index(std::size_t count) {
    return static_cast<std::size_t>(random_.between(0, static_cast<int>(count) - 1));
  }
  /// Any tensor of at least `rank` axes, rather a late one; nothing if there is none.
  const Tensor* any(std::size_t rank = 0);
  /// Any map of one picture.
  const Tensor* any_map();
  /// Another one of the same shape; may be the same.
  const Tensor& partner(const Tensor& like);
  model::Shape input_shape();
  Window window(const model::Shape& map, bool pool);
  void write_window(onnx::NodeProto& node, const Window& window, bool dilated);
  std::int64_t groups(std::int64_t channels);

  Random& random_;
  OperatorCounts& counts_;
  OnnxBuilder b_;
  std::vector<Tensor> tensors_;  // of the graph's inputs and of all results
  int next_ = 0;
};

/// Graphs of float32 tensors.
class RandomGraph : public RandomGraphBase {
 public:
  RandomGraph(Random& random, OperatorCounts& counts);
  /// The bytes of the model file.
  std::string build(int operators);
  /// With operators between that nothing executes; their names in the order of the graph.
  std::string build_with_unknown(int operators, std::vector<std::string>& unknown);

  /// Operators of one input and one result of the same shape, which are computed in float32 alone; graphs have those
  /// that `accepted` says yes to.
  static const std::vector<std::string>& unary_operators();
  static std::vector<std::string>& accepted_unary();
  /// The operators that every graph may have.
  static std::vector<std::string> operators();

 private:
  static const std::vector<GraphStep<RandomGraph>>& steps();
  /// Products that the accelerator refuses.
  static const std::vector<GraphStep<RandomGraph>>& refused_products();

  void keep(const std::string& name, model::Shape shape) { tensors_.push_back({name, std::move(shape)}); }
  void finish();
  std::string shape_constant(const std::vector<std::int64_t>& values);

  std::optional<Tensor> row();
  bool conv();
  bool integer_conv();
  bool gemm();
  bool mat_mul();
  bool integer_mat_mul();
  bool transposed_conv();
  bool conv_by_activation();
  bool mat_mul_of_two();
  bool gemm_of_two();
  void divide(const std::string& sum, std::int64_t count, const std::string& result);
  bool max_pool() { return pool("MaxPool"); }
  bool average_pool() { return pool("AveragePool"); }
  bool pool(const std::string& op);
  bool global_average_pool() { return global_pool("GlobalAveragePool"); }
  bool global_max_pool() { return global_pool("GlobalMaxPool"); }
  bool global_pool(const std::string& op);
  bool reduce_mean();
  bool add_two();
  bool add_constant() { return with_constant("Add"); }
  bool subtract() { return with_constant("Sub"); }
  bool subtract_two();
  bool multiply() { return with_constant("Mul"); }
  bool multiply_two();
  bool divide() { return with_constant("Div"); }
  bool divide_by_activation();
  bool with_constant(const std::string& op);
  bool broadcast();
  bool squeeze_excite();
  bool batch_normalization();
  bool concat();
  bool relu() { return unary("Relu"); }
  bool identity() { return unary("Identity"); }
  bool dropout() { return unary("Dropout"); }
  bool cast();
  bool softmax();
  bool unary(const std::string& op);
  bool float_unary();
  bool bounded_unary(const std::string& op);
  bool clip();
  bool pad();
  bool flatten();
  bool reshape();
  bool reshape_by_shape();
  bool squeeze();
  bool unsqueeze();
  bool transpose();

  int opset_;
};

/// Graphs that are quantised already: QuantizeLinear, QLinear operators, and float operators between DequantizeLinear
/// and QuantizeLinear, all with constant scales.
class RandomQuantisedGraph : public RandomGraphBase {
 public:
  RandomQuantisedGraph(Random& random, OperatorCounts& counts) : RandomGraphBase(random, counts, 13) {}
  std::string build(int operators);
  static std::vector<std::string> operators();

 private:
  struct Numbers {
    std::string scale, zero;
    bool is_signed = true;
  };
  static const std::vector<GraphStep<RandomQuantisedGraph>>& steps();

  Numbers numbers(float scale, int zero, bool is_signed);
  /// A result of QuantizeLinear or of a QLinear operator.
  void keep(const std::string& name, model::Shape shape, const Numbers& numbers);
  const Numbers& of(const Tensor& tensor) const { return numbers_.at(tensor.name); }
  Numbers result_numbers() { return result_numbers(random_.chance(0.5)); }
  Numbers result_numbers(bool is_signed);
  std::string integer_weights(const model::Shape& shape, const std::string& name);
  std::string integer_bias(std::int64_t outputs, const std::string& name);
  /// The real tensor of a quantised one, and a quantised one of a real tensor.
  std::string dequantised(const Tensor& tensor);
  void quantised(const std::string& real, const model::Shape& shape, const Numbers& numbers);
  std::string weights_scale(const std::string& name, std::int64_t outputs, double row);

  bool qlinear_conv();
  bool qlinear_mat_mul();
  bool qgemm();
  bool qlinear_add();
  bool qlinear_concat();
  bool qlinear_average_pool();
  bool qlinear_global_average_pool();
  bool real_conv();
  bool real_max_pool();
  bool real_average_pool();
  bool real_add();
  bool real_relu();
  bool real_multiply();
  bool requantise();
  bool requantise_microsoft();

  std::map<std::string, Numbers> numbers_;
};

}  // namespace espalier::test
