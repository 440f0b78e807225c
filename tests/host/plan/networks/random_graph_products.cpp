// Products: of rows with constant matrices, which the accelerator takes, and those that it refuses.
#include <cmath>

#include "random_graph.hpp"

namespace espalier::test {
namespace {

constexpr std::int64_t MostElements = 6000;  // of a refused product
constexpr std::int64_t MostMacs = 400'000;   // of a refused product
constexpr std::int64_t MostOutputs = 24;     // of a product with a matrix
constexpr std::int64_t MostInputs = 3000;

}  // namespace

/// A matrix of one row: there already, or flattened.
std::optional<RandomGraphBase::Tensor> RandomGraph::row() {
  const Tensor* found = any(2);
  if (found == nullptr || found->shape[0] != 1 || elements(found->shape) > MostInputs) return {};
  if (found->shape.size() == 2) return *found;
  const Tensor in = *found;
  const std::string result = fresh("flat");
  set(add("Flatten", {in.name}, result), "axis", 1);
  keep(result, {1, elements(in.shape)});
  return tensors_.back();
}

bool RandomGraph::gemm() {
  const std::optional<Tensor> found = row();
  if (!found) return false;
  const Tensor in = *found;
  const bool turned = random_.chance(0.5), wide = in.shape[1] < 40 && random_.chance(0.1);
  const std::int64_t outputs = wide ? random_.between(1001, 1100) : random_.between(1, MostOutputs);
  const std::string result = fresh("gemm");
  std::vector<std::string> inputs{in.name};
  inputs.push_back(b_.weights(
      result + ".w", turned ? model::Shape{outputs, in.shape[1]} : model::Shape{in.shape[1], outputs}, random_));
  if (random_.chance(0.7)) inputs.push_back(b_.weights(result + ".b", {outputs}, random_, 0.3F));
  auto& node = add("Gemm", inputs, result);
  if (turned) set(node, "transB", 1);
  if (random_.chance(0.2)) set_real(node, "alpha", 0.5F);
  if (random_.chance(0.2)) set_real(node, "beta", 2.0F);
  keep(result, {1, outputs});
  return true;
}

bool RandomGraph::mat_mul() {
  const std::optional<Tensor> found = row();
  if (!found) return false;
  const Tensor in = *found;
  const std::int64_t outputs = random_.between(1, MostOutputs);
  const std::string result = fresh("product");
  add("MatMul", {in.name, b_.weights(result + ".w", {in.shape[1], outputs}, random_)}, result);
  keep(result, {1, outputs});
  return true;
}

bool RandomGraph::integer_mat_mul() {
  if (opset_ < 11) return false;
  const std::optional<Tensor> found = row();
  if (!found) return false;
  const Tensor in = *found;
  const std::int64_t outputs = random_.between(1, MostOutputs);
  const std::string q = fresh("dynamic"), result = fresh("iproduct");
  add("DynamicQuantizeLinear", {in.name}, q).add_output(q + ".scale");
  b_.model.mutable_graph()->mutable_node(b_.model.graph().node_size() - 1)->add_output(q + ".zero");
  std::vector<std::int8_t> weights(static_cast<std::size_t>(outputs * in.shape[1]));
  for (std::int8_t& weight : weights) weight = static_cast<std::int8_t>(random_.between(-127, 127));
  b_.constant(result + ".w", {{in.shape[1], outputs}, weights});
  add("MatMulInteger", {q, result + ".w", q + ".zero", b_.zero(result + ".z", 0)}, result + ".sum");
  set(add("Cast", {result + ".sum"}, result + ".real"), "to", onnx::TensorProto::FLOAT);
  add("Mul", {q + ".scale", b_.scalar(result + ".s", 0.01F)}, result + ".scale");
  add("Mul", {result + ".real", result + ".scale"}, result);
  keep(result, {1, outputs});
  return true;
}

/// Larger than its input by the stride, with groups and more rows or columns at the end now and then.
bool RandomGraph::transposed_conv() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const std::int64_t group = random_.chance(0.2) ? groups(in.shape[1]) : 1;
  model::Shape weights{in.shape[1], random_.between(1, group > 1 ? 2 : 12)}, shape{1, weights[1] * group};
  std::vector<std::int64_t> strides, pads(4), more;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const int kernel = random_.between(1, 3), stride = random_.between(1, 3);
    weights.push_back(kernel);
    strides.push_back(stride);
    more.push_back(random_.chance(0.2) ? random_.between(0, stride - 1) : 0);
    for (const std::size_t side : {axis, axis + 2}) pads[side] = random_.between(0, (kernel - 1) / 2);
    shape.push_back((in.shape[axis + 2] - 1) * stride + kernel + more[axis] - pads[axis] - pads[axis + 2]);
  }
  if (elements(shape) > MostElements || elements(in.shape) * elements(weights) / in.shape[1] > MostMacs) return false;
  const std::string result = fresh("wider");
  const auto sums = static_cast<float>(weights[1] * group) / static_cast<float>(in.shape[1]);
  std::vector<std::string> inputs{in.name, b_.weights(result + ".w", weights, random_, 1.4F * std::sqrt(sums))};
  if (random_.chance(0.6)) inputs.push_back(b_.weights(result + ".b", {shape[1]}, random_, 0.3F));
  auto& node = add("ConvTranspose", inputs, result);
  set(node, "group", group);
  set(node, "strides", strides);
  set(node, "pads", pads);
  set(node, "output_padding", more);
  keep(result, shape);
  return true;
}

