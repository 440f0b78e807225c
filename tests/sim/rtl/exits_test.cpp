// A network with exits on the RTL of every array:
//   - the exit, its logits and all entropies are those of the functional model
//   - every layer, and every exit, takes the predicted cycles; what lies behind the exit takes none
//   - so it does in any order of exits on one device, and with slower memory
#include <gtest/gtest.h>

#include "exit_network.hpp"
#include "functional/functional_bus.hpp"
#include "random.hpp"
#include "rtl/rtl_bus.hpp"

namespace espalier::run {
namespace {

void check(const abi::Configuration& array, const compile::MemoryParameters& memory) {
  const test::ExitCase exits = test::exit_case(array);
  functional::FunctionalBus functional_bus(array);
  driver::Device functional_device(functional_bus);
  rtl::RtlBus rtl_bus(array, {.memory = memory});
  driver::Device rtl_device(rtl_bus);
  test::Random random;
  for (const std::vector<std::int32_t>& thresholds :
       {std::vector<std::int32_t>{0, 0}, {0, 1 << 20}, {1 << 20, 0}, {0, 1 << 20}, {1 << 17, 1 << 17}}) {
    ExitSession functional(functional_device, exits.executable, {thresholds},
                           {.device = "functional", .memory = memory, .limits = {}});
    ExitSession rtl(rtl_device, exits.executable, {thresholds}, {.device = "rtl", .memory = memory, .limits = {}});
    for (int round = 0; round < 2; ++round) {
      Feature image(3 * 12 * 12);
      for (auto& value : image) value = random.byte();
      const std::vector<Feature> inputs{image};
      const ExitRun expected = functional.run_features(inputs);
      const ExitRun actual = rtl.run_features(inputs);
      EXPECT_EQ(actual.exit, expected.exit);
      EXPECT_EQ(actual.logits, expected.logits);
      EXPECT_EQ(actual.entropies, expected.entropies);
      EXPECT_EQ(actual.report.totals.measured_cycles, rtl.predicted()[actual.exit]);
      ASSERT_EQ(actual.report.layers.size(), expected.report.layers.size());
      for (const LayerRow& row : actual.report.layers) EXPECT_EQ(row.measured_cycles, row.predicted_cycles) << row.name;
    }
  }
}

TEST(Exits, AreThoseOfTheFunctionalModelInThePredictedCycles) {
  check(abi::Array8x8, {});
  check(abi::Array16x16, {});
  check(abi::Array16x16Compact, {});
  check(abi::Array32x32, {});
}

TEST(Exits, AreSoWithSlowerMemory) { check(abi::Array16x16, {.bytes = 16, .latency = 90}); }

}  // namespace
}  // namespace espalier::run
