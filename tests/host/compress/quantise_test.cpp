// Properties: a quantised network follows its float model closely with every range method; the fast executor has the
// reference's bits; export and import give the same integers;
// given ranges and moved values keep their levels; missing calibration and unquantised values are refused.
#include "compress/quantise.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/onnx_export.hpp"
#include "cpu/fast.hpp"
#include "esp_error.hpp"
#include "model/layer_text.hpp"
#include "model/onnx_import.hpp"
#include "networks.hpp"

namespace espalier::compress {
namespace {

using test::Random;

/// Signal to noise of the quantised outputs, as a ratio of energies.
double signal_to_noise(const model::Graph& graph, const Quantised& q, const std::vector<Sample>& samples) {
  const cpu::FloatExecutor floats(graph);
  const cpu::FastExecutor integers(q.network);
  double signal = 0, noise = 0;
  for (const Sample& sample : samples) {
    const auto expected = floats.run(sample)[static_cast<std::size_t>(graph.outputs[0].value)];
    const auto features = integers.run(std::vector<cpu::Tensor>{to_int8(q.inputs[0], sample[0])});
    const auto actual = to_real(q.outputs[0], features[static_cast<std::size_t>(q.network.outputs[0])]);
    EXPECT_EQ(expected.size(), actual.size());
    for (std::size_t i = 0; i < actual.size(); ++i) {
      signal += expected[i] * expected[i];
      noise += (expected[i] - actual[i]) * (expected[i] - actual[i]);
    }
  }
  return signal / noise;
}

TEST(Quantise, FollowsTheFloatModel) {
  Random random;
  for (const bool softmax : {false, true}) {
    const model::Graph graph = model::import_onnx_bytes(test::residual_network(random, softmax).bytes());
    const auto samples = test::random_samples(graph, 32, random);
    for (const RangeMethod method :
         {RangeMethod::MinMax, RangeMethod::Percentile, RangeMethod::MeanSquaredError, RangeMethod::Entropy}) {
      const Quantised q = quantise(graph, samples, {.method = method});
      EXPECT_EQ(q.outputs[0].softmax_axis.has_value(), softmax);
      EXPECT_EQ(q.outputs[0].shape, (model::Shape{1, 10}));
      EXPECT_GT(signal_to_noise(graph, q, samples), 100) << static_cast<int>(method);
    }
  }
}

TEST(Quantise, GivenRangesAreThoseOfThePorts) {
  Random random;
  const model::Graph graph = model::import_onnx_bytes(test::residual_network(random, false).bytes());
  const auto samples = test::random_samples(graph, 4, random);
  for (const RangeMethod method : {RangeMethod::MinMax, RangeMethod::MeanSquaredError}) {
    const Quantised q = quantise(graph, samples, {.method = method, .ranges = {{"y", {-1, 4.1F}}, {"image", {-2, 0}}}});
    EXPECT_FLOAT_EQ(q.outputs[0].scale, 0.02F);
    EXPECT_EQ(q.outputs[0].zero, -78);
    EXPECT_FLOAT_EQ(q.inputs[0].scale, 2.0F / 255);
  }
  EXPECT_THROW(quantise(graph, samples, {.ranges = {{"sum", {-1, 1}}}}), Error);
  EXPECT_THROW(quantise(graph, samples, {.ranges = {{"y", {1, 2}}}}), Error);
}

TEST(Quantise, TransposesRoundNothing) {
  Random random;
  test::OnnxBuilder b;
  b.input("x", {1, 5, 6, 3});
  test::OnnxBuilder::set(b.node("Transpose", {"x"}, "first"), "perm", {0, 3, 1, 2});
  test::add_conv(b, "first", "middle", 3, 4, 3, 1, 1, random);
  test::OnnxBuilder::set(b.node("Transpose", {"middle"}, "y"), "perm", {0, 2, 3, 1});
  b.output("y");
  const model::Graph graph = model::import_onnx_bytes(b.bytes());
  const Quantised q = quantise(graph, test::random_samples(graph, 4, random), {.ranges = {{"y", {-1, 1}}}});
  int transposes = 0;
  for (const model::Layer& layer : q.network.layers) {
    if (layer.op != "Transpose") continue;
    ++transposes;
    const auto& from = q.network.features[static_cast<std::size_t>(layer.inputs[0])];
    const auto& to = q.network.features[static_cast<std::size_t>(layer.output)];
    EXPECT_EQ(from.scale, to.scale);
    EXPECT_EQ(from.zero, to.zero);
  }
  EXPECT_EQ(transposes, 2);
}

TEST(Quantise, KeepsTheSourceOperators) {
  Random random;
  const model::Graph graph = model::import_onnx_bytes(test::residual_network(random, false).bytes());
  const Quantised q = quantise(graph, test::random_samples(graph, 2, random));
  EXPECT_EQ(q.network.layers.front().op, "Conv");
  EXPECT_EQ(q.network.layers.back().op, "Gemm");
  EXPECT_EQ(q.network.layers.size(), 11U);
}

TEST(Quantise, NeedsCalibration) {
  Random random;
  const model::Graph graph = model::import_onnx_bytes(test::residual_network(random, false).bytes());
  EXPECT_THROW(quantise(graph, {}), Error);
  EXPECT_THROW(lower_quantised(graph), Error);
}

TEST(Quantise, RefusesNumbersThatAreNotFinite) {
  Random random;
  test::OnnxBuilder b = test::residual_network(random, false);
  for (auto& tensor : *b.model.mutable_graph()->mutable_initializer())
    if (tensor.name() == "stem.w") tensor.mutable_raw_data()->replace(0, 4, std::string("\0\0\xc0\x7f", 4));
  const model::Graph graph = model::import_onnx_bytes(b.bytes());
  EXPECT_THROW(quantise(graph, test::random_samples(graph, 2, random)), Error);
}

TEST(FastExecutor, HasTheBitsOfTheReference) {
  for (std::uint64_t i = 0; i < 40; ++i) {
    Random random(i);
    const int groups = random.between(1, 3), size = random.between(1, 12);
    const int kernel = random.between(1, 4), pad = random.between(0, 3), dilation = random.between(1, 2);
    if ((kernel - 1) * dilation + 1 > size + 2 * pad) continue;
    const std::string text =
        "conv ic" + std::to_string(groups * random.between(1, 5)) + " ih" + std::to_string(size) + " iw" +
        std::to_string(size + random.between(0, 5)) + " oc" + std::to_string(groups * random.between(1, 6)) + " kh" +
        std::to_string(kernel) + " sh" + std::to_string(random.between(1, 4)) + " ph" + std::to_string(pad) + " dh" +
        std::to_string(dilation) + " g" + std::to_string(groups) + " density" + std::to_string(random.unit());
    const model::Network network = model::parse_layer(text, i + 1);
    cpu::Tensor input(network.features[0].elements());
    for (auto& value : input) value = random.byte();
    EXPECT_EQ(cpu::FastExecutor(network).run(std::vector<cpu::Tensor>{input}),
              cpu::run(network, std::vector<cpu::Tensor>{input}))
        << text;
  }
}

void expect_same_network(const model::Network& a, const model::Network& b) {
  ASSERT_EQ(a.layers.size(), b.layers.size());
  ASSERT_EQ(a.features.size(), b.features.size());
  EXPECT_EQ(a.inputs, b.inputs);
  EXPECT_EQ(a.outputs, b.outputs);
  for (std::size_t i = 0; i < a.features.size(); ++i) {
    EXPECT_EQ(a.features[i].zero, b.features[i].zero) << i;
    EXPECT_EQ(a.features[i].scale, b.features[i].scale) << i;
    EXPECT_EQ(a.features[i].elements(), b.features[i].elements()) << i;
  }
  for (std::size_t i = 0; i < a.layers.size(); ++i) {
    const model::Layer &x = a.layers[i], &y = b.layers[i];
    EXPECT_EQ(x.name, y.name);
    EXPECT_EQ(x.op, y.op) << x.name;
    EXPECT_EQ(x.inputs, y.inputs) << x.name;
    EXPECT_EQ(x.weights, y.weights) << x.name;
    EXPECT_EQ(x.bias, y.bias) << x.name;
    EXPECT_EQ(x.low, y.low) << x.name;
    EXPECT_EQ(x.high, y.high) << x.name;
    EXPECT_EQ(x.multiplier_b, y.multiplier_b) << x.name;
    EXPECT_EQ(x.ratio, y.ratio) << x.name;
    EXPECT_EQ(model::to_text(a, x), model::to_text(b, y));
    ASSERT_EQ(x.scale.size(), y.scale.size()) << x.name;
    for (std::size_t c = 0; c < x.scale.size(); ++c) {
      EXPECT_EQ(x.scale[c].multiplier, y.scale[c].multiplier) << x.name;
      EXPECT_EQ(x.scale[c].shift, y.scale[c].shift) << x.name;
    }
  }
}

TEST(OnnxExport, GivesTheSameIntegersAfterImport) {
  for (std::uint64_t i = 0; i < 6; ++i) {
    Random random(i);
    const model::Graph graph = model::import_onnx_bytes(test::residual_network(random, i % 2 == 1).bytes());
    const Quantised q = quantise(graph, test::random_samples(graph, 4, random));
    const Quantised again = lower_quantised(model::import_onnx_bytes(to_onnx(q)));
    expect_same_network(q.network, again.network);
    EXPECT_EQ(again.outputs[0].softmax_axis, q.outputs[0].softmax_axis);
    EXPECT_EQ(again.outputs[0].shape, q.outputs[0].shape);
    EXPECT_EQ(again.outputs[0].name, q.outputs[0].name);
    EXPECT_EQ(again.inputs[0].scale, q.inputs[0].scale);
  }
}

}  // namespace
}  // namespace espalier::compress
