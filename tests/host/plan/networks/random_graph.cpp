#include "random_graph.hpp"

#include <algorithm>
#include <array>
#include <set>

namespace espalier::test {
namespace {

constexpr std::array Opsets{9, 11, 13, 13, 14, 17};
constexpr std::int64_t MostElements = 6000;  // of a tensor
constexpr std::int64_t MostMacs = 400'000;   // of an operator

}  // namespace

RandomGraph::RandomGraph(Random& random, OperatorCounts& counts)
    : RandomGraphBase(random, counts, Opsets[static_cast<std::size_t>(random.between(0, Opsets.size() - 1))]),
      opset_(static_cast<int>(b_.model.opset_import(0).version())) {}

const std::vector<GraphStep<RandomGraph>>& RandomGraph::steps() {
  using G = RandomGraph;
  static const std::vector<GraphStep<G>> list = {
      {"Add", &G::add_two, true},
      {"Add", &G::add_constant},
      {"Add", &G::broadcast},
      {"AveragePool", &G::average_pool, true},
      {"BatchNormalization", &G::batch_normalization},
      {"Cast", &G::cast},
      {"Clip", &G::clip},
      {"Concat", &G::concat, true},
      {"Constant", &G::reshape},
      {"Conv", &G::conv, true},
      {"Conv", &G::conv, true},
      {"Conv", &G::conv, true},
      {"Conv", &G::conv_by_activation},
      {"ConvInteger", &G::integer_conv},
      {"ConvTranspose", &G::transposed_conv},
      {"Div", &G::divide},
      {"Div", &G::divide_by_activation},
      {"Dropout", &G::dropout},
      {"DynamicQuantizeLinear", &G::integer_conv},
      {"Flatten", &G::flatten},
      {"Gather", &G::reshape_by_shape},
      {"Gemm", &G::gemm, true},
      {"Gemm", &G::gemm_of_two},
      {"GlobalAveragePool", &G::global_average_pool},
      {"GlobalMaxPool", &G::global_max_pool},
      {"Identity", &G::identity},
      {"MatMul", &G::mat_mul},
      {"MatMul", &G::mat_mul_of_two},
      {"MatMulInteger", &G::integer_mat_mul},
      {"MaxPool", &G::max_pool, true},
      {"Mul", &G::multiply},
      {"Mul", &G::multiply_two},
      {"Mul", &G::squeeze_excite},
      {"Pad", &G::pad},
      {"ReduceMean", &G::reduce_mean},
      {"Relu", &G::relu, true},
      {"Reshape", &G::reshape},
      {"Shape", &G::reshape_by_shape},
      {"Softmax", &G::softmax},
      {"Squeeze", &G::squeeze},
      {"Sub", &G::subtract},
      {"Sub", &G::subtract_two},
      {"Transpose", &G::transpose},
      {"Unsqueeze", &G::unsqueeze},
      {"(unary)", &G::float_unary},
  };
  return list;
}

const std::vector<GraphStep<RandomGraph>>& RandomGraph::refused_products() {
  using G = RandomGraph;
  static const std::vector<GraphStep<G>> list = {{"ConvTranspose", &G::transposed_conv, true},
                                                 {"Conv", &G::conv_by_activation, true},
                                                 {"MatMul", &G::mat_mul_of_two, true},
                                                 {"Gemm", &G::gemm_of_two, true}};
  return list;
}

std::vector<std::string> RandomGraph::operators() {
  std::set<std::string> names(accepted_unary().begin(), accepted_unary().end());
  for (const auto& step : steps())
    if (step.op != "(unary)") names.insert(step.op);
  return {names.begin(), names.end()};
}

const std::vector<std::string>& RandomGraph::unary_operators() {
  static const std::vector<std::string> names = {
      "Abs",  "Ceil",      "Elu",  "Erf", "Exp", "Floor",    "HardSigmoid", "HardSwish", "LeakyRelu", "Neg",
      "Selu", "Sigmoid",   "Sign", "Sin", "Cos", "Softplus", "Softsign",    "Tanh",      "Atan",      "ThresholdedRelu",
      "Celu", "LogSoftmax"};
  return names;
}

std::vector<std::string>& RandomGraph::accepted_unary() {
  static std::vector<std::string> names;
  return names;
}

std::string RandomGraph::build(int operators) {
  for (int i = random_.between(1, 2); i > 0; --i) {
    const model::Shape shape = input_shape();
    keep(b_.input(fresh("input"), shape), shape);
  }
  const std::size_t inputs = tensors_.size();
  take_steps(*this, steps(), operators / 2);
  if (random_.chance(0.2)) take_steps(*this, refused_products(), random_.between(1, 3));
  take_steps(*this, steps(), operators - operators / 2);
  if (tensors_.size() == inputs) identity();
  finish();
  return b_.bytes();
}

std::string RandomGraph::build_with_unknown(int operators, std::vector<std::string>& unknown) {
  const model::Shape shape = input_shape();
  keep(b_.input(fresh("input"), shape), shape);
  for (int i = random_.between(1, 4); i > 0; --i) {
    take_steps(*this, steps(), operators);
    const Tensor from = *any();
    const std::string result = fresh("unknown"), op = "Mystery" + std::to_string(random_.between(0, 3));
    b_.node(op, {from.name}, result, random_.chance(0.5) ? "some.vendor" : "");
    b_.output(result);
    unknown.push_back(result + "_node");
  }
  finish();
  return b_.bytes();
}

/// What nobody reads is an output, but for a few branches that lead nowhere; some that are read are outputs, too.
void RandomGraph::finish() {
  std::set<std::string> read;
  for (const onnx::NodeProto& node : b_.model.graph().node())
    for (const std::string& input : node.input()) read.insert(input);
  std::vector<std::string> chosen;
  std::set<std::string> made;
  for (const onnx::NodeProto& node : b_.model.graph().node())
    for (const std::string& output : node.output()) made.insert(output);
  for (const Tensor& tensor : tensors_)
    if (made.contains(tensor.name) && random_.chance(read.contains(tensor.name) ? 0.15 : 0.85))
      chosen.push_back(tensor.name);
  if (chosen.empty()) chosen.push_back(tensors_.back().name);
  for (const std::string& name : chosen) b_.output(name);
}

std::string RandomGraph::shape_constant(const std::vector<std::int64_t>& values) {
  const std::string name = fresh("shape");
  if (!random_.chance(0.5))
    return b_.constant(name, {{static_cast<std::int64_t>(values.size())}, std::vector<std::int64_t>(values)});
  auto& attribute = *add("Constant", {}, name).add_attribute();
  attribute.set_name("value");
  attribute.set_type(onnx::AttributeProto::TENSOR);
  *attribute.mutable_t() =
      model::write_tensor({{static_cast<std::int64_t>(values.size())}, std::vector<std::int64_t>(values)}, name);
  return name;
}

bool RandomGraph::conv() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const Window w = window(in.shape, false);
  const std::int64_t channels = in.shape[1], group = groups(channels);
  const bool wide = w.out_height * w.out_width <= 2 && channels < 40 && random_.chance(0.1);
  const std::int64_t outputs =
      wide ? (1001 + random_.between(0, 60)) / group * group + group : group * random_.between(1, group > 1 ? 2 : 16);
  const std::int64_t macs = outputs * (channels / group) * w.kernel[0] * w.kernel[1] * w.out_height * w.out_width;
  if (macs > MostMacs || outputs * w.out_height * w.out_width > MostElements) return false;
  const std::string result = fresh("conv");
  std::vector<std::string> inputs{
      in.name, b_.weights(result + ".w", {outputs, channels / group, w.kernel[0], w.kernel[1]}, random_, 1.4F)};
  if (random_.chance(0.6)) inputs.push_back(b_.weights(result + ".b", {outputs}, random_, 0.3F));
  auto& node = add("Conv", inputs, result);
  set(node, "group", group);
  model::Shape shape{1, outputs, w.out_height, w.out_width};
  if (random_.chance(0.15)) {
    // As large as the input over the stride, whatever the kernel.
    set(node, "strides", w.stride);
    set(node, "dilations", w.dilation);
    set_text(node, "auto_pad", random_.chance(0.5) ? "SAME_UPPER" : "SAME_LOWER");
    for (std::size_t i = 0; i < 2; ++i) shape[i + 2] = (in.shape[i + 2] + w.stride[i] - 1) / w.stride[i];
  } else {
    write_window(node, w, true);
  }
  keep(result, shape);
  return true;
}

