#include "model/inference.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "model/array_order.hpp"
#include "model/refusals.hpp"
#include "model/shape_rules.hpp"
#include "model/single_operator.hpp"
#include "model/window.hpp"

namespace espalier::model {
namespace {

// Elements of all activations, 1 GiB as float32; the same for all constants that are computed.
constexpr std::int64_t MaxComputed = std::int64_t{1} << 28;

/// Infers one node; the outcome is the type and shape of its outputs.
class NodeInference {
 public:
  NodeInference(Graph& graph, Node& node) : graph_(graph), node_(node) {}

  void run() {
    for (const int input : node_.inputs)
      if (input >= 0 && !graph_.value(input).known) damaged("the shape of an input is not known", node_);
    try {
      set_output(0, output_shape(), output_type());
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unsupported || !infer_as_defined()) throw;
      return;
    }
    // DynamicQuantizeLinear: one scale and one zero point. Every other form has one result.
    const std::size_t results = node_.op == "DynamicQuantizeLinear" ? 3 : 1;
    for (std::size_t i = 1; i < node_.outputs.size(); ++i) {
      if (node_.outputs[i] < 0) continue;
      need_result(i, results);
      Value& parameter = graph_.value(node_.outputs[i]);
      parameter.shape = {};
      parameter.type = i == 1 ? ElementType::Float : ElementType::UInt8;
      parameter.known = true;
    }
  }

 private:
  void need_result(std::size_t output, std::size_t results) const {
    if (output >= results)
      damaged("the operator gives fewer results than outputs are read", node_,
              "output " + std::to_string(output + 1) + " of " + std::to_string(results));
  }

  void set_output(std::size_t index, const Shape& shape, ElementType type) {
    if (count_elements(shape, node_.where()) < 1) damaged("the result has no elements", node_, to_string(shape));
    Value& out = graph_.value(node_.outputs[index]);
    out.shape = shape;
    out.type = type;
    out.known = true;
  }

  /// What has no form of its own here follows the operator table; false: the table does not execute it either.
  bool infer_as_defined() {
    const ShapeRule rule = find_shape_rule(node_.op);
    if (rule == nullptr || find_row(node_.op, "", graph_.opset) == nullptr) return false;
    const OperatorGraph single = single_operator(graph_, node_);
    if (!single.refusals.empty() && has_form(node_.op)) return false;
    if (!single.refusals.empty())
      unsupported(single.refusals[0].reason, node_, {}, "see espalier conformance --operators");
    const std::vector<Shape> shapes = rule(ShapeQuestions(graph_, node_));
    for (std::size_t i = 0; i < node_.outputs.size(); ++i) {
      if (node_.outputs[i] < 0) continue;
      need_result(i, shapes.size());
      const DataType held = *single.values[static_cast<std::size_t>(single.nodes[0].outputs[i])].type;
      const std::optional<ElementType> type = element_type_of(held);
      if (!type) unsupported("the type of a result is not supported in networks", node_, to_string(held), "cast it");
      set_output(i, shapes[i], *type);
    }
    if (has_form(node_.op)) node_.op.insert(0, AsDefined);
    return true;
  }

  /// Whether infer() gives the operator one form, on which rewrites rely.
  static bool has_form(const std::string& op) {
    static const std::set<std::string> names = {
        "Add",           "AveragePool", "Cast",        "Clip",      "Conv",    "Div", "Gemm", "GlobalAveragePool",
        "GlobalMaxPool", "MatMul",      "HardSigmoid", "HardSwish", "MaxPool", "Mul", "Pad",  "ReduceMean",
        "Relu",          "Sigmoid",     "Softmax",     "Sub"};
    return names.contains(op);
  }

  const Shape& shape(std::size_t input) const { return graph_.value(node_.inputs.at(input)).shape; }
  ElementType type(std::size_t input) const { return graph_.value(node_.inputs.at(input)).type; }

  void need_float(std::size_t count) const {
    for (std::size_t i = 0; i < std::min(count, node_.inputs.size()); ++i)
      if (node_.has_input(i) && type(i) != ElementType::Float)
        unsupported("input " + std::to_string(i) + " is not a float32 tensor", node_, to_string(type(i)),
                    "use float32");
  }

