// Properties: oneDNN's results are those of the float reference, within what float32 rounds,
//   - for every operator, with padding, groups, strides and dilations at random
//   - for what a convolution computes besides: normalisation, factors and sums per channel, activations
//   - for maps that are read in two layouts, and for buffers that share memory, run after run
// What it cannot execute is refused by name.
#include "executor_comparison.hpp"

namespace espalier::test {
namespace {

void set_text(onnx::NodeProto& node, const std::string& key, const std::string& value) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(key);
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s(value);
}

/// A convolution with random sizes on `source`, which has `channels`; gives the name of its result and its channels.
std::pair<std::string, int> random_convolution(OnnxBuilder& b, const std::string& source, int channels, Random& random,
                                               const std::string& name) {
  const bool depthwise = random.chance(0.3);
  const int groups = depthwise ? channels : channels % 2 == 0 && random.chance(0.3) ? 2 : 1;
  const int outputs = groups * random.between(1, depthwise ? 2 : 9);
  const int kernel = random.between(1, 3), stride = random.between(1, 2), dilation = random.between(1, 2);
  std::vector<std::string> inputs{source, b.weights(name + "_w", {outputs, channels / groups, kernel, kernel}, random)};
  if (random.chance(0.6))
    inputs.push_back(b.floats(name + "_b", {outputs}, random_tensor(static_cast<std::size_t>(outputs), random)));
  auto& node = b.node("Conv", inputs, name);
  OnnxBuilder::set(node, "group", groups);
  OnnxBuilder::set(node, "strides", {stride, stride});
  OnnxBuilder::set(node, "dilations", {dilation, dilation});
  const int room = (kernel - 1) * dilation;
  OnnxBuilder::set(node, "pads", {random.between(0, room), random.between(0, room), room, random.between(0, room)});
  return {name, outputs};
}

TEST(OneDnn, ConvolutionsOfAllKinds) {
  for (int i = 0; i < 60; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b;
    const int channels = random.between(1, 20);
    const std::string x = b.input("x", {1, channels, random.between(5, 12), random.between(5, 12)});
    b.output(random_convolution(b, x, channels, random, "y").first);
    expect_equal(b, random);
  }
}

std::string normalisation(OnnxBuilder& b, const std::string& source, int channels, Random& random,
                          const std::string& name) {
  const auto size = static_cast<std::size_t>(channels);
  cpu::FloatTensor variance = random_tensor(size, random);
  for (float& number : variance) number = std::abs(number) + 0.1F;
  b.node("BatchNormalization",
         {source, b.floats(name + "_s", {channels}, random_tensor(size, random)),
          b.floats(name + "_o", {channels}, random_tensor(size, random)),
          b.floats(name + "_m", {channels}, random_tensor(size, random)), b.floats(name + "_v", {channels}, variance)},
         name);
  return name;
}

TEST(OneDnn, AConvolutionComputesWhatIsBehindIt) {
  for (int i = 0; i < 40; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b;
    const std::string x = b.input("x", {1, 6, 9, 8});
    auto [last, channels] = random_convolution(b, x, 6, random, "c");
    if (random.chance(0.5)) last = normalisation(b, last, channels, random, "n");
    if (random.chance(0.5)) {
      b.node("Mul",
             {b.floats("factor", {channels, 1, 1}, random_tensor(static_cast<std::size_t>(channels), random)), last},
             "m");
      last = "m";
    }
    if (random.chance(0.5)) {
      b.node("Add",
             {last, b.floats("sum", {1, channels, 1, 1}, random_tensor(static_cast<std::size_t>(channels), random))},
             "a");
      last = "a";
    }
    if (random.chance(0.5)) {
      b.node("Relu", {last}, "r");
      last = "r";
    }
    b.output(last);
    expect_equal(b, random);
  }
}

TEST(OneDnn, PoolsPaddingAndJoining) {
  for (int i = 0; i < 30; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b;
    const int height = random.between(6, 11), width = random.between(6, 11);
    const std::string x = b.input("x", {1, 5, height, width});
    const int kernel = random.between(2, 3);
    auto& pool = b.node(random.chance(0.5) ? "MaxPool" : "AveragePool", {x}, "p");
    OnnxBuilder::set(pool, "kernel_shape", {kernel, kernel});
    OnnxBuilder::set(pool, "strides", {2, random.between(1, 2)});
    if (random.chance(0.5)) OnnxBuilder::set(pool, "pads", {1, 0, 1, 1});
    b.output("p");
    b.constant("around",
               {{8}, std::vector<std::int64_t>{0, random.between(0, 2), 1, 2, 0, random.between(0, 3), 0, 1}});
    b.node("Pad", {x, "around"}, "padded");
    b.output("padded");
    b.constant("same", {{8}, std::vector<std::int64_t>{0, 0, 1, 0, 0, 0, 2, 1}});
    b.node("Pad", {x, "same"}, "q");
    b.node("Conv", {"q", b.weights("w", {3, 5, 3, 3}, random)}, "c");
    b.output("c");
    auto& joined = b.node("Concat", {x, x}, "j");
    OnnxBuilder::set(joined, "axis", random.between(1, 3));
    b.output("j");
    b.node("GlobalAveragePool", {x}, "g");
    b.output("g");
    expect_equal(b, random);
  }
}

TEST(OneDnn, MatricesTransposesAndShapes) {
  for (int i = 0; i < 20; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b;
    const std::string x = b.input("x", {1, 4, 6, 5});
    b.node("Conv", {x, b.weights("w", {4, 4, 1, 1}, random)}, "c");
    auto& order = b.node("Transpose", {"c"}, "t");
    if (random.chance(0.5)) {
      OnnxBuilder::set(order, "perm", {0, 2, 3, 1});
    } else {
      OnnxBuilder::set(order, "perm", {0, 3, 1, 2});
    }
    b.constant("shape", {{2}, std::vector<std::int64_t>{1, 120}});
    b.node("Reshape", {"t", "shape"}, "f");
    const bool transposed = random.chance(0.5);
    const model::Shape matrix = transposed ? model::Shape{7, 120} : model::Shape{120, 7};
    auto& gemm =
        b.node("Gemm", {"f", b.weights("g", matrix, random), b.floats("gb", {7}, random_tensor(7, random))}, "y");
    OnnxBuilder::set(gemm, "transB", transposed ? 1 : 0);
    b.node("Relu", {"y"}, "r");
    b.node("Softmax", {"r"}, "s");
    b.output("s");
    b.node("Add", {"c", x}, "sum");
    b.output("sum");
    b.node("Mul", {"c", b.floats("f4", {4, 1, 1}, random_tensor(4, random))}, "product");
    b.output("product");
    expect_equal(b, random);
  }
}

TEST(OneDnn, SlopesOfAllShapes) {
  for (int i = 0; i < 12; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b;
    const int channels = random.between(1, 20);
    const std::string x = b.input("x", {1, channels, 6, 4});
    const model::Shape shape = i % 3 == 0   ? model::Shape{1}
                               : i % 3 == 1 ? model::Shape{channels, 1, 1}
                                            : model::Shape{1, channels, 1, 1};
    b.floats("slope", shape, random_tensor(i % 3 == 0 ? 1 : static_cast<std::size_t>(channels), random));
    b.node("PRelu", {x, "slope"}, "y");
    b.output("y");
    expect_equal(b, random);
  }
}

TEST(OneDnn, WhatItDoesNotHaveIsExecutedByTheTable) {
  for (int i = 0; i < 12; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b;
    const std::string x = b.input("x", {1, 4, 6, 4});
    b.weights("w", {8, 4, 1, 1}, random);
    b.node("Conv", {x, "w"}, "c");
    b.node("Softplus", {"c"}, "s");
    OnnxBuilder::set(b.node("DepthToSpace", {"s"}, "d"), "blocksize", 2);
    auto& split = b.node("Split", {"d"}, "a");
    split.add_output("e");
    OnnxBuilder::set(split, "axis", 2);
    b.node("Sin", {"e"}, "y");
    b.output("a");
    b.output("y");
    expect_equal(b, random);
  }
}

TEST(OneDnn, TransposedConvolutionsThatDoNotOverlapAndRepeatedPixels) {
  for (int i = 0; i < 30; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b(11);
    const int channels = random.between(1, 9), outputs = random.between(1, 5), high = random.between(1, 3),
              wide = random.between(1, 3), more = random.between(1, 3);
    const std::string x = b.input("x", {1, channels, 3, 5});
    const std::string other = b.input("o", {1, more, 3 * high, 5 * wide});
    b.weights("w", {channels, outputs, high, wide}, random);
    OnnxBuilder::set(b.node("ConvTranspose", {x, "w"}, "t"), "strides", {high, wide});
    b.floats("bias", {1, outputs, 1, 1}, random_tensor(static_cast<std::size_t>(outputs), random));
    b.node("Add", {"t", "bias"}, "sum");
    b.node("Relu", {"sum"}, "r");
    b.floats("none", {0}, {});
    b.floats("scales", {4}, {1, 1, static_cast<float>(high), static_cast<float>(wide)});
    auto& repeated = b.node("Resize", {x, "none", "scales"}, "u");
    set_text(repeated, "mode", "nearest");
    if (random.chance(0.5)) {
      set_text(repeated, "coordinate_transformation_mode", "asymmetric");
      set_text(repeated, "nearest_mode", "floor");
    }
    OnnxBuilder::set(b.node("Concat", {"r", "u", other}, "y"), "axis", 1);
    b.output("y");
    if (random.chance(0.3)) b.output("u");
    expect_equal(b, random);
  }
}

TEST(OneDnn, RefusesWhatNothingExecutesByName) {
  Random random;
  OnnxBuilder b;
  const std::string x = b.input("x", {1, 4, 6, 5});
  b.node("Conv", {x, b.weights("w", {4, 4, 1, 1}, random)}, "c");
  b.output("c");
  model::Graph graph = model::import_onnx_bytes(b.bytes());
  graph.nodes[0].op = "Unheard";
  try {
    const cpu::OneDnnExecutor executor(graph);
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Unsupported);
    EXPECT_NE(error.where().find("c_node"), std::string::npos);
    EXPECT_EQ(error.value(), "Unheard");
  }
}

TEST(OneDnn, RefusesInputsOfAnotherSize) {
  Random random;
  OnnxBuilder b;
  b.node("Relu", {b.input("x", {1, 4})}, "y");
  b.output("y");
  cpu::OneDnnExecutor executor(model::import_onnx_bytes(b.bytes()));
  EXPECT_THROW(executor.run(std::vector<cpu::FloatTensor>{}), Error);
  EXPECT_THROW(executor.run(std::vector<cpu::FloatTensor>{cpu::FloatTensor(5)}), Error);
}

}  // namespace
}  // namespace espalier::test
