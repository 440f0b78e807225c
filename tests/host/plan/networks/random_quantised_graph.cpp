#include <cmath>
#include <set>

#include "random_graph.hpp"

namespace espalier::test {
namespace {

constexpr const char* Microsoft = "com.microsoft";
constexpr std::int64_t MostMacs = 400'000;
constexpr std::int64_t MostInputs = 3000;

}  // namespace

const std::vector<GraphStep<RandomQuantisedGraph>>& RandomQuantisedGraph::steps() {
  using G = RandomQuantisedGraph;
  static const std::vector<GraphStep<G>> list = {
      {"QLinearConv", &G::qlinear_conv, true},
      {"QLinearConv", &G::qlinear_conv, true},
      {"Conv", &G::real_conv, true},
      {"QLinearMatMul", &G::qlinear_mat_mul, true},
      {"com.microsoft.QGemm", &G::qgemm, true},
      {"com.microsoft.QLinearAdd", &G::qlinear_add, true},
      {"com.microsoft.QLinearConcat", &G::qlinear_concat},
      {"com.microsoft.QLinearAveragePool", &G::qlinear_average_pool},
      {"com.microsoft.QLinearGlobalAveragePool", &G::qlinear_global_average_pool},
      {"MaxPool", &G::real_max_pool},
      {"AveragePool", &G::real_average_pool},
      {"Add", &G::real_add},
      {"Relu", &G::real_relu},
      {"Mul", &G::real_multiply},
      {"QuantizeLinear", &G::requantise},
      {"com.microsoft.QuantizeLinear", &G::requantise_microsoft},
  };
  return list;
}

std::vector<std::string> RandomQuantisedGraph::operators() {
  std::set<std::string> names{"DequantizeLinear", "com.microsoft.DequantizeLinear"};
  for (const auto& step : steps()) names.insert(step.op);
  return {names.begin(), names.end()};
}

std::string RandomQuantisedGraph::build(int operators) {
  b_.model.add_opset_import()->set_domain(Microsoft);
  b_.model.mutable_opset_import(1)->set_version(1);
  for (int i = random_.between(1, 2); i > 0; --i) {
    const model::Shape shape = input_shape();
    const Numbers as = result_numbers();
    const std::string name = fresh("input");
    if (random_.chance(0.3)) {
      keep(b_.input(name, shape, as.is_signed ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8), shape, as);
    } else {
      quantised(b_.input(name, shape), shape, as);
    }
  }
  const std::size_t inputs = tensors_.size();
  take_steps(*this, steps(), operators);
  if (tensors_.size() == inputs) requantise();
  std::set<std::string> read;
  for (const onnx::NodeProto& node : b_.model.graph().node())
    for (const std::string& input : node.input()) read.insert(input);
  for (std::size_t i = inputs; i < tensors_.size(); ++i) {
    const Tensor tensor = tensors_[i];
    const bool last = i + 1 == tensors_.size() && b_.model.graph().output_size() == 0;
    if (!last && !random_.chance(read.contains(tensor.name) ? 0.15 : 0.85)) continue;
    if (random_.chance(0.5)) {
      b_.output(dequantised(tensor));
    } else {
      b_.output(tensor.name, of(tensor).is_signed ? onnx::TensorProto::INT8 : onnx::TensorProto::UINT8);
    }
  }
  return b_.bytes();
}

RandomQuantisedGraph::Numbers RandomQuantisedGraph::numbers(float scale, int zero) {
  Numbers result{fresh("scale"), fresh("zero"), random_.chance(0.5)};
  b_.scalar(result.scale, scale);
  if (result.is_signed) {
    b_.zero(result.zero, zero);
  } else {
    b_.unsigned_zero(result.zero, zero + 128);
  }
  return result;
}

RandomQuantisedGraph::Numbers RandomQuantisedGraph::result_numbers() {
  const int zero = random_.chance(0.2) ? (random_.chance(0.5) ? -128 : 127) : random_.between(-60, 60);
  return numbers(static_cast<float>(0.004 + 0.03 * random_.unit()), zero);
}

void RandomQuantisedGraph::keep(const std::string& name, model::Shape shape, const Numbers& numbers) {
  tensors_.push_back({name, std::move(shape)});
  numbers_[name] = numbers;
}

std::string RandomQuantisedGraph::integer_weights(const model::Shape& shape, const std::string& name) {
  std::vector<std::int8_t> weights(static_cast<std::size_t>(elements(shape)));
  const bool sparse = random_.chance(0.3);
  for (std::int8_t& weight : weights)
    weight = sparse && random_.chance(0.7) ? std::int8_t{0} : static_cast<std::int8_t>(random_.between(-127, 127));
  return b_.constant(name, {shape, weights});
}

std::string RandomQuantisedGraph::integer_bias(std::int64_t outputs, const std::string& name) {
  std::vector<std::int32_t> bias(static_cast<std::size_t>(outputs));
  for (std::int32_t& value : bias) value = random_.between(-3000, 3000);
  return b_.constant(name, {{outputs}, bias});
}

/// One scale, or one for each output, so that sums of `row` products keep the size of their operands.
std::string RandomQuantisedGraph::weights_scale(const std::string& name, std::int64_t outputs, double row) {
  const auto scale = [&] { return static_cast<float>((0.7 + 0.6 * random_.unit()) / (73 * std::sqrt(row))); };
  if (random_.chance(0.5)) return b_.scalar(name, scale());
  std::vector<float> scales(static_cast<std::size_t>(outputs));
  for (float& each : scales) each = scale();
  return b_.floats(name, {outputs}, scales);
}

std::string RandomQuantisedGraph::dequantised(const Tensor& tensor) {
  const std::string real = fresh("real");
  add("DequantizeLinear", {tensor.name, of(tensor).scale, of(tensor).zero}, real, random_.chance(0.2) ? Microsoft : "");
  return real;
}

void RandomQuantisedGraph::quantised(const std::string& real, const model::Shape& shape, const Numbers& as) {
  const std::string result = fresh("quantised");
  add("QuantizeLinear", {real, as.scale, as.zero}, result, random_.chance(0.2) ? Microsoft : "");
  keep(result, shape, as);
}

/// Weights of several scales have several zero points, all 0.
bool RandomQuantisedGraph::qlinear_conv() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const Window w = window(in.shape, false);
  const std::int64_t channels = in.shape[1], group = groups(channels);
  const std::int64_t outputs = group * random_.between(1, group > 1 ? 2 : 16), row = channels / group;
  if (outputs * row * w.kernel[0] * w.kernel[1] * w.out_height * w.out_width > MostMacs) return false;
  const std::string result = fresh("qconv");
  const Numbers to = result_numbers();
  const std::string weights = integer_weights({outputs, row, w.kernel[0], w.kernel[1]}, result + ".w");
  const std::string scale =
      weights_scale(result + ".ws", outputs, static_cast<double>(row * w.kernel[0] * w.kernel[1]));
  const auto scales = b_.model.graph().initializer(b_.model.graph().initializer_size() - 1).dims();
  const std::string zero =
      b_.constant(result + ".wz", {model::Shape(scales.begin(), scales.end()),
                                   std::vector<std::int8_t>(scales.empty() ? 1U : static_cast<std::size_t>(outputs))});
  std::vector<std::string> inputs{in.name, of(in).scale, of(in).zero, weights, scale, zero, to.scale, to.zero};
  if (random_.chance(0.6)) inputs.push_back(integer_bias(outputs, result + ".b"));
  auto& node = add("QLinearConv", inputs, result);
  write_window(node, w, true);
  set(node, "group", group);
  keep(result, {1, outputs, w.out_height, w.out_width}, to);
  return true;
}

