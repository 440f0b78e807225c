// Properties, on every instruction set that the list of tests pins:
//   - where oneDNN's integer sums are exact, random layers and whole networks have the bits of the CPU reference
//   - where they are not, the executor is refused with the name of the instruction set
//   - scales whose products do not fit float64 have the bits, too
#include "cpu/onednn/integer_executor.hpp"

#include <gtest/gtest.h>

#include "cpu/fast.hpp"
#include "esp_error.hpp"
#include "model/layer_text.hpp"
#include "random.hpp"
#include "random_layer.hpp"
#include "zoo/zoo.hpp"

namespace espalier::test {
namespace {

std::vector<cpu::Tensor> random_inputs(const model::Network& network, Random& random) {
  std::vector<cpu::Tensor> inputs;
  for (const int index : network.inputs) {
    inputs.emplace_back(network.features[static_cast<std::size_t>(index)].elements());
    for (std::int8_t& value : inputs.back()) value = random.byte();
  }
  return inputs;
}

void expect_equal(const model::Network& network, Random& random, const std::string& what) {
  cpu::OneDnnIntegerExecutor executor(network);
  for (int run = 0; run < 2; ++run) {
    const auto inputs = random_inputs(network, random);
    const auto outputs = executor.run(inputs);
    const auto expected = cpu::FastExecutor(network).run(inputs);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      ASSERT_EQ(outputs[i], expected[static_cast<std::size_t>(network.outputs[i])]) << what;
  }
}

class OneDnnInteger : public testing::Test {
 protected:
  void SetUp() override {
    if (cpu::onednn_integers_are_exact()) return;
    const model::Network network = model::parse_layer("conv ic3 ih5 oc4 kh3");
    try {
      const cpu::OneDnnIntegerExecutor executor(network);
      FAIL() << "accepted though its sums are not exact";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Unsupported);
      EXPECT_EQ(error.value(), cpu::onednn_instruction_set());
    }
    GTEST_SKIP() << "sums are not exact with " << cpu::onednn_instruction_set() << ", and the executor is refused";
  }
};

TEST_F(OneDnnInteger, RandomLayersHaveTheBitsOfTheReference) {
  for (int i = 0; i < 80; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    const std::string text = random_layer(random);
    expect_equal(model::parse_layer(text, static_cast<std::uint64_t>(i)), random, text);
  }
}

TEST_F(OneDnnInteger, WholeNetworksHaveTheBitsOfTheReference) {
  for (const char* name : {"resnet8", "ds_cnn", "mobilenet_v2"}) {
    Random random;
    expect_equal(zoo::build(name, {}), random, name);
  }
}

TEST_F(OneDnnInteger, ProductsBeyondFloat64HaveTheBits) {
  Random random;
  model::Network network = model::parse_layer("fc ic2000 oc9");
  for (auto& bias : network.layers[0].bias) bias = (1 << 30) + random.between(0, 1 << 20);
  for (auto& scale : network.layers[0].scale)
    scale = {16777215U - static_cast<std::uint32_t>(random.between(0, 99)), 48};
  expect_equal(network, random, "large biases");
}

}  // namespace
}  // namespace espalier::test