  const Array& constant(std::size_t input, const char* what) const {
    if (!graph_.is_constant(node_.inputs.at(input)))
      unsupported(std::string(what) + " is not constant", node_, graph_.value(node_.inputs[input]).name,
                  "export with constant folding");
    return *graph_.value(node_.inputs[input]).constant;
  }

  Shape output_shape() {
    const std::string& op = node_.op;
    if (op == "Conv") return need_float(3), convolution(1);
    if (op == "QLinearConv") return need_parameters(0), convolution(3);
    if (op == "ConvInteger") return need_zero_points(0), convolution(1);
    if (op == "MatMulInteger") return need_zero_points(1), gemm(0, 1);
    if (op == "DynamicQuantizeLinear") return need_float(1), shape(0);
    if (op == "Sigmoid" || op == "HardSigmoid" || op == "HardSwish") return need_float(1), shape(0);
    if (op == "MaxPool") return pool();
    if (op == "AveragePool") return need_float(1), pool();
    if (op == "QLinearAveragePool") return need_parameters(), need_channels_first(), pool();
    if (op == "GlobalAveragePool" || op == "GlobalMaxPool") return global_pool();
    if (op == "ReduceMean") return need_float(1), reduce_mean();
    if (op == "QLinearGlobalAveragePool") return need_parameters(), need_channels_first(), global_pool();
    if (op == "Gemm") return need_float(3), gemm(0, 1);
    if (op == "QGemm") return need_parameters(node_.integer("transB", 0) != 0 ? 0 : 1), gemm(0, 3);
    if (op == "MatMul") return need_float(2), gemm(0, 1);
    if (op == "QLinearMatMul") return need_parameters(1), gemm(0, 3);
    if (op == "Add" || op == "Sub" || op == "Mul" || op == "Div") return need_float(2), broadcast(0, 1);
    if (op == "QLinearAdd") return need_parameters(), broadcast(0, 3);
    if (op == "BatchNormalization") return batch_normalization();
    if (op == "Concat") return concat(0, 1);
    if (op == "QLinearConcat") return need_concat_parameters(), concat(2, 3);
    if (op == "Flatten") return flatten();
    if (op == "Reshape") return reshape();
    if (op == "Squeeze" || op == "Unsqueeze") return squeeze();
    if (op == "Transpose") return transpose();
    if (op == "Clip") return need_float(1), clip();
    if (op == "Pad") return pad();
    if (op == "Softmax") return need_float(1), softmax();
    if (op == "QuantizeLinear") return need_float(2), quantise();
    if (op == "DequantizeLinear") return quantise();
    if (op == "Relu") return need_float(1), shape(0);
    if (op == "Dropout") return need_inference(2), shape(0);
    if (op == "Identity" || op == "Cast") return shape(0);
    unsupported("the operator is not supported on these inputs", node_, op, "export with constant folding");
  }

  ElementType output_type() const {
    const std::string& op = node_.op;
    if (op == "DequantizeLinear") return ElementType::Float;
    if (op == "DynamicQuantizeLinear") return ElementType::UInt8;
    if (op == "ConvInteger" || op == "MatMulInteger") return ElementType::Int32;
    if (op == "QuantizeLinear") return node_.has_input(2) ? type(2) : ElementType::UInt8;
    if (op == "QGemm" && !node_.has_input(7)) return ElementType::Float;
    if (op == "QGemm" && !node_.has_input(8)) return ElementType::UInt8;
    if (const std::size_t zero = result_zero_point(); zero > 0 && node_.has_input(zero)) return type(zero);
    if (op == "Cast") {
      if (node_.integer("to", 1) != 1 || (type(0) != ElementType::Float && type(0) != ElementType::Int32))
        unsupported("only casts of float32 and int32 to float32 are supported", node_, to_string(type(0)),
                    "remove the cast");
      return ElementType::Float;
    }
    return type(0);
  }

  /// Old operator sets say is_test, later ones have an attribute or input training_mode.
  void need_inference(std::size_t mode_input) const {
    bool training = graph_.opset < 7 && node_.integer("is_test", 0) == 0;
    if (node_.integer("training_mode", 0) != 0) training = true;
    if (node_.has_input(mode_input)) {
      const auto mode = constant(mode_input, "training_mode").as_integers();
      training = std::any_of(mode.begin(), mode.end(), [](std::int64_t value) { return value != 0; });
    }
    if (training) unsupported("training mode is not supported", node_, {}, "export for inference");
  }

