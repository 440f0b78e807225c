// Small ONNX files for tests, written with the ONNX library.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::test {

/// Builds a model node by node; weights are a function of the tensor's name.
class OnnxBuilder {
 public:
  OnnxBuilder();

  onnx::ModelProto& model() { return model_; }
  void input(const std::string& name, const std::vector<std::int64_t>& shape, int type = onnx::TensorProto::FLOAT);
  void output(const std::string& name, const std::vector<std::int64_t>& shape, int type = onnx::TensorProto::FLOAT);
  /// A float constant of pseudo-random values in [-limit, limit].
  void weights(const std::string& name, const std::vector<std::int64_t>& shape, float limit);
  void scalar(const std::string& name, float value);
  /// A zero point.
  void zero(const std::string& name, int value, int type);
  onnx::NodeProto& node(const std::string& op, const std::vector<std::string>& inputs, const std::string& output);
  static void integers(onnx::NodeProto& node, const std::string& name, const std::vector<std::int64_t>& values);

  std::string bytes() const { return model_.SerializeAsString(); }

 private:
  onnx::ModelProto model_;
};

/// 3x8x8 -> Conv 3x3 -> Relu -> Conv 3x3 + residual -> GlobalAveragePool -> Flatten -> Gemm -> Softmax, float.
std::string float_model();

/// 2x6x6 uint8 -> QLinearConv 3x3 -> uint8.
std::string quantised_model();

/// A float model with an operator that no version executes.
std::string unsupported_model();

}  // namespace espalier::test
