// The official ONNX operator tests as a reference that this project did not write. Properties: the operators used are
// accepted and right; whatever else of the official tests is accepted is right as well, before and after all rewrites;
// everything else is refused with an espalier::Error; QLinearConv on the integer reference is exact.
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <set>

#include "compress/quantise.hpp"
#include "cpu/reference.hpp"
#include "esp_error.hpp"
#include "model/onnx_import.hpp"
#include "model/onnx_tensor.hpp"
#include "model/rewrites.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

const fs::path Root = ESPALIER_ONNX_TESTS;

std::string read_bytes(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

std::optional<onnx::TensorProto> read_proto(const fs::path& file) {
  onnx::TensorProto tensor;
  if (!fs::exists(file) || !tensor.ParseFromString(read_bytes(file))) return {};
  return tensor;
}

model::Array read_array(const onnx::TensorProto& tensor) {
  model::Budget budget(std::uint64_t{1} << 30);
  return model::read_tensor(tensor, {}, budget);
}

/// One official test: a model whose parameters are graph inputs, one set of inputs and the expected outputs.
struct Case {
  std::string model;
  std::vector<cpu::FloatTensor> inputs;
  std::vector<model::Array> outputs;
};

/// Operators whose inputs are all activations; of the others everything but the first input becomes a constant.
bool takes_activations(const std::string& op) {
  static const std::set<std::string> names = {"Add", "Sub", "Mul", "Div", "Concat", "MatMul"};
  return names.contains(op);
}

Case read_case(const fs::path& folder) {
  onnx::ModelProto model;
  if (!model.ParseFromString(read_bytes(folder / "model.onnx")))
    throw Error(ErrorCode::Model, "unreadable", folder.string());
  const fs::path data = folder / "test_data_set_0";
  Case result;
  std::set<std::string> initialised;
  for (const auto& tensor : model.graph().initializer()) initialised.insert(tensor.name());
  const bool bind = folder.parent_path().filename() == "node" && model.graph().node_size() > 0 &&
                    !takes_activations(model.graph().node(0).op_type());
  int number = 0;
  for (const auto& input : model.graph().input()) {
    if (initialised.contains(input.name())) continue;
    auto tensor = read_proto(data / ("input_" + std::to_string(number) + ".pb"));
    if (!tensor) throw Error(ErrorCode::Unsupported, "input is not a tensor", folder.string());
    if (bind && number > 0) {
      tensor->set_name(input.name());
      *model.mutable_graph()->add_initializer() = *tensor;
    } else {
      result.inputs.push_back(read_array(*tensor).as_floats());
    }
    ++number;
  }
  for (int i = 0; i < model.graph().output_size(); ++i) {
    const auto tensor = read_proto(data / ("output_" + std::to_string(i) + ".pb"));
    if (!tensor) throw Error(ErrorCode::Unsupported, "output is not a tensor", folder.string());
    result.outputs.push_back(read_array(*tensor));
  }
  result.model = model.SerializeAsString();
  return result;
}

void expect_equal(const model::Array& expected, const cpu::FloatTensor& actual, const std::string& what) {
  const std::vector<float> reals = expected.as_floats();
  const bool is_real = expected.type() == model::ElementType::Float || expected.type() == model::ElementType::Double;
  ASSERT_EQ(reals.size(), actual.size()) << what;
  int shown = 0;
  for (std::size_t i = 0; i < reals.size() && shown < 8; ++i) {
    const float tolerance = is_real ? 1e-4F + 1e-3F * std::abs(reals[i]) : 0.0F;
    const bool close = std::abs(reals[i] - actual[i]) <= tolerance || (std::isnan(reals[i]) && std::isnan(actual[i])) ||
                       (std::isinf(reals[i]) && reals[i] * actual[i] > 0 && std::isinf(actual[i]));
    if (close) continue;
    ADD_FAILURE() << what << " at " << i << ": expected " << reals[i] << ", actual " << actual[i];
    ++shown;
  }
}

std::vector<cpu::FloatTensor> outputs_of(const model::Graph& graph, const std::vector<cpu::FloatTensor>& inputs) {
  const auto values = cpu::FloatExecutor(graph).run(inputs);
  std::vector<cpu::FloatTensor> outputs;
  for (const model::Port& port : graph.outputs) {
    const auto& value = graph.is_constant(port.value) ? graph.value(port.value).constant->as_floats()
                                                      : values[static_cast<std::size_t>(port.value)];
    outputs.push_back(port.softmax_axis ? cpu::softmax(value, port.shape, static_cast<std::size_t>(*port.softmax_axis))
                                        : value);
  }
  return outputs;
}

/// Runs a case; false if the importer or executor refuses it.
bool run_case(const fs::path& folder) {
  const std::string name = folder.filename().string();
  std::optional<model::Graph> graph;
  Case test;
  std::vector<cpu::FloatTensor> actual;
  try {
    test = read_case(folder);
    graph = model::import_onnx_bytes(test.model);
    model::expand_qlinear(*graph);
    actual = outputs_of(*graph, test.inputs);
  } catch (const Error&) {
    return false;
  }
  EXPECT_EQ(actual.size(), test.outputs.size()) << name;
  for (std::size_t i = 0; i < std::min(actual.size(), test.outputs.size()); ++i)
    expect_equal(test.outputs[i], actual[i], name);
  if (model::is_quantised(*graph)) return true;
  try {
    const model::Graph canonical = model::canonicalise(*graph);
    actual = outputs_of(canonical, test.inputs);
  } catch (const Error&) {
    return true;
  }
  for (std::size_t i = 0; i < std::min(actual.size(), test.outputs.size()); ++i)
    expect_equal(test.outputs[i], actual[i], name + " after rewrites");
  return true;
}

class OnnxOperators : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Root.empty() || !fs::exists(Root)) GTEST_SKIP() << "the package libonnx-testdata is not installed";
  }
};