  /// The input that is the zero point of a QLinear operator's result, which has its type; 0 for other operators.
  std::size_t result_zero_point() const {
    const std::string& op = node_.op;
    if (op == "QLinearConcat") return 1;
    if (op == "QLinearAveragePool" || op == "QLinearGlobalAveragePool") return 4;
    if (op == "QLinearConv" || op == "QLinearMatMul" || op == "QLinearAdd") return 7;
    return op == "QGemm" ? 8 : 0;
  }

  void need_positive(const Array& scale) const {
    if (scale.type() != ElementType::Float) damaged("the scale is not a float32 tensor", node_);
    for (const float value : scale.as_floats())
      if (!(value > 0) || std::isinf(value)) damaged("a scale is not positive", node_, std::to_string(value));
  }

  void need_byte_type(std::size_t zero) const {
    if (type(zero) != ElementType::Int8 && type(zero) != ElementType::UInt8)
      unsupported("only int8 and uint8 quantisation is supported", node_, to_string(type(zero)), "quantise to 8 bits");
  }

  /// Input `scale` and the zero point behind it: one, or one for each of `channels`.
  void need_scale(std::size_t scale, std::int64_t channels = 1) const {
    const Array& scales = constant(scale, "the scale");
    need_positive(scales);
    const auto count = static_cast<std::int64_t>(scales.size());
    if (count != 1 && count != channels) damaged("the scale does not fit the tensor", node_, std::to_string(count));
    if (!node_.has_input(scale + 1)) return;
    const std::size_t zeros = constant(scale + 1, "the zero point").size();
    if (zeros != 1 && zeros != scales.size())
      damaged("scale and zero point differ in size", node_, std::to_string(zeros));
    need_byte_type(scale + 1);
  }

  /// A quantised tensor with its scale and zero point behind it.
  void need_quantised(std::size_t tensor, std::int64_t channels = 1) const {
    need_scale(tensor + 1, channels);
    if (node_.has_input(tensor + 2) && type(tensor + 2) != type(tensor))
      damaged("tensor and zero point differ in type", node_, to_string(type(tensor)));
  }

  /// Scales and zero points of a QLinear operator; the second tensor may have one for each index of `weight_axis`.
  void need_parameters(std::optional<std::size_t> weight_axis = {}) const {
    const std::size_t result_scale = result_zero_point() - 1;
    need_quantised(0);
    if (result_scale > 5) {
      const bool channels = weight_axis && *weight_axis < shape(3).size();
      need_quantised(3, channels ? shape(3)[*weight_axis] : 1);
    }
    if (node_.has_input(result_scale)) need_scale(result_scale);
  }

  void need_concat_parameters() const {
    if ((node_.inputs.size() - 2) % 3 != 0) damaged("the inputs are incomplete", node_);
    need_scale(0);
    for (std::size_t tensor = 2; tensor < node_.inputs.size(); tensor += 3) need_quantised(tensor);
  }

  /// The inputs of an integer product: two tensors of bytes and their zero points, which are 0 if they are left out.
  void need_zero_points(std::size_t channel_axis) const {
    for (std::size_t tensor = 0; tensor < 2; ++tensor) {
      need_byte_type(tensor);
      if (!node_.has_input(tensor + 2)) continue;
      if (type(tensor + 2) != type(tensor))
        damaged("tensor and zero point differ in type", node_, to_string(type(tensor)));
      const std::int64_t count = count_elements(shape(tensor + 2), node_.where());
      const bool channels = tensor == 1 && channel_axis < shape(1).size() && count == shape(1)[channel_axis];
      if (count != 1 && !channels) damaged("the zero point does not fit the tensor", node_, std::to_string(count));
    }
    if (node_.has_input(3)) constant(3, "the zero point of the weights");
  }

  void need_channels_first() const {
    if (node_.integer("channels_last", 0) != 0)
      unsupported("channels_last is not supported", node_, "1", "export with channels first");
  }

