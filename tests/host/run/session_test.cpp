// Properties:
//   - outputs are the reference's, dequantised; rows are prologue, layers, epilogue and sum to the totals
//   - a machine without a clock leaves measured cycles empty
//   - a wrong number of inputs or values, and a device with another array, are refused; the session stays usable
#include "run/session.hpp"

#include <gtest/gtest.h>

#include "cpu/reference.hpp"
#include "esp_error.hpp"
#include "functional/functional_bus.hpp"
#include "layer_executable.hpp"

namespace espalier::run {
namespace {

constexpr const char* Line = "conv ic3 ih6 oc5 kh3 ph1 density0.5";

TEST(Session, GivesTheReferencesOutputs) {
  const test::LayerExecutable layer = test::make_layer(Line);
  functional::FunctionalBus bus(abi::Array8x8);
  driver::Device device(bus);
  Session session(device, layer.executable, {.device = "functional", .memory = {}, .limits = {}});
  std::vector<float> input(3 * 6 * 6);
  cpu::Tensor feature;
  for (std::size_t i = 0; i < input.size(); ++i) {
    feature.push_back(static_cast<std::int8_t>(static_cast<int>(i * 31 % 256) - 128));
    input[i] = feature.back();
  }
  const RunReport report = session.run(std::vector<std::vector<float>>{input});
  const cpu::Tensor expected = cpu::run(layer.network, std::vector<cpu::Tensor>{feature}).back();
  ASSERT_EQ(report.outputs.size(), 1U);
  EXPECT_EQ(report.outputs[0].type, "float32");
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(report.outputs[0].values[i], 0.5 * (expected[i] - 3));

  ASSERT_EQ(report.layers.size(), 3U);
  EXPECT_EQ(report.layers.front().name, "prologue");
  EXPECT_EQ(report.layers.back().name, "epilogue");
  EXPECT_EQ(report.totals.predicted_cycles, layer.executable.compiled.total_cycles);
  EXPECT_EQ(sum(report.layers).predicted_cycles, report.totals.predicted_cycles);
  EXPECT_FALSE(report.totals.measured_cycles.has_value());
  EXPECT_FALSE(report.causes.has_value());
}

TEST(Session, RefusesWrongInputsAndStaysUsable) {
  const test::LayerExecutable layer = test::make_layer(Line);
  functional::FunctionalBus bus(abi::Array8x8);
  driver::Device device(bus);
  Session session(device, layer.executable, {.device = "functional", .memory = {}, .limits = {}});
  EXPECT_THROW(session.run(std::vector<std::vector<float>>{}), Error);
  EXPECT_THROW(session.run(std::vector<std::vector<float>>{std::vector<float>(5)}), Error);
  EXPECT_THROW(session.run(std::vector<std::vector<float>>{std::vector<float>(108, 200.0F)}), Error);
  EXPECT_NO_THROW(session.run(std::vector<std::vector<float>>{std::vector<float>(108, 1.0F)}));
}

TEST(Session, RefusesAnotherArray) {
  const test::LayerExecutable layer = test::make_layer(Line);
  functional::FunctionalBus bus(abi::Array16x16);
  driver::Device device(bus);
  try {
    Session session(device, layer.executable, {.device = "functional", .memory = {}, .limits = {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Program);
  }
}

}  // namespace
}  // namespace espalier::run