bool RandomQuantisedGraph::qlinear_mat_mul() {
  const Tensor* found = any(2);
  if (found == nullptr || found->shape.size() != 2 || found->shape[1] > MostInputs) return false;
  const Tensor in = *found;
  const std::int64_t outputs = random_.between(1, 20);
  const std::string result = fresh("qproduct");
  const Numbers to = result_numbers();
  const std::string weights = integer_weights({in.shape[1], outputs}, result + ".w");
  const std::string scale =
      b_.scalar(result + ".ws", static_cast<float>(1 / (73 * std::sqrt(static_cast<double>(in.shape[1])))));
  add("QLinearMatMul",
      {in.name, of(in).scale, of(in).zero, weights, scale, b_.zero(result + ".wz", 0), to.scale, to.zero}, result);
  keep(result, {1, outputs}, to);
  return true;
}

bool RandomQuantisedGraph::qgemm() {
  const Tensor* found = any(2);
  if (found == nullptr || found->shape[0] != 1 || elements(found->shape) > MostInputs) return false;
  Tensor in = *found;
  if (in.shape.size() != 2) {
    // Flattened between integers, whose numbers it keeps.
    const std::string flat = fresh("flat");
    set(add("Flatten", {in.name}, flat), "axis", 1);
    const Numbers same = of(in);
    keep(flat, {1, elements(in.shape)}, same);
    in = tensors_.back();
  }
  const std::int64_t outputs = random_.between(1, 20);
  const bool turned = random_.chance(0.5);
  const std::string result = fresh("qgemm");
  const Numbers to = result_numbers();
  const std::string weights =
      integer_weights(turned ? model::Shape{outputs, in.shape[1]} : model::Shape{in.shape[1], outputs}, result + ".w");
  const std::string scale =
      b_.scalar(result + ".ws", static_cast<float>(1 / (73 * std::sqrt(static_cast<double>(in.shape[1])))));
  const std::string bias = integer_bias(outputs, result + ".b");
  auto& node =
      add("QGemm",
          {in.name, of(in).scale, of(in).zero, weights, scale, b_.zero(result + ".wz", 0), bias, to.scale, to.zero},
          result, Microsoft);
  if (turned) set(node, "transB", 1);
  keep(result, {1, outputs}, to);
  return true;
}

