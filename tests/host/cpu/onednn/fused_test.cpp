// Properties of the integer executor's steps, on random shapes with the seed printed:
//   - convolutions and depthwise convolutions of every remainder of channels and pixels have the reference's bits
//   - so do a convolution and the add behind it, whichever operand it is, and whoever else reads it
//   - an add in float32 is taken only where all pairs of operands have the bits
//   - layers that move values at the ends of a network do so in the order of its tensors
#include <gtest/gtest.h>

#include "cpu/fast.hpp"
#include "cpu/onednn/integer_executor.hpp"
#include "cpu/onednn/integer_kernels.hpp"
#include "cpu/onednn/vnni.hpp"
#include "model/layer_text.hpp"
#include "random.hpp"

namespace espalier::test {
namespace {

using model::Feature;
using model::Layer;
using model::LayerKind;
using model::Network;

class FusedSteps : public testing::Test {
 protected:
  void SetUp() override {
    if (!cpu::onednn_integers_are_exact())
      GTEST_SKIP() << "sums are not exact with " << cpu::onednn_instruction_set() << ", and the executor is refused";
  }
};

void expect_equal(const Network& network, Random& random, const std::string& what) {
  model::validate(network);
  std::vector<cpu::Tensor> inputs;
  for (const int index : network.inputs) {
    inputs.emplace_back(network.features[static_cast<std::size_t>(index)].elements());
    for (std::int8_t& value : inputs.back()) value = random.byte();
  }
  cpu::OneDnnIntegerExecutor executor(network);
  const auto expected = cpu::FastExecutor(network).run(inputs);
  for (int run = 0; run < 2; ++run) {
    const auto outputs = executor.run(inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      ASSERT_EQ(outputs[i], expected[static_cast<std::size_t>(network.outputs[i])]) << what << ", output " << i;
  }
}

std::string text_of(Random& random, bool depthwise) {
  const auto number = [&](int low, int high) { return std::to_string(random.between(low, high)); };
  const int kernel = depthwise ? 3 : static_cast<int>(random.between(1, 5)),
            stride = static_cast<int>(random.between(1, 2));
  const std::string channels = number(1, 90), pad = std::to_string(random.between(0, kernel / 2));
  std::string text = "conv ic" + channels + " ih" + number(kernel, 14) + " iw" + number(kernel, 30) + " oc" +
                     (depthwise ? channels : number(1, 100)) + " kh" + std::to_string(kernel) + " kw" +
                     std::to_string(kernel) + " ph" + pad + " pw" + pad + " sh" + std::to_string(stride) + " sw" +
                     std::to_string(stride);
  return depthwise ? text + " g" + channels : text;
}

/// Adds a layer that adds features `a` and `b`, and makes its result an output.
void append_add(Network& network, int a, int b, Random& random) {
  const Feature like = network.features[static_cast<std::size_t>(a)];
  network.features.push_back({"sum" + std::to_string(network.layers.size()), like.channels, like.height, like.width,
                              0.1, static_cast<std::int32_t>(random.between(-128, 127))});
  Layer add;
  add.name = network.features.back().name;
  add.op = "Add";
  add.kind = LayerKind::Add;
  add.inputs = {a, b};
  add.output = static_cast<int>(network.features.size()) - 1;
  const auto multiplier = [&] { return static_cast<std::uint32_t>(random.between(1 << 22, (1 << 24) - 1)); };
  add.scale = {{multiplier() | 1U << 23U, static_cast<unsigned>(random.between(22, 26))}};
  add.multiplier_b = multiplier();
  add.low = static_cast<std::int32_t>(random.between(-128, 0));
  network.layers.push_back(add);
}

TEST_F(FusedSteps, ConvolutionsHaveTheBitsOfTheReference) {
  for (int i = 0; i < 120; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    const std::string text = text_of(random, i % 2 == 1);
    expect_equal(model::parse_layer(text, static_cast<std::uint64_t>(i)), random, text);
  }
}

TEST_F(FusedSteps, AddsBehindConvolutionsHaveTheBitsOfTheReference) {
  for (int i = 0; i < 60; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    const std::string channels = std::to_string(random.between(1, 70));
    const std::string text = "conv ic" + channels + " ih" + std::to_string(random.between(1, 9)) + " iw" +
                             std::to_string(random.between(1, 9)) + " oc" + channels + " kh1 kw1";
    Network network = model::parse_layer(text, static_cast<std::uint64_t>(i));
    const int from = network.layers[0].inputs[0], sum = network.layers[0].output;
    i % 2 == 0 ? append_add(network, sum, from, random) : append_add(network, from, sum, random);
    network.outputs = {static_cast<int>(network.features.size()) - 1};
    if (i % 5 == 4) network.outputs.push_back(sum);  // the convolution's own result is wanted, too
    if (i % 7 == 6) {
      append_add(network, sum, network.outputs[0], random);
      network.outputs.push_back(static_cast<int>(network.features.size()) - 1);
    }
    expect_equal(network, random, text + ", variant " + std::to_string(i));
  }
}

TEST_F(FusedSteps, AddsInFloat32AreExactOrNotTaken) {
  if (!cpu::onednn::vnni_in_use()) GTEST_SKIP() << "no VNNI";
  int taken = 0;
  for (int i = 0; i < 40; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    Network network = model::parse_layer("conv ic16 ih16 iw16 oc16");  // 256 positions for each of 16 channels
    append_add(network, network.layers[0].inputs[0], network.layers[0].output, random);
    const bool near_ties = i % 4 == 3;
    if (near_ties) {  // 2 * (1/2 + 2^-24) + 199 / 2 is above a tie by less than float32 can tell
      network.layers[1].scale[0] = {(1U << 23U) + 1, 24};
      network.layers[1].multiplier_b = 1U << 23U;
      network.layers[1].low = -128;
      for (Feature& feature : network.features) feature.zero = -128;
    }
    const Network held = cpu::onednn::shifted(network);
    const Feature &a = held.features[0], &b = held.features[1], &out = held.features[2];
    const bool exact =
        cpu::onednn::is_exact(cpu::onednn::VnniAdd::of(held.layers[1], a, b, out), held.layers[1], a, b, out);
    EXPECT_FALSE(exact && near_ties);
    taken += exact ? 1 : 0;
    network.outputs = {network.layers[1].output};
    expect_equal(network, random, "add " + std::to_string(i));
  }
  EXPECT_GT(taken, 0);
}

}  // namespace
}  // namespace espalier::test
