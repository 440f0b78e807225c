// Properties: what a convolution or a product adds to its result is the other map, pixel by pixel, whichever of
// oneDNN's kernels computes it: residual blocks, any window, transposed convolutions, matrices.
#include "executor_comparison.hpp"

namespace espalier::test {
namespace {

TEST(OneDnn, ResidualBlocksAddTheOtherMap) {
  for (int i = 0; i < 20; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b;
    std::string last = b.input("x", {1, 8, 7, 7});
    for (int block = 0; block < 4; ++block) {
      const std::string name = "b" + std::to_string(block);
      b.node("Conv", {last, b.weights(name + "w", {8, 8, 1, 1}, random)}, name + "c");
      if (random.chance(0.5)) {
        b.node("Add", {name + "c", last}, name + "s");
      } else {
        b.node("Add", {last, name + "c"}, name + "s");
      }
      b.node("Relu", {name + "s"}, name);
      last = name;
    }
    b.output(last);
    if (random.chance(0.5)) b.output("b1");
    expect_equal(b, random);
  }
}

/// oneDNN has several kernels for windows at the edges, some as far out as the padding alone.
TEST(OneDnn, ConvolutionsWithAnyWindowAddTheOtherMap) {
  for (int i = 0; i < 150; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b;
    const int group = random.chance(0.5) ? random.between(1, 9) : 1, deep = random.chance(0.5) ? 1 : 6;
    const int outputs = group * random.between(1, 6), high = random.between(1, 3), wide = random.between(1, 3);
    const std::string x = b.input("x", {1, group * deep, random.between(3, 9), random.between(3, 9)});
    const int strides[2] = {random.between(1, 4), random.between(1, 4)};
    const int dilations[2] = {random.between(1, 3), random.between(1, 3)};
    const int pads[4] = {random.between(0, 3), random.between(0, 3), (high - 1) * dilations[0] + random.between(0, 1),
                         (wide - 1) * dilations[1] + random.between(0, 1)};
    for (const std::string name : {"first", "second"}) {
      auto& node = b.node("Conv",
                          {x, b.weights(name + "_w", {outputs, deep, high, wide}, random),
                           b.floats(name + "_b", {outputs}, random_tensor(static_cast<std::size_t>(outputs), random))},
                          name);
      OnnxBuilder::set(node, "group", group);
      OnnxBuilder::set(node, "strides", {strides[0], strides[1]});
      OnnxBuilder::set(node, "dilations", {dilations[0], dilations[1]});
      OnnxBuilder::set(node, "pads", {pads[0], pads[1], pads[2], pads[3]});
    }
    b.node("Add", {"first", "second"}, "sum");
    b.node("Relu", {"sum"}, "y");
    b.output("y");
    expect_equal(b, random, "case " + std::to_string(i));
  }
}

TEST(OneDnn, TransposedConvolutionsAddTheOtherMap) {
  for (int i = 0; i < 60; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b;
    const int channels = random.between(1, 20), outputs = random.between(1, 20);
    const int kernel = random.between(1, 4), stride = random.between(1, 3), pad = random.between(0, kernel - 1);
    const std::string x = b.input("x", {1, channels, random.between(4, 7), random.between(4, 7)});
    for (const std::string name : {"first", "second"}) {
      auto& node = b.node("ConvTranspose",
                          {x, b.weights(name + "_w", {channels, outputs, kernel, kernel}, random),
                           b.floats(name + "_b", {outputs}, random_tensor(static_cast<std::size_t>(outputs), random))},
                          name);
      OnnxBuilder::set(node, "strides", {stride, stride});
      OnnxBuilder::set(node, "pads", {pad, pad, pad / 2, pad / 2});
    }
    b.node("Add", {"first", "second"}, "y");
    b.output("y");
    expect_equal(b, random, "case " + std::to_string(i));
  }
}

TEST(OneDnn, ProductsAddTheOtherMatrix) {
  for (int i = 0; i < 30; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    OnnxBuilder b;
    const int rows = random.between(1, 5), inputs = random.between(1, 40), outputs = random.between(1, 40);
    const std::string x = b.input("x", {rows, inputs});
    for (const std::string name : {"first", "second"})
      b.node("Gemm",
             {x, b.weights(name + "_w", {inputs, outputs}, random),
              b.floats(name + "_b", {outputs}, random_tensor(static_cast<std::size_t>(outputs), random))},
             name);
    b.node("Add", {"first", "second"}, "y");
    b.output("y");
    expect_equal(b, random, "case " + std::to_string(i));
  }
}

}  // namespace
}  // namespace espalier::test
