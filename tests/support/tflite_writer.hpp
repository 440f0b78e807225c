// Small TensorFlow Lite files for tests, written tensor by tensor and operator by operator.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "model/array_bytes.hpp"
#include "tflite_file_generated.h"

namespace espalier::test {

namespace tflite = model::tflite;

struct TfliteScales {
  std::vector<float> scale;
  std::vector<std::int64_t> zero;
  int axis = 0;
};

/// Builds one file; every method that adds a tensor returns its index.
class TfliteWriter {
 public:
  using Options = flatbuffers::Offset<void>;

  int tensor(const std::string& name, const std::vector<int>& shape, tflite::TensorType type,
             const TfliteScales& scales = {}, const std::vector<std::uint8_t>& data = {},
             flatbuffers::Offset<tflite::SparsityParameters> sparsity = 0) {
    std::uint32_t buffer = 0;
    if (!data.empty()) {
      buffer = static_cast<std::uint32_t>(buffers_.size());
      buffers_.push_back(tflite::CreateBuffer(builder, builder.CreateVector(data)));
    }
    flatbuffers::Offset<tflite::QuantizationParameters> quantisation;
    if (!scales.scale.empty())
      quantisation = tflite::CreateQuantizationParameters(builder, builder.CreateVector(scales.scale),
                                                          builder.CreateVector(scales.zero), 0, scales.axis);
    tensors_.push_back(tflite::CreateTensor(builder, builder.CreateVector(shape), type, buffer,
                                            builder.CreateString(name), quantisation, false, sparsity));
    return static_cast<int>(tensors_.size()) - 1;
  }

  int constant(const std::string& name, const model::Array& array, const TfliteScales& scales = {}) {
    return tensor(name, std::vector<int>(array.shape.begin(), array.shape.end()), type_of(array.type()), scales,
                  model::encode_elements(array.values));
  }

  void node(int code, const std::vector<int>& inputs, int output,
            tflite::BuiltinOptions type = tflite::BuiltinOptions_NONE, Options options = 0) {
    node(code, inputs, std::vector<int>{output}, type, options);
  }
  void node(int code, const std::vector<int>& inputs, const std::vector<int>& outputs,
            tflite::BuiltinOptions type = tflite::BuiltinOptions_NONE, Options options = 0) {
    operators_.push_back(tflite::CreateOperator(builder, static_cast<std::uint32_t>(codes_.size()),
                                                builder.CreateVector(inputs), builder.CreateVector(outputs), type,
                                                options));
    codes_.push_back(
        tflite::CreateOperatorCode(builder, static_cast<std::int8_t>(code < 127 ? code : 127), 0, 1, code));
  }

  void convolution(const std::vector<int>& inputs, int output, tflite::Padding padding, int stride,
                   tflite::Activation activation) {
    node(3, inputs, output, tflite::BuiltinOptions_Conv2DOptions,
         tflite::CreateConv2DOptions(builder, padding, stride, stride, activation).Union());
  }
  void depthwise(const std::vector<int>& inputs, int output, tflite::Padding padding, int stride,
                 tflite::Activation activation) {
    node(4, inputs, output, tflite::BuiltinOptions_DepthwiseConv2DOptions,
         tflite::CreateDepthwiseConv2DOptions(builder, padding, stride, stride, 1, activation).Union());
  }
  void fully_connected(const std::vector<int>& inputs, int output) {
    node(9, inputs, output, tflite::BuiltinOptions_FullyConnectedOptions,
         tflite::CreateFullyConnectedOptions(builder).Union());
  }
  void reshape(int input, int output, const std::vector<int>& shape) {
    node(22, {input}, output, tflite::BuiltinOptions_ReshapeOptions,
         tflite::CreateReshapeOptions(builder, builder.CreateVector(shape)).Union());
  }

  /// Ends the file.
  std::string bytes(const std::vector<int>& inputs, const std::vector<int>& outputs) {
    const auto graph = tflite::CreateSubGraph(builder, builder.CreateVector(tensors_), builder.CreateVector(inputs),
                                              builder.CreateVector(outputs), builder.CreateVector(operators_),
                                              builder.CreateString("main"));
    const auto graphs = builder.CreateVector(std::vector{graph});
    const auto codes = builder.CreateVector(codes_);
    const auto buffers = builder.CreateVector(buffers_);
    tflite::FinishModelBuffer(builder, tflite::CreateModel(builder, 3, codes, graphs, 0, buffers));
    return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
  }

  flatbuffers::FlatBufferBuilder builder;

 private:
  static tflite::TensorType type_of(model::ElementType type) {
    switch (type) {
      case model::ElementType::Int8:
        return tflite::TensorType_Int8;
      case model::ElementType::UInt8:
        return tflite::TensorType_UInt8;
      case model::ElementType::Int32:
        return tflite::TensorType_Int32;
      default:
        return tflite::TensorType_Float32;
    }
  }

  std::vector<flatbuffers::Offset<tflite::Tensor>> tensors_;
  std::vector<flatbuffers::Offset<tflite::Operator>> operators_;
  std::vector<flatbuffers::Offset<tflite::OperatorCode>> codes_;
  // Buffer 0 is empty: tensors without data point to it.
  std::vector<flatbuffers::Offset<tflite::Buffer>> buffers_{tflite::CreateBuffer(builder)};
};

}  // namespace espalier::test