/// DynamicQuantizeLinear, ConvInteger, Cast, and the product with both scales, as exporters write it.
bool RandomGraph::integer_conv() {
  const Tensor* found = any_map();
  if (found == nullptr || opset_ < 11) return false;
  const Tensor in = *found;
  const Window w = window(in.shape, false);
  const std::int64_t outputs = random_.between(1, 8), channels = in.shape[1];
  if (outputs * channels * w.kernel[0] * w.kernel[1] * w.out_height * w.out_width > MostMacs) return false;
  const std::string q = fresh("dynamic"), result = fresh("iconv");
  add("DynamicQuantizeLinear", {in.name}, q).add_output(q + ".scale");
  b_.model.mutable_graph()->mutable_node(b_.model.graph().node_size() - 1)->add_output(q + ".zero");
  std::vector<std::int8_t> weights(static_cast<std::size_t>(outputs * channels * w.kernel[0] * w.kernel[1]));
  for (std::int8_t& weight : weights) weight = static_cast<std::int8_t>(random_.between(-127, 127));
  b_.constant(result + ".w", {{outputs, channels, w.kernel[0], w.kernel[1]}, weights});
  auto& node = add("ConvInteger", {q, result + ".w", q + ".zero", b_.zero(result + ".z", 0)}, result + ".sum");
  write_window(node, w, true);
  set(add("Cast", {result + ".sum"}, result + ".real"), "to", onnx::TensorProto::FLOAT);
  add("Mul", {q + ".scale", b_.scalar(result + ".s", 0.01F)}, result + ".scale");
  add("Mul", {result + ".real", result + ".scale"}, result);
  keep(result, {1, outputs, w.out_height, w.out_width});
  return true;
}