TEST_F(OnnxOperators, TheOperatorsUsedAreRight) {
  for (const char* name : {"add",
                           "add_bcast",
                           "averagepool_2d_ceil",
                           "averagepool_2d_default",
                           "averagepool_2d_pads",
                           "averagepool_2d_pads_count_include_pad",
                           "averagepool_2d_precomputed_pads",
                           "averagepool_2d_precomputed_pads_count_include_pad",
                           "averagepool_2d_precomputed_same_upper",
                           "averagepool_2d_precomputed_strides",
                           "averagepool_2d_same_lower",
                           "averagepool_2d_same_upper",
                           "averagepool_2d_strides",
                           "basic_conv_with_padding",
                           "basic_conv_without_padding",
                           "batchnorm_epsilon",
                           "batchnorm_example",
                           "clip",
                           "clip_default_inbounds",
                           "clip_default_max",
                           "clip_default_min",
                           "clip_example",
                           "clip_inbounds",
                           "clip_outbounds",
                           "clip_splitbounds",
                           "concat_1d_axis_0",
                           "concat_1d_axis_negative_1",
                           "concat_2d_axis_0",
                           "concat_2d_axis_1",
                           "concat_3d_axis_1",
                           "concat_3d_axis_2",
                           "concat_3d_axis_negative_3",
                           "constant_pad",
                           "conv_with_autopad_same",
                           "conv_with_strides_and_asymmetric_padding",
                           "conv_with_strides_no_padding",
                           "conv_with_strides_padding",
                           "dequantizelinear",
                           "dequantizelinear_axis",
                           "div",
                           "dropout_default",
                           "flatten_axis0",
                           "flatten_axis1",
                           "flatten_axis2",
                           "flatten_default_axis",
                           "flatten_negative_axis1",
                           "gemm_all_attributes",
                           "gemm_alpha",
                           "gemm_beta",
                           "gemm_default_matrix_bias",
                           "gemm_default_no_bias",
                           "gemm_default_scalar_bias",
                           "gemm_default_single_elem_vector_bias",
                           "gemm_default_vector_bias",
                           "gemm_default_zero_bias",
                           "gemm_transposeA",
                           "gemm_transposeB",
                           "globalaveragepool",
                           "globalaveragepool_precomputed",
                           "globalmaxpool",
                           "globalmaxpool_precomputed",
                           "identity",
                           "matmul_2d",
                           "maxpool_2d_ceil",
                           "maxpool_2d_default",
                           "maxpool_2d_dilations",
                           "maxpool_2d_pads",
                           "maxpool_2d_precomputed_pads",
                           "maxpool_2d_precomputed_same_upper",
                           "maxpool_2d_precomputed_strides",
                           "maxpool_2d_same_lower",
                           "maxpool_2d_same_upper",
                           "maxpool_2d_strides",
                           "maxpool_2d_uint8",
                           "mul",
                           "mul_bcast",
                           "qlinearconv",
                           "qlinearmatmul_2D",
                           "quantizelinear",
                           "quantizelinear_axis",
                           "relu",
                           "reshape_negative_dim",
                           "reshape_reordered_all_dims",
                           "reshape_zero_dim",
                           "softmax_axis_0",
                           "softmax_axis_1",
                           "softmax_default_axis",
                           "softmax_large_number",
                           "squeeze",
                           "sub",
                           "unsqueeze_axis_1",
                           "unsqueeze_two_axes"})
    EXPECT_TRUE(run_case(Root / "node" / (std::string("test_") + name))) << name << " is refused";
}