  void need_map(const Shape& map) const {
    if (map.size() != 4)
      unsupported("only two-dimensional maps are supported", node_, "rank " + std::to_string(map.size()),
                  "use tensors of batch x channels x height x width");
    for (const std::int64_t size : map)
      if (size < 1 || size > std::numeric_limits<int>::max()) damaged("a size is out of range", node_, to_string(map));
  }

  Shape windowed(const Shape& map, std::int64_t channels, std::array<std::int64_t, 2> kernel) {
    const Window window = read_window(node_, {map[2], map[3]}, kernel);
    write_window(node_, window);
    Shape result{map[0], channels, window.outputs(0, map[2]), window.outputs(1, map[3])};
    if (result[2] < 1 || result[3] < 1) damaged("the kernel does not fit the padded map", node_, to_string(map));
    return result;
  }

  Shape convolution(std::size_t weight_input) {
    const Shape &map = shape(0), &weights = shape(weight_input);
    need_map(map);
    need_map(weights);
    const std::int64_t groups = node_.integer("group", 1);
    if (groups < 1 || map[1] % groups != 0 || weights[0] % groups != 0 || map[1] / groups != weights[1])
      damaged("channels, groups and weights do not fit", node_,
              to_string(map) + " with " + to_string(weights) + " in " + std::to_string(groups) + " groups");
    const auto kernel = node_.integers("kernel_shape", {weights[2], weights[3]});
    if (kernel != std::vector<std::int64_t>{weights[2], weights[3]})
      damaged("kernel_shape differs from the weights", node_, to_string(kernel));
    const std::size_t bias = weight_input == 1 ? 2 : 8;
    if (node_.op != "ConvInteger" && node_.has_input(bias) && (shape(bias) != Shape{weights[0]}))
      damaged("the bias does not fit the output channels", node_, to_string(shape(bias)));
    return windowed(map, weights[0], {weights[2], weights[3]});
  }

  Shape pool() {
    need_map(shape(0));
    if (!node_.attributes.contains("kernel_shape")) damaged("kernel_shape is missing", node_);
    const Shape map = shape(0);
    Shape result = windowed(map, map[1], {1, 1});
    const Window window = read_window(node_, {map[2], map[3]}, {1, 1});
    for (std::size_t axis = 0; axis < 2; ++axis)
      // The first or the last window would lie in the padding alone.
      if (window.before[axis] >= window.extent(axis) ||
          (window.outputs(axis, map[axis + 2]) - 1) * window.stride[axis] >= map[axis + 2] + window.before[axis])
        damaged("the padding is not smaller than the kernel", node_,
                std::to_string(window.before[axis]) + " before, " + std::to_string(window.after[axis]) + " behind");
    return result;
  }

  Shape global_pool() const {
    need_map(shape(0));
    return {shape(0)[0], shape(0)[1], 1, 1};
  }

  /// Only the mean over height and width, which is a global average pool.
  Shape reduce_mean() {
    need_map(shape(0));
    std::vector<std::int64_t> axes;
    if (node_.has_input(1) || node_.attributes.contains("axes")) axes = list("axes", 1, "the list of axes");
    for (std::int64_t& value : axes) value = axis(value, 4);
    std::sort(axes.begin(), axes.end());
    if (axes != std::vector<std::int64_t>{2, 3} || node_.integer("noop_with_empty_axes", 0) != 0)
      unsupported("only the mean over height and width is supported", node_, to_string(axes), "use GlobalAveragePool");
    node_.inputs.resize(1);
    const bool keep = node_.integer("keepdims", 1) != 0;
    node_.attributes = {{"axes", axes}, {"keepdims", std::int64_t{keep}}};
    return keep ? Shape{shape(0)[0], shape(0)[1], 1, 1} : Shape{shape(0)[0], shape(0)[1]};
  }

