// Float networks for tests, with residual blocks, pools, concatenation and a classifier.
#pragma once

#include "compress/quantise.hpp"
#include "onnx_builder.hpp"

namespace espalier::test {

inline std::string add_conv(OnnxBuilder& b, const std::string& in, const std::string& out, std::int64_t from,
                            std::int64_t to, std::int64_t size, std::int64_t stride, std::int64_t groups,
                            Random& random) {
  b.weights(out + ".w", {to, from / groups, size, size}, random, 1.4F);
  b.weights(out + ".b", {to}, random, 0.3F);
  auto& node = b.node("Conv", {in, out + ".w", out + ".b"}, out);
  const std::int64_t pad = size / 2;
  OnnxBuilder::set(node, "pads", {pad, pad, pad, pad});
  OnnxBuilder::set(node, "strides", {stride, stride});
  OnnxBuilder::set(node, "group", groups);
  return out;
}

inline std::string add_relu(OnnxBuilder& b, const std::string& in) {
  b.node("Relu", {in}, in + ".relu");
  return in + ".relu";
}

/// Input image 1 x 2 x 12 x 12, output logits or probabilities 1 x 10.
inline OnnxBuilder residual_network(Random& random, bool softmax) {
  OnnxBuilder b;
  b.input("image", {0, 2, 12, 12});
  const auto stem = add_relu(b, add_conv(b, "image", "stem", 2, 8, 3, 1, 1, random));
  auto& pool = b.node("MaxPool", {stem}, "pool");
  OnnxBuilder::set(pool, "kernel_shape", {3, 3});
  OnnxBuilder::set(pool, "strides", {2, 2});
  OnnxBuilder::set(pool, "pads", {1, 1, 1, 1});
  const auto wide = add_conv(b, "pool", "wide", 8, 8, 3, 1, 8, random);
  const auto narrow = add_conv(b, add_relu(b, wide), "narrow", 8, 8, 1, 1, 1, random);
  b.node("Add", {narrow, "pool"}, "sum");
  const auto block = add_relu(b, "sum");
  const auto left = add_conv(b, block, "left", 8, 4, 1, 2, 1, random);
  const auto right = add_relu(b, add_conv(b, block, "right", 8, 6, 3, 2, 2, random));
  OnnxBuilder::set(b.node("Concat", {left, right}, "both"), "axis", 1);
  auto& average = b.node("AveragePool", {"both"}, "average");
  OnnxBuilder::set(average, "kernel_shape", {2, 2});
  OnnxBuilder::set(average, "pads", {1, 0, 0, 1});
  b.node("GlobalAveragePool", {"average"}, "mean");
  b.node("Flatten", {"mean"}, "flat");
  b.weights("fc.w", {10, 10}, random, 2.0F);
  b.weights("fc.b", {10}, random);
  OnnxBuilder::set(b.node("Gemm", {"flat", "fc.w", "fc.b"}, softmax ? "logits" : "y"), "transB", 1);
  if (softmax) b.node("Softmax", {"logits"}, "y");
  b.output("y");
  return b;
}

inline std::vector<compress::Sample> random_samples(const model::Graph& graph, int count, Random& random) {
  std::normal_distribution<float> normal;
  std::vector<compress::Sample> samples;
  for (int i = 0; i < count; ++i) {
    compress::Sample sample;
    for (const auto& port : graph.inputs) {
      cpu::FloatTensor tensor(static_cast<std::size_t>(model::count_elements(port.shape, port.name)));
      for (float& value : tensor) value = normal(random.engine());
      sample.push_back(std::move(tensor));
    }
    samples.push_back(std::move(sample));
  }
  return samples;
}

}  // namespace espalier::test