bool RandomGraph::pool(const std::string& op) {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const Window w = window(in.shape, true);
  const std::string result = fresh("pool");
  auto& node = add(op, {in.name}, result);
  write_window(node, w, false);
  if (op == "AveragePool" && random_.chance(0.3)) set(node, "count_include_pad", 1);
  keep(result, {1, in.shape[1], w.out_height, w.out_width});
  return true;
}

bool RandomGraph::global_pool(const std::string& op) {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const std::string result = fresh("global");
  add(op, {in.name}, result);
  keep(result, {1, in.shape[1], 1, 1});
  return true;
}

bool RandomGraph::reduce_mean() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const std::string result = fresh("mean");
  const bool keep_axes = random_.chance(0.5);
  auto& node = add("ReduceMean", {in.name}, result);
  set(node, "axes", random_.chance(0.5) ? std::vector<std::int64_t>{2, 3} : std::vector<std::int64_t>{-1, -2});
  set(node, "keepdims", keep_axes ? 1 : 0);
  keep(result, keep_axes ? model::Shape{1, in.shape[1], 1, 1} : model::Shape{1, in.shape[1]});
  return true;
}

bool RandomGraph::batch_normalization() {
  const Tensor* found = any(2);
  if (found == nullptr || found->shape[0] != 1) return false;
  const Tensor in = *found;
  const std::string result = fresh("norm");
  const auto parameter = [&](const char* name, double low, double high) {
    std::vector<float> values(static_cast<std::size_t>(in.shape[1]));
    for (float& value : values) value = static_cast<float>(low + (high - low) * random_.unit());
    return b_.floats(result + name, {in.shape[1]}, values);
  };
  const std::vector<std::string> inputs{in.name, parameter(".scale", -1.5, 1.5), parameter(".shift", -0.5, 0.5),
                                        parameter(".mean", -0.3, 0.3), parameter(".variance", 0.3, 2)};
  add("BatchNormalization", inputs, result);
  keep(result, in.shape);
  return true;
}

}  // namespace espalier::test