TEST_F(OnnxOperators, WhateverIsAcceptedIsRight) {
  int accepted = 0, refused = 0;
  for (const char* group : {"node", "pytorch-converted", "pytorch-operator", "simple"})
    for (const auto& entry : fs::directory_iterator(Root / group))
      if (fs::exists(entry.path() / "model.onnx")) ++(run_case(entry.path()) ? accepted : refused);
  std::cout << accepted << " official tests are accepted and right, " << refused << " are refused\n";
  EXPECT_GT(accepted, 600);
}

TEST_F(OnnxOperators, TheIntegerReferenceIsExactOnQLinearConv) {
  const Case test = read_case(Root / "node" / "test_qlinearconv");
  const compress::Quantised q = compress::lower_quantised(model::import_onnx_bytes(test.model));
  const auto features = cpu::run(q.network, std::vector<cpu::Tensor>{compress::to_int8(q.inputs[0], test.inputs[0])});
  expect_equal(test.outputs[0],
               compress::to_real(q.outputs[0], features[static_cast<std::size_t>(q.network.outputs[0])]),
               "qlinearconv");
}

/// The official quantisation cases through the functions that every run uses.
TEST_F(OnnxOperators, InputsAndOutputsAreQuantisedAsOnnxDoes) {
  const auto parameters = [](const std::string& name) {
    const fs::path data = Root / "node" / name / "test_data_set_0";
    std::vector<model::Array> arrays;
    for (const char* file : {"input_0.pb", "input_1.pb", "input_2.pb", "output_0.pb"})
      arrays.push_back(read_array(*read_proto(data / file)));
    return arrays;
  };
  auto arrays = parameters("test_quantizelinear");
  const auto zero = [&] { return static_cast<std::int32_t>(arrays[2].as_integers()[0]) - 128; };
  const compress::Input input{"x", model::ElementType::Float, arrays[0].shape, arrays[1].as_floats()[0], zero()};
  cpu::FloatTensor actual;
  for (const std::int8_t value : compress::to_int8(input, arrays[0].as_floats()))
    actual.push_back(static_cast<float>(value + 128));
  expect_equal(arrays[3], actual, "quantizelinear");

  arrays = parameters("test_dequantizelinear");
  const compress::Output output{"y", model::ElementType::Float, arrays[0].shape, arrays[1].as_floats()[0], zero(), {}};
  std::vector<std::int8_t> bytes;
  for (const std::int64_t value : arrays[0].as_integers()) bytes.push_back(static_cast<std::int8_t>(value - 128));
  expect_equal(arrays[3], compress::to_real(output, bytes), "dequantizelinear");
}

}  // namespace
}  // namespace espalier
