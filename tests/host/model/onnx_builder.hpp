// Small ONNX models for tests, written node by node.
#pragma once

#include <onnx/onnx_pb.h>

#include <cmath>
#include <initializer_list>
#include <string>
#include <vector>

#include "model/onnx_tensor.hpp"
#include "random.hpp"

namespace espalier::test {

/// Builds a model; every method returns the name of the value it makes.
class OnnxBuilder {
 public:
  explicit OnnxBuilder(int opset = 13) {
    model.set_ir_version(7);
    model.add_opset_import()->set_version(opset);
    model.mutable_graph()->set_name("test");
  }

  std::string input(const std::string& name, const model::Shape& shape, int type = onnx::TensorProto::FLOAT) {
    set_type(*model.mutable_graph()->add_input(), name, shape, type);
    return name;
  }

  void output(const std::string& name, int type = onnx::TensorProto::FLOAT) {
    auto& info = *model.mutable_graph()->add_output();
    info.set_name(name);
    info.mutable_type()->mutable_tensor_type()->set_elem_type(type);
  }

  std::string constant(const std::string& name, const model::Array& array) {
    *model.mutable_graph()->add_initializer() = model::write_tensor(array, name);
    return name;
  }

  std::string floats(const std::string& name, const model::Shape& shape, std::vector<float> values) {
    return constant(name, {shape, std::move(values)});
  }

  std::string scalar(const std::string& name, float value) { return constant(name, {{}, std::vector<float>{value}}); }
  std::string zero(const std::string& name, int value) {
    return constant(name, {{}, std::vector<std::int8_t>{static_cast<std::int8_t>(value)}});
  }
  std::string unsigned_zero(const std::string& name, int value) {
    return constant(name, {{}, std::vector<std::uint8_t>{static_cast<std::uint8_t>(value)}});
  }

  /// Gaussian weights, scaled so that activations keep their size.
  std::string weights(const std::string& name, const model::Shape& shape, Random& random, float spread = 1.0F) {
    std::size_t count = 1, row = 1;
    for (std::size_t i = 0; i < shape.size(); ++i) {
      count *= static_cast<std::size_t>(shape[i]);
      if (i > 0) row *= static_cast<std::size_t>(shape[i]);
    }
    std::normal_distribution<float> normal(0.0F, spread / std::sqrt(static_cast<float>(row)));
    std::vector<float> values(count);
    for (float& value : values) value = normal(random.engine());
    return floats(name, shape, std::move(values));
  }

  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs, const std::string& result,
                        const std::string& domain = {}) {
    auto& proto = *model.mutable_graph()->add_node();
    proto.set_op_type(op);
    proto.set_name(result + "_node");
    proto.set_domain(domain);
    for (const auto& name : inputs) proto.add_input(name);
    proto.add_output(result);
    return proto;
  }

  static void set(onnx::NodeProto& proto, const std::string& key, std::int64_t value) {
    auto& attribute = *proto.add_attribute();
    attribute.set_name(key);
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value);
  }
  static void set(onnx::NodeProto& proto, const std::string& key, std::initializer_list<std::int64_t> values) {
    auto& attribute = *proto.add_attribute();
    attribute.set_name(key);
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const auto value : values) attribute.add_ints(value);
  }

  std::string bytes() const { return model.SerializeAsString(); }

  onnx::ModelProto model;

 private:
  static void set_type(onnx::ValueInfoProto& info, const std::string& name, const model::Shape& shape, int type) {
    info.set_name(name);
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    tensor.set_elem_type(type);
    for (const auto size : shape) {
      auto& dim = *tensor.mutable_shape()->add_dim();
      if (size > 0)
        dim.set_dim_value(size);
      else
        dim.set_dim_param("N");
    }
  }
};

}  // namespace espalier::test