/// Sums of `count` products of activations keep the size of their operands.
void RandomGraph::divide(const std::string& sum, std::int64_t count, const std::string& result) {
  add("Mul", {sum, b_.scalar(result + ".part", 1 / static_cast<float>(count))}, result);
}

/// One map slides over another one of as many channels.
bool RandomGraph::conv_by_activation() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  std::vector<const Tensor*> fitting;  // itself, for one
  for (const Tensor& tensor : tensors_)
    if (is_map(tensor) && tensor.shape[1] == in.shape[1] && tensor.shape[2] <= in.shape[2] &&
        tensor.shape[3] <= in.shape[3])
      fitting.push_back(&tensor);
  const Tensor by = *fitting[index(fitting.size())];
  const model::Shape shape{1, 1, in.shape[2] - by.shape[2] + 1, in.shape[3] - by.shape[3] + 1};
  if (elements(shape) * elements(by.shape) > MostMacs) return false;
  const std::string result = fresh("matched");
  add("Conv", {in.name, by.name}, result + ".sum");
  divide(result + ".sum", elements(by.shape), result);
  keep(result, shape);
  return true;
}

/// Every channel by every other one, or every pixel by every other one, as attention has it.
bool RandomGraph::mat_mul_of_two() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const std::int64_t channels = in.shape[1], pixels = in.shape[2] * in.shape[3];
  const bool by_pixel = random_.chance(0.5);
  const std::int64_t rows = by_pixel ? pixels : channels, length = by_pixel ? channels : pixels;
  if (rows * rows > MostElements || rows * rows * length > MostMacs) return false;
  const std::string result = fresh("attention");
  add("Reshape", {in.name, shape_constant({1, channels, pixels})}, result + ".rows");
  set(add("Transpose", {result + ".rows"}, result + ".columns"), "perm", std::vector<std::int64_t>{0, 2, 1});
  const std::string first = by_pixel ? ".columns" : ".rows", second = by_pixel ? ".rows" : ".columns";
  add("MatMul", {result + first, result + second}, result + ".sum");
  divide(result + ".sum", length, result);
  keep(result, {1, rows, rows});
  return true;
}

/// The channels' means weigh the pixels. A Gemm without a sum is of operator set 11.
bool RandomGraph::gemm_of_two() {
  const Tensor* found = any_map();
  if (found == nullptr || opset_ < 11) return false;
  const Tensor in = *found;
  const std::int64_t channels = in.shape[1], pixels = in.shape[2] * in.shape[3];
  const std::string result = fresh("weighed");
  add("GlobalAveragePool", {in.name}, result + ".mean");
  set(add("Flatten", {result + ".mean"}, result + ".row"), "axis", 1);
  add("Reshape", {in.name, shape_constant({channels, pixels})}, result + ".rows");
  add("Gemm", {result + ".row", result + ".rows"}, result + ".sum");
  divide(result + ".sum", channels, result);
  keep(result, {1, pixels});
  return true;
}

}  // namespace espalier::test