  Shape gemm(std::size_t a_input, std::size_t b_input) const {
    const Shape &a = shape(a_input), &b = shape(b_input);
    if (a.size() != 2 || b.size() != 2)
      unsupported("only products of two matrices are supported", node_, to_string(a) + " by " + to_string(b),
                  "flatten the input");
    const bool flip_a = node_.integer("transA", 0) != 0, flip_b = node_.integer("transB", 0) != 0;
    if (a[flip_a ? 0 : 1] != b[flip_b ? 1 : 0])
      damaged("the inner sizes differ", node_, to_string(a) + " by " + to_string(b));
    Shape result{a[flip_a ? 1 : 0], b[flip_b ? 0 : 1]};
    const std::size_t bias = node_.op == "Gemm" ? 2 : 6;
    if ((node_.op == "Gemm" || node_.op == "QGemm") && node_.has_input(bias) &&
        broadcast(shape(bias), result) != result)
      damaged("the bias does not fit the result", node_, to_string(shape(bias)));
    return result;
  }

  Shape broadcast(const Shape& a, const Shape& b) const {
    Shape result(std::max(a.size(), b.size()), 1);
    for (std::size_t i = 0; i < result.size(); ++i) {
      const std::int64_t x = i < a.size() ? a[a.size() - 1 - i] : 1, y = i < b.size() ? b[b.size() - 1 - i] : 1;
      if (x != y && x != 1 && y != 1) damaged("the shapes do not fit", node_, to_string(a) + " and " + to_string(b));
      result[result.size() - 1 - i] = x == 1 ? y : x;
    }
    return result;
  }
  Shape broadcast(std::size_t a, std::size_t b) const { return broadcast(shape(a), shape(b)); }

  Shape batch_normalization() const {
    need_float(5);
    if (shape(0).size() < 2) damaged("the input has no channels", node_, to_string(shape(0)));
    for (std::size_t i = 1; i < 5; ++i)
      if (shape(i) != Shape{shape(0)[1]}) damaged("a parameter does not fit the channels", node_, to_string(shape(i)));
    need_inference(5);
    if (node_.integer("spatial", 1) == 0)
      unsupported("statistics per element are not supported", node_, "spatial 0", "normalise per channel");
    return shape(0);
  }

  std::int64_t axis(std::int64_t value, std::size_t rank) const {
    const auto size = static_cast<std::int64_t>(rank);
    if (value < -size || value >= size) damaged("the axis is out of range", node_, std::to_string(value));
    return value < 0 ? value + size : value;
  }

  Shape concat(std::size_t first, std::size_t step) {
    Shape result = shape(first);
    const std::int64_t along = axis(node_.integer("axis", 1), result.size());
    node_.attributes["axis"] = along;
    if ((node_.inputs.size() - first) % step != 0) damaged("the inputs are incomplete", node_);
    for (std::size_t i = first + step; i < node_.inputs.size(); i += step) {
      Shape part = shape(i);
      if (part.size() != result.size()) damaged("the ranks differ", node_, to_string(part));
      if (type(i) != type(first)) damaged("the types differ", node_, to_string(type(i)));
      const auto position = static_cast<std::size_t>(along);
      std::swap(part[position], result[position]);
      result[position] += part[position];
      part[position] = result[position];
      if (part != result) damaged("the shapes do not fit", node_, to_string(shape(i)));
      count_elements(result, node_.where());
    }
    return result;
  }

  Shape flatten() {
    const auto rank = static_cast<std::int64_t>(shape(0).size());
    std::int64_t split = node_.integer("axis", 1);
    if (split < -rank || split > rank) damaged("the axis is out of range", node_, std::to_string(split));
    if (split < 0) split += rank;
    Shape result{1, 1};
    for (std::int64_t i = 0; i < rank; ++i) result[i < split ? 0 : 1] *= shape(0)[static_cast<std::size_t>(i)];
    node_.attributes["axis"] = split;
    return result;
  }

  std::vector<std::int64_t> list(const char* attribute, std::size_t input, const char* what) const {
    if (node_.has_input(input)) return constant(input, what).as_integers();
    if (!node_.attributes.contains(attribute)) damaged(std::string(what) + " is missing", node_);
    return node_.integers(attribute, {});
  }

