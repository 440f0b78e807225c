// Properties, on committed results of TensorFlow Lite (vectors/):
//   - every layer of a small network of our own is at most one step from TensorFlow Lite's on the same input
//   - the MLPerf Tiny networks, where their files are found, answer as TensorFlow Lite does
// ESPALIER_MODELS names the folder of those files; without it they are looked for beside the checkout. What is left out
// is printed. ESPALIER_WRITE_NETWORK=FILE writes the small network for tflite_oracle.cjs.
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>

#include "compress/quantise.hpp"
#include "model/model_import.hpp"
#include "model/random.hpp"
#include "model/tflite_import.hpp"
#include "tflite_compare.hpp"
#include "tflite_writer.hpp"

namespace espalier::test {
namespace {

namespace tflite = model::tflite;
const std::filesystem::path Vectors = ESPALIER_VECTORS;

model::Array weights(model::Random& random, model::Shape shape, model::ElementType type, int limit) {
  std::vector<double> values(static_cast<std::size_t>(model::count_elements(shape, "weights")));
  for (double& value : values) value = static_cast<double>(random.between(-limit, limit));
  return model::make_array(type, std::move(shape), values);
}

TfliteScales channel_scales(model::Random& random, int channels, double unit, int axis) {
  TfliteScales scales{{}, std::vector<std::int64_t>(static_cast<std::size_t>(channels), 0), axis};
  for (int i = 0; i < channels; ++i) scales.scale.push_back(static_cast<float>(unit * (0.4 + random.unit())));
  return scales;
}

/// Biases in the unit of the products.
TfliteScales bias_scales(const TfliteScales& weights, float input) {
  TfliteScales scales = weights;
  scales.axis = 0;
  for (float& scale : scales.scale) scale *= input;
  return scales;
}

/// Convolution with ReLU6, depthwise convolution, 1 x 1 convolution and a product, per-channel scales.
std::string small_network() {
  constexpr auto Int8 = tflite::TensorType_Int8;
  model::Random random(5);
  TfliteWriter w;
  const int image = w.tensor("image", {1, 9, 7, 3}, Int8, {{0.03F}, {4}});
  const TfliteScales first = channel_scales(random, 8, 0.004, 0);
  const int kernel = w.constant("kernel", weights(random, {8, 3, 3, 3}, model::ElementType::Int8, 127), first);
  const int bias = w.constant("bias", weights(random, {8}, model::ElementType::Int32, 4000), bias_scales(first, 0.03F));
  const int map = w.tensor("map", {1, 5, 4, 8}, Int8, {{0.0235F}, {-128}});
  w.convolution({image, kernel, bias}, map, tflite::Padding_Same, 2, tflite::Activation_Relu6);
  const TfliteScales second = channel_scales(random, 8, 0.006, 3);
  const int spread = w.constant("spread", weights(random, {1, 3, 3, 8}, model::ElementType::Int8, 127), second);
  const int offset =
      w.constant("offset", weights(random, {8}, model::ElementType::Int32, 3000), bias_scales(second, 0.0235F));
  const int depth = w.tensor("depth", {1, 5, 4, 8}, Int8, {{0.07F}, {3}});
  w.depthwise({map, spread, offset}, depth, tflite::Padding_Same, 1, tflite::Activation_None);
  const TfliteScales third = channel_scales(random, 6, 0.005, 0);
  const int mix = w.constant("mix", weights(random, {6, 1, 1, 8}, model::ElementType::Int8, 127), third);
  const int shift =
      w.constant("shift", weights(random, {6}, model::ElementType::Int32, 2000), bias_scales(third, 0.07F));
  const int mixed = w.tensor("mixed", {1, 5, 4, 6}, Int8, {{0.05F}, {-128}});
  w.convolution({depth, mix, shift}, mixed, tflite::Padding_Valid, 1, tflite::Activation_Relu);
  const int flat = w.tensor("flat", {1, 120}, Int8, {{0.05F}, {-128}});
  w.reshape(mixed, flat, {1, 120});
  const int rows = w.constant("rows", weights(random, {5, 120}, model::ElementType::Int8, 127), {{0.004F}, {0}});
  const int constant =
      w.constant("constant", weights(random, {5}, model::ElementType::Int32, 5000), {{0.004F * 0.05F}, {0}});
  const int scores = w.tensor("scores", {1, 5}, Int8, {{0.2F}, {-7}});
  w.fully_connected({flat, rows, constant}, scores);
  return w.bytes({image}, {scores});
}

TEST(TrainedNetworks, LayersAreOneStepFromTensorFlowLite) {
  const std::string bytes = small_network();
  if (const char* file = std::getenv("ESPALIER_WRITE_NETWORK")) std::ofstream(file, std::ios::binary) << bytes;
  const OracleFile oracle(Vectors / "small.oracle");
  const compress::Quantised quantised = compress::lower_quantised(model::import_tflite_bytes(bytes));
  const Match matched = match(quantised, oracle);
  const LayerComparison layers = compare_layers(quantised, oracle, matched);
  std::cout << "differences of layers:" << layers.all.text() << "\n";
  EXPECT_EQ(layers.wrong, "");
  EXPECT_EQ(layers.compared, 4U);
  EXPECT_TRUE(compare_answers(quantised, oracle, matched).reference);
}

std::filesystem::path networks_folder() {
  const char* given = std::getenv("ESPALIER_MODELS");
  return given != nullptr ? std::filesystem::path(given) : std::filesystem::path(ESPALIER_BESIDE) / "shared/models";
}

class TinyNetwork : public testing::TestWithParam<const char*> {};

TEST_P(TinyNetwork, AnswersAsTensorFlowLite) {
  const std::string name = GetParam();
  const std::filesystem::path file = networks_folder() / ("mlperf_tiny_" + name + "_int8.tflite");
  if (!std::filesystem::exists(file))
    GTEST_SKIP() << "left out: " << file.filename().string() << "; set ESPALIER_MODELS to its folder";
  const OracleFile oracle(Vectors / (name + ".oracle"));
  std::cout << "left out: all but " << oracle.samples()
            << " inputs and the layers inside; ./run proof models has them\n";
  const compress::Quantised quantised = compress::lower_quantised(model::import_model(file.string()).graph);
  const AnswerComparison answers = compare_answers(quantised, oracle, match(quantised, oracle));
  std::cout << "differences before the softmax:" << answers.all.text() << "\n";
  EXPECT_TRUE(answers.reference);
  if (quantised.outputs[0].softmax_axis) EXPECT_EQ(answers.same, oracle.samples());
  EXPECT_LE(answers.all.largest(), 3);
}
INSTANTIATE_TEST_SUITE_P(All, TinyNetwork, testing::Values("resnet8", "dscnn", "mobilenetv1_025", "autoencoder"));

}  // namespace
}  // namespace espalier::test
