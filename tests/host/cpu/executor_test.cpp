// The executor that is chosen for quantised networks has the bits of the reference, whichever it is, with the layers at
// the edges merged or not, and refuses inputs that do not fit.
#include "cpu/choice/choose_executor.hpp"

#include <gtest/gtest.h>

#include "cpu/reference.hpp"
#include "esp_error.hpp"
#include "model/random.hpp"
#include "zoo/zoo.hpp"

namespace espalier::cpu {
namespace {

std::vector<Tensor> random_inputs(const model::Network& network, model::Random& random) {
  std::vector<Tensor> inputs;
  for (const int input : network.inputs) {
    Tensor& tensor = inputs.emplace_back(network.features[static_cast<std::size_t>(input)].elements());
    for (std::int8_t& value : tensor) value = static_cast<std::int8_t>(random.between(-128, 127));
  }
  return inputs;
}

class ChosenExecutor : public testing::TestWithParam<Edges> {};

TEST_P(ChosenExecutor, HasTheBitsOfTheReference) {
  for (const char* name : {"resnet8", "ds_cnn"}) {
    const model::Network network = zoo::build(name, {});
    const auto executor = choose_executor(network, GetParam());
    EXPECT_EQ(executor->name(), chosen_executor());
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      model::Random random(seed);
      const std::vector<Tensor> inputs = random_inputs(network, random);
      const std::vector<Tensor> outputs = executor->run(inputs);
      const std::vector<Tensor> features = cpu::run(network, inputs);
      ASSERT_EQ(outputs.size(), network.outputs.size());
      for (std::size_t i = 0; i < outputs.size(); ++i)
        EXPECT_EQ(outputs[i], features[static_cast<std::size_t>(network.outputs[i])]) << name << ", seed " << seed;
    }
  }
}

TEST_P(ChosenExecutor, RefusesInputsThatDoNotFit) {
  const auto executor = choose_executor(zoo::build("ds_cnn", {}), GetParam());
  for (const std::vector<Tensor>& inputs : {std::vector<Tensor>{}, std::vector<Tensor>{Tensor(3)}}) {
    try {
      executor->run(inputs);
      FAIL() << inputs.size() << " inputs were taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Input);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Edges, ChosenExecutor, testing::Values(Edges::Merged, Edges::Apart));

TEST(LoopExecutor, HasTheBitsOfTheReference) {
  const model::Network network = zoo::build("ds_cnn", {});
  model::Random random(3);
  const std::vector<Tensor> inputs = random_inputs(network, random);
  const auto features = cpu::run(network, inputs);
  EXPECT_EQ(make_loop_executor(network)->run(inputs)[0], features[static_cast<std::size_t>(network.outputs[0])]);
}

}  // namespace
}  // namespace espalier::cpu