  Shape reshape() {
    Shape result = list("shape", 1, "the shape");
    const std::int64_t count = count_elements(shape(0), node_.where());
    std::int64_t known = 1;
    std::ptrdiff_t free = -1;
    for (std::size_t i = 0; i < result.size(); ++i) {
      if (result[i] == 0 && node_.integer("allowzero", 0) == 0) {
        if (i >= shape(0).size()) damaged("the shape copies an axis that does not exist", node_, to_string(result));
        result[i] = shape(0)[i];
      }
      if (result[i] == -1 && free < 0) {
        free = static_cast<std::ptrdiff_t>(i);
      } else if (result[i] < 1 || result[i] > MaxElements || known > MaxElements / result[i]) {
        damaged("the shape is not valid", node_, to_string(result));
      } else {
        known *= result[i];
      }
    }
    if (free >= 0) result[static_cast<std::size_t>(free)] = count / known;
    if (count_elements(result, node_.where()) != count)
      damaged("the shape does not have as many elements as the input", node_, to_string(result));
    return keep_shape(result);
  }

  Shape squeeze() {
    const bool insert = node_.op == "Unsqueeze";
    std::vector<std::int64_t> axes;
    if (insert || node_.has_input(1) || node_.attributes.contains("axes")) axes = list("axes", 1, "the list of axes");
    const std::size_t rank = shape(0).size() + (insert ? axes.size() : 0);
    std::vector<bool> chosen(rank, axes.empty() && !insert);
    for (const std::int64_t value : axes) chosen[static_cast<std::size_t>(axis(value, rank))] = true;
    Shape result;
    std::size_t next = 0;
    for (std::size_t i = 0; i < rank; ++i) {
      if (insert) {
        if (!chosen[i] && next >= shape(0).size()) damaged("an axis is given twice", node_);
        result.push_back(chosen[i] ? 1 : shape(0)[next++]);
      } else if (!chosen[i] || (axes.empty() && shape(0)[i] != 1)) {
        result.push_back(shape(0)[i]);
      } else if (shape(0)[i] != 1) {
        damaged("a removed axis does not have the size 1", node_, to_string(shape(0)));
      }
    }
    return keep_shape(result);
  }

  /// From here on the operator is a Reshape to a given shape.
  Shape keep_shape(const Shape& result) {
    node_.attributes.clear();
    node_.attributes["shape"] = result;
    node_.op = "Reshape";
    node_.inputs.resize(1);
    return result;
  }

  /// All axes in reverse without perm.
  Shape transpose() {
    const std::size_t rank = shape(0).size();
    std::vector<std::int64_t> order = node_.integers("perm", {});
    if (!node_.attributes.contains("perm"))
      for (std::size_t i = rank; i-- > 0;) order.push_back(static_cast<std::int64_t>(i));
    const std::vector<std::size_t> axes = read_order(order, rank, node_.where());
    node_.attributes["perm"] = std::vector<std::int64_t>(axes.begin(), axes.end());
    return permute(shape(0), axes);
  }

  Shape clip() {
    float low = node_.real("min", std::numeric_limits<float>::lowest());
    float high = node_.real("max", std::numeric_limits<float>::max());
    const auto bound = [&](std::size_t input, float otherwise) {
      if (!node_.has_input(input)) return otherwise;
      const auto values = constant(input, "a bound").as_floats();
      if (values.size() != 1) damaged("a bound is not a scalar", node_, to_string(shape(input)));
      return values[0];
    };
    low = bound(1, low);
    high = bound(2, high);
    if (std::isnan(low) || std::isnan(high)) damaged("a bound is not a number", node_);
    node_.inputs.resize(1);
    node_.attributes = {{"min", low}, {"max", high}};
    return shape(0);
  }

  Shape pad() {
    const std::size_t rank = shape(0).size();
    const std::string mode = node_.text("mode", "constant");
    if (mode != "constant") unsupported("only padding with a constant is supported", node_, mode, "use zero padding");
    const auto given = list("pads", 1, "the padding");
    const float value =
        node_.has_input(2) ? first(constant(2, "the padding value").as_floats()) : node_.real("value", 0);
    std::vector<std::int64_t> axes(rank);
    for (std::size_t i = 0; i < rank; ++i) axes[i] = static_cast<std::int64_t>(i);
    if (node_.has_input(3)) axes = constant(3, "the list of axes").as_integers();
    if (given.size() != 2 * axes.size()) damaged("the padding does not fit the rank", node_, to_string(given));
    std::vector<std::int64_t> pads(2 * rank, 0);
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const auto along = static_cast<std::size_t>(axis(axes[i], rank));
      pads[along] = given[i];
      pads[along + rank] = given[i + axes.size()];
    }
    Shape result = shape(0);
    for (std::size_t i = 0; i < rank; ++i) {
      for (const std::int64_t size : {pads[i], pads[i + rank]})
        if (size < 0 || size > 65535)
          unsupported("the padding is out of range", node_, std::to_string(size), "use padding from 0 to 65535");
      result[i] += pads[i] + pads[i + rank];
    }
    node_.inputs.resize(1);
    node_.attributes = {{"pads", pads}, {"value", value}};
    return result;
  }

