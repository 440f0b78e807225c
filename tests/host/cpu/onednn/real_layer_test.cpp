// Properties: layers that are computed in float32 between integers, and channels that only change their place, have the
// bits of the reference in both fast executors: functions of single values, moves, and what is neither; with scales
// that differ before and behind.
#include <gtest/gtest.h>

#include <functional>

#include "compress/quantise.hpp"
#include "cpu/fast.hpp"
#include "cpu/onednn/integer_executor.hpp"
#include "cpu/real_layer.hpp"
#include "host/model/onnx_builder.hpp"
#include "model/onnx_import.hpp"

namespace espalier::test {
namespace {

void set_text(onnx::NodeProto& node, const std::string& key, const std::string& value) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(key);
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s(value);
}

/// A convolution, what `build` adds behind its result "c" (1 x 8 x 6 x 4) as "y", quantised on random samples.
template <typename Build>
compress::Quantised quantised(Random& random, Build&& build) {
  OnnxBuilder b(13);
  b.node("Conv", {b.input("x", {1, 3, 6, 4}), b.weights("w", {8, 3, 1, 1}, random)}, "c");
  build(b);
  b.output("y");
  const model::Graph graph = model::import_onnx_bytes(b.bytes());
  std::vector<compress::Sample> samples(4);
  for (compress::Sample& sample : samples) {
    sample.emplace_back(3 * 6 * 4);
    for (float& value : sample[0]) value = static_cast<float>(random.between(-1000, 1000)) / 300.0F;
  }
  return compress::quantise(graph, samples);
}

std::size_t count_real(const model::Network& network) {
  std::size_t count = 0;
  for (const model::Layer& layer : network.layers) count += layer.kind == model::LayerKind::Real ? 1 : 0;
  return count;
}

void expect_same_bits(const model::Network& network, Random& random, const std::string& what) {
  cpu::Tensor input(network.features[static_cast<std::size_t>(network.inputs[0])].elements());
  for (std::int8_t& value : input) value = random.byte();
  const std::vector<cpu::Tensor> inputs{input};
  const auto expected = cpu::run(network, inputs);
  const auto fast = cpu::FastExecutor(network).run(inputs);
  for (const int output : network.outputs)
    EXPECT_EQ(fast[static_cast<std::size_t>(output)], expected[static_cast<std::size_t>(output)]) << what;
  if (!cpu::onednn_integers_are_exact()) return;
  cpu::OneDnnIntegerExecutor executor(network);
  const auto outputs = executor.run(inputs);
  for (std::size_t i = 0; i < outputs.size(); ++i)
    EXPECT_EQ(outputs[i], expected[static_cast<std::size_t>(network.outputs[i])]) << what;
}

TEST(RealLayer, FunctionsOfSingleValues) {
  for (const char* op :
       {"Sigmoid", "HardSwish", "HardSigmoid", "Tanh", "Elu", "LeakyRelu", "Exp", "Softplus", "Abs", "Sin"}) {
    Random random;
    const auto q = quantised(random, [&](OnnxBuilder& b) {
      b.model.mutable_opset_import(0)->set_version(14);
      b.node(op, {"c"}, "y");
    });
    EXPECT_EQ(count_real(q.network), 1U) << op;
    expect_same_bits(q.network, random, op);
  }
}

TEST(RealLayer, Moves) {
  const auto expect = [](const std::string& what, const std::function<void(OnnxBuilder&)>& build) {
    Random random;
    const auto q = quantised(random, build);
    ASSERT_EQ(count_real(q.network), 1U) << what;
    for (const model::Layer& layer : q.network.layers)
      if (layer.kind == model::LayerKind::Real) {
        EXPECT_FALSE(cpu::RealLayer(q.network, layer).places().empty()) << what;
      }
    expect_same_bits(q.network, random, what);
  };
  expect("Transpose", [](auto& b) { OnnxBuilder::set(b.node("Transpose", {"c"}, "y"), "perm", {0, 2, 3, 1}); });
  expect("DepthToSpace", [](auto& b) { OnnxBuilder::set(b.node("DepthToSpace", {"c"}, "y"), "blocksize", 2); });
  expect("SpaceToDepth", [](auto& b) { OnnxBuilder::set(b.node("SpaceToDepth", {"c"}, "y"), "blocksize", 2); });
  expect("Slice", [](auto& b) {
    b.constant("from", {{2}, std::vector<std::int64_t>{1, -1}});
    b.constant("to", {{2}, std::vector<std::int64_t>{7, -9}});
    b.constant("axes", {{2}, std::vector<std::int64_t>{1, 2}});
    b.constant("steps", {{2}, std::vector<std::int64_t>{2, -1}});
    b.node("Slice", {"c", "from", "to", "axes", "steps"}, "y");
  });
  expect("Resize", [](auto& b) {
    b.constant("sizes", {{4}, std::vector<std::int64_t>{1, 8, 9, 12}});
    b.node("Resize", {"c", "", "", "sizes"}, "y");
  });
  expect("Pad", [](auto& b) {
    b.constant("pads", {{8}, std::vector<std::int64_t>{0, 0, 2, 1, 0, 0, 1, 2}});
    set_text(b.node("Pad", {"c", "pads"}, "y"), "mode", "reflect");
  });
}

TEST(RealLayer, MovesAtBothEnds) {
  for (const bool alone : {false, true}) {
    Random random;
    OnnxBuilder b(14);
    const std::string x = b.input("x", {1, 6, 4, 3});
    OnnxBuilder::set(b.node("Transpose", {x}, alone ? "y" : "t"), "perm", {0, 3, 1, 2});
    if (!alone) {
      b.node("Conv", {"t", b.weights("w", {8, 3, 1, 1}, random)}, "c");
      b.node("Sigmoid", {"c"}, "s");
      OnnxBuilder::set(b.node("Transpose", {"s"}, "y"), "perm", {0, 2, 3, 1});
    }
    b.output("y");
    std::vector<compress::Sample> samples(4);
    for (compress::Sample& sample : samples) {
      sample.emplace_back(3 * 6 * 4);
      for (float& value : sample[0]) value = static_cast<float>(random.between(-1000, 1000)) / 300.0F;
    }
    expect_same_bits(compress::quantise(model::import_onnx_bytes(b.bytes()), samples).network, random,
                     alone ? "alone" : "ends");
  }
}

TEST(RealLayer, EverythingElseInFloat) {
  Random random;
  const auto q = quantised(random, [&](OnnxBuilder& b) {
    b.node("GlobalAveragePool", {"c"}, "g");
    b.node("Sigmoid", {"g"}, "s");
    b.node("Mul", {"c", "s"}, "m");
    b.constant("sizes", {{4}, std::vector<std::int64_t>{1, 8, 9, 7}});
    set_text(b.node("Resize", {"m", "", "", "sizes"}, "r"), "mode", "linear");
    b.node("ConvTranspose", {"r", b.weights("t", {8, 5, 2, 2}, random)}, "y");
  });
  EXPECT_EQ(count_real(q.network), 4U);
  expect_same_bits(q.network, random, "float");
}

TEST(RealLayer, ZerosBesideChannelsAreAConvolutionThatMovesThem) {
  for (const bool before : {false, true}) {
    Random random;
    const auto q = quantised(random, [&](OnnxBuilder& b) {
      b.floats("zeros", {1, 3, 6, 4}, std::vector<float>(3 * 6 * 4, 0.0F));
      const std::vector<std::string> parts =
          before ? std::vector<std::string>{"zeros", "c"} : std::vector<std::string>{"c", "zeros"};
      OnnxBuilder::set(b.node("Concat", parts, "j"), "axis", 1);
      b.node("Conv", {"c", b.weights("v", {11, 8, 1, 1}, random)}, "d");
      b.node("Add", {"d", "j"}, "y");
    });
    EXPECT_EQ(count_real(q.network), 0U);
    expect_same_bits(q.network, random, "Concat");
  }
}

}  // namespace
}  // namespace espalier::test