bool RandomQuantisedGraph::qlinear_add() {
  const Tensor a = *any(), b = partner(a);
  const std::string result = fresh("qsum");
  const Numbers to = result_numbers();
  add("QLinearAdd", {a.name, of(a).scale, of(a).zero, b.name, of(b).scale, of(b).zero, to.scale, to.zero}, result,
      Microsoft);
  keep(result, a.shape, to);
  return true;
}

bool RandomQuantisedGraph::qlinear_concat() {
  const Tensor first = *any(2);
  const Numbers to = result_numbers();
  std::vector<std::string> inputs{to.scale, to.zero};
  model::Shape shape = first.shape;
  shape[1] = 0;
  for (int i = random_.between(1, 3); i > 0; --i) {
    const Tensor part = i == 1 ? first : partner(first);
    for (const std::string& input : {part.name, of(part).scale, of(part).zero}) inputs.push_back(input);
    shape[1] += part.shape[1];
  }
  if (elements(shape) > MostInputs) return false;
  const std::string result = fresh("qjoined");
  set(add("QLinearConcat", inputs, result, Microsoft), "axis", 1);
  keep(result, shape, to);
  return true;
}

bool RandomQuantisedGraph::qlinear_average_pool() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const Window w = window(in.shape, true);
  const std::string result = fresh("qpool");
  const Numbers to = result_numbers();
  auto& node = add("QLinearAveragePool", {in.name, of(in).scale, of(in).zero, to.scale, to.zero}, result, Microsoft);
  write_window(node, w, false);
  if (random_.chance(0.3)) set(node, "count_include_pad", 1);
  keep(result, {1, in.shape[1], w.out_height, w.out_width}, to);
  return true;
}

bool RandomQuantisedGraph::qlinear_global_average_pool() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const std::string result = fresh("qmean");
  const Numbers to = result_numbers();
  add("QLinearGlobalAveragePool", {in.name, of(in).scale, of(in).zero, to.scale, to.zero}, result, Microsoft);
  keep(result, {1, in.shape[1], 1, 1}, to);
  return true;
}

bool RandomQuantisedGraph::real_conv() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const Window w = window(in.shape, false);
  const std::int64_t outputs = random_.between(1, 12), channels = in.shape[1];
  if (outputs * channels * w.kernel[0] * w.kernel[1] * w.out_height * w.out_width > MostMacs) return false;
  const std::string result = fresh("conv");
  add("DequantizeLinear",
      {integer_weights({outputs, channels, w.kernel[0], w.kernel[1]}, result + ".w"),
       b_.scalar(result + ".ws",
                 static_cast<float>(1 / (73 * std::sqrt(static_cast<double>(channels * w.kernel[0] * w.kernel[1])))))},
      result + ".wr");
  auto& node = add("Conv", {dequantised(in), result + ".wr"}, result);
  write_window(node, w, true);
  std::string real = result;
  if (random_.chance(0.4)) add("Relu", {result}, real = result + ".relu");
  quantised(real, {1, outputs, w.out_height, w.out_width}, result_numbers());
  return true;
}

/// A largest value keeps the numbers of its input, or takes others.
bool RandomQuantisedGraph::real_max_pool() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const Window w = window(in.shape, true);
  const std::string result = fresh("most");
  write_window(add("MaxPool", {dequantised(in)}, result), w, false);
  const Numbers same = of(in);
  quantised(result, {1, in.shape[1], w.out_height, w.out_width}, random_.chance(0.5) ? same : result_numbers());
  return true;
}

bool RandomQuantisedGraph::real_average_pool() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const Window w = window(in.shape, true);
  const std::string result = fresh("mean");
  write_window(add("AveragePool", {dequantised(in)}, result), w, false);
  quantised(result, {1, in.shape[1], w.out_height, w.out_width}, result_numbers());
  return true;
}

bool RandomQuantisedGraph::real_add() {
  const Tensor a = *any(), b = partner(a);
  const std::string result = fresh("sum");
  const std::string first = dequantised(a), second = dequantised(b);
  add("Add", {first, second}, result);
  quantised(result, a.shape, result_numbers());
  return true;
}

bool RandomQuantisedGraph::real_relu() {
  const Tensor in = *any();
  const std::string result = fresh("relu");
  add("Relu", {dequantised(in)}, result);
  quantised(result, in.shape, result_numbers());
  return true;
}

bool RandomQuantisedGraph::real_multiply() {
  const Tensor a = *any(), b = partner(a);
  const std::string result = fresh("times");
  const std::string first = dequantised(a), second = dequantised(b);
  add("Mul", {first, second}, result);
  quantised(result, a.shape, result_numbers());
  return true;
}

bool RandomQuantisedGraph::requantise() {
  const Tensor in = *any();
  quantised(dequantised(in), in.shape, result_numbers());
  return true;
}

bool RandomQuantisedGraph::requantise_microsoft() {
  const Tensor in = *any();
  const std::string real = fresh("real"), result = fresh("quantised");
  const Numbers to = result_numbers();
  add("DequantizeLinear", {in.name, of(in).scale, of(in).zero}, real, Microsoft);
  add("QuantizeLinear", {real, to.scale, to.zero}, result, Microsoft);
  keep(result, in.shape, to);
  return true;
}

}  // namespace espalier::test
