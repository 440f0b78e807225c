#include "models.hpp"

#include <random>

namespace espalier::test {
namespace {

void shape_of(onnx::ValueInfoProto& value, const std::string& name, const std::vector<std::int64_t>& shape, int type) {
  value.set_name(name);
  auto* tensor = value.mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(type);
  for (const std::int64_t size : shape) tensor->mutable_shape()->add_dim()->set_dim_value(size);
}

}  // namespace

OnnxBuilder::OnnxBuilder() {
  model_.set_ir_version(7);
  model_.add_opset_import()->set_version(13);
  model_.mutable_graph()->set_name("test");
}

void OnnxBuilder::input(const std::string& name, const std::vector<std::int64_t>& shape, int type) {
  shape_of(*model_.mutable_graph()->add_input(), name, shape, type);
}

void OnnxBuilder::output(const std::string& name, const std::vector<std::int64_t>& shape, int type) {
  shape_of(*model_.mutable_graph()->add_output(), name, shape, type);
}

void OnnxBuilder::weights(const std::string& name, const std::vector<std::int64_t>& shape, float limit) {
  auto* tensor = model_.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  std::int64_t count = 1;
  for (const std::int64_t size : shape) {
    tensor->add_dims(size);
    count *= size;
  }
  std::mt19937 engine(static_cast<unsigned>(name.size() * 7919 + static_cast<unsigned char>(name.front())));
  std::uniform_real_distribution<float> value(-limit, limit);
  for (std::int64_t i = 0; i < count; ++i) tensor->add_float_data(value(engine));
}

void OnnxBuilder::scalar(const std::string& name, float value) {
  auto* tensor = model_.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(onnx::TensorProto::FLOAT);
  tensor->add_float_data(value);
}

void OnnxBuilder::zero(const std::string& name, int value, int type) {
  auto* tensor = model_.mutable_graph()->add_initializer();
  tensor->set_name(name);
  tensor->set_data_type(type);
  tensor->add_int32_data(value);
}

onnx::NodeProto& OnnxBuilder::node(const std::string& op, const std::vector<std::string>& inputs,
                                   const std::string& output) {
  auto* node = model_.mutable_graph()->add_node();
  node->set_op_type(op);
  node->set_name(output + "_node");
  for (const std::string& input : inputs) node->add_input(input);
  node->add_output(output);
  return *node;
}

void OnnxBuilder::integers(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values) {
  auto* attribute = node.add_attribute();
  attribute->set_name(name);
  attribute->set_type(onnx::AttributeProto::INTS);
  for (const std::int64_t value : values) attribute->add_ints(value);
}

std::string float_model() {
  OnnxBuilder builder;
  builder.input("image", {1, 3, 8, 8});
  builder.weights("w1", {16, 3, 3, 3}, 0.3F);
  builder.weights("bias1", {16}, 0.1F);
  builder.weights("weights2", {16, 16, 3, 3}, 0.1F);
  builder.weights("weights_of_classes", {16, 10}, 0.5F);
  OnnxBuilder::integers(builder.node("Conv", {"image", "w1", "bias1"}, "c1"), "pads", {1, 1, 1, 1});
  builder.node("Relu", {"c1"}, "r1");
  OnnxBuilder::integers(builder.node("Conv", {"r1", "weights2"}, "c2"), "pads", {1, 1, 1, 1});
  builder.node("Add", {"c2", "r1"}, "sum");
  builder.node("Relu", {"sum"}, "r2");
  builder.node("GlobalAveragePool", {"r2"}, "mean");
  builder.node("Flatten", {"mean"}, "flat");
  builder.node("Gemm", {"flat", "weights_of_classes"}, "logits");
  builder.node("Softmax", {"logits"}, "classes");
  builder.output("classes", {1, 10});
  return builder.bytes();
}

std::string quantised_model() {
  OnnxBuilder builder;
  builder.input("x", {1, 2, 6, 6}, onnx::TensorProto::UINT8);
  builder.scalar("x_scale", 0.02F);
  builder.zero("x_zero", 120, onnx::TensorProto::UINT8);
  builder.scalar("w_scale", 0.01F);
  builder.zero("w_zero", 0, onnx::TensorProto::INT8);
  builder.scalar("y_scale", 0.03F);
  builder.zero("y_zero", 128, onnx::TensorProto::UINT8);
  auto* weights = builder.model().mutable_graph()->add_initializer();
  weights->set_name("w");
  weights->set_data_type(onnx::TensorProto::INT8);
  for (const int size : {4, 2, 3, 3}) weights->add_dims(size);
  for (int i = 0; i < 4 * 2 * 9; ++i) weights->add_int32_data((i * 37) % 255 - 127);
  OnnxBuilder::integers(
      builder.node("QLinearConv", {"x", "x_scale", "x_zero", "w", "w_scale", "w_zero", "y_scale", "y_zero"}, "y"),
      "pads", {1, 1, 1, 1});
  builder.output("y", {1, 4, 6, 6}, onnx::TensorProto::UINT8);
  return builder.bytes();
}

std::string unsupported_model() {
  OnnxBuilder builder;
  builder.input("x", {1, 2, 4, 4});
  builder.node("Erf", {"x"}, "y");
  builder.output("y", {1, 2, 4, 4});
  return builder.bytes();
}

}  // namespace espalier::test