  float first(const std::vector<float>& values) const {
    if (values.size() != 1) damaged("a scalar is expected", node_, std::to_string(values.size()) + " values");
    return values[0];
  }

  Shape softmax() {
    const bool coerces = graph_.opset < 13;
    const std::int64_t along = axis(node_.integer("axis", coerces ? 1 : -1), shape(0).size());
    for (std::size_t i = static_cast<std::size_t>(along) + 1; coerces && i < shape(0).size(); ++i)
      if (shape(0)[i] != 1)
        unsupported("Softmax over several axes is not supported", node_, to_string(shape(0)), "flatten the input");
    node_.attributes["axis"] = along;
    return shape(0);
  }

  Shape quantise() {
    const Array& scale = constant(1, "the scale");
    need_positive(scale);
    if (node_.has_input(2) && constant(2, "the zero point").size() != scale.size())
      damaged("scale and zero point differ in size", node_, to_string(shape(2)));
    if (node_.op == "DequantizeLinear" && node_.has_input(2) && type(2) != type(0))
      damaged("input and zero point differ in type", node_, to_string(type(0)));
    if (node_.op == "QuantizeLinear" && node_.has_input(2)) need_byte_type(2);
    if (scale.size() != 1 || !scale.shape.empty()) {
      if (scale.size() != 1 || !shape(0).empty()) {
        const std::int64_t along = scale.size() == 1 ? 0 : axis(node_.integer("axis", 1), shape(0).size());
        if (scale.size() != 1 &&
            (scale.shape.size() != 1 || shape(0)[static_cast<std::size_t>(along)] != scale.shape[0]))
          damaged("the scale does not fit the axis", node_, to_string(scale.shape));
        node_.attributes["axis"] = along;
      }
    }
    return shape(0);
  }

  Graph& graph_;
  Node& node_;
};

}  // namespace

void infer(Graph& graph) {
  RefusalList refusals;
  infer(graph, refusals);
  refusals.raise("graph '" + graph.name + "'");
}

void infer(Graph& graph, RefusalList& refusals) {
  std::int64_t activations = 0, constants = 0;
  const auto bound = [](std::int64_t elements, const char* problem, const Node& node, const Shape& shape) {
    if (elements > MaxComputed) unsupported(problem, node, to_string(shape), "use smaller inputs");
  };
  std::vector<Node> nodes = std::move(graph.nodes);
  graph.nodes.clear();
  const auto depends_on_refused = [&](const Node& node) {
    return std::any_of(node.inputs.begin(), node.inputs.end(),
                       [&](int input) { return input >= 0 && !graph.value(input).known; });
  };
  for (Node& node : nodes) {
    if (refusals.has_refused(node.outputs[0]) || (!refusals.empty() && depends_on_refused(node))) continue;
    if (std::optional<Array> array = evaluate(graph, node)) {
      Value& value = graph.value(node.outputs[0]);
      value.type = array->type();
      value.shape = array->shape;
      value.known = true;
      value.constant = std::move(*array);
      if (node.op != "Constant") constants += static_cast<std::int64_t>(value.constant->size());
      bound(constants, "the computed constants of the network are too large", node, value.shape);
      continue;
    }
    if (!refusals.attempt(node, [&] { NodeInference(graph, node).run(); })) continue;
    const Shape& shape = graph.value(node.outputs[0]).shape;
    activations += count_elements(shape, node.where());
    bound(activations, "the activations of the network are too large", node, shape);
    graph.nodes.push_back(std::move(node));
  }
}

}  // namespace espalier::model
