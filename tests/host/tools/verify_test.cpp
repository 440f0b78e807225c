// Properties of the comparison behind `espalier verify`:
//   - runs that agree with prediction and reference have no difference; machines without a clock have no cycles
//   - a byte, a counter, a cause or a mark that differs is found in its own quantity, on any of the machines
#include "tools/verify.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "espalier/driver/device.hpp"
#include "functional/functional_bus.hpp"
#include "model/layer_text.hpp"

namespace espalier::tools {
namespace {

class Verify : public ::testing::Test {
 protected:
  Verify()
      : compiled_(compile::compile(model::parse_layer("conv ic8 ih9 oc8 kh3 ph1", 1), abi::Array8x8)),
        expectation_{compiled_, compile::predict(compiled_.program, compiled_.configuration), {}} {
    functional::FunctionalBus bus(compiled_.configuration);
    driver::Device device(bus);
    const compile::DeviceProgram& p = compiled_.program;
    driver::RunResult result = device.run(
        {{p.image, p.command_offset, p.command_count, p.input_bytes, p.output_bytes, p.arena_bytes, abi::MarkDepth},
         {},
         {}});
    expectation_.outputs = compile::unpack(compiled_, result.output);
    runs_ = {{"functional", result}, {"timed", result}};
    const compile::Prediction& predicted = expectation_.prediction;
    driver::Counters& counters = runs_[1].result.counters;
    counters = {predicted.cycles,  predicted.computing, predicted.weights,    predicted.output,      predicted.data,
                predicted.writing, predicted.control,   predicted.read_beats, predicted.write_beats, predicted.macs};
    runs_[1].result.marks = predicted.marks;
  }

  /// The names of the quantities that differ after a change of the second run.
  std::vector<std::string> differing(const std::function<void(driver::RunResult&)>& change) const {
    std::vector<MachineRun> runs = runs_;
    change(runs[1].result);
    std::vector<std::string> names;
    for (const Quantity& quantity : compare(expectation_, runs)) {
      if (!quantity.equal()) names.push_back(quantity.name);
    }
    return names;
  }

  using Names = std::vector<std::string>;
  compile::Compiled compiled_;
  Expectation expectation_;
  std::vector<MachineRun> runs_;
};

TEST_F(Verify, EqualRunsHaveNoDifference) {
  EXPECT_EQ(differing([](driver::RunResult&) {}), Names{});
  for (const Quantity& quantity : compare(expectation_, runs_)) {
    const bool timed = quantity.name.find("cycles") == 0 || quantity.name.find("mark") == 0;
    EXPECT_EQ(quantity.values[0].has_value(), !timed) << quantity.name;
    EXPECT_EQ(quantity.values[1], quantity.expected) << quantity.name;
  }
}

TEST_F(Verify, EveryDifferenceIsFoundInItsQuantity) {
  EXPECT_EQ(differing([](auto& result) { ++result.counters.read_beats; }), Names{"beats read"});
  EXPECT_EQ(differing([](auto& result) { ++result.counters.macs; }), Names{"lane entries"});
  EXPECT_EQ(differing([](auto& result) { --result.counters.cycles; }), Names{"cycles"});
  EXPECT_EQ(differing([](auto& result) { ++result.counters.writing; }), Names{"cycles writing"});
  EXPECT_EQ(differing([](auto& result) { ++result.marks[0]; }), Names{"mark prologue"});
  EXPECT_EQ(differing([](auto& result) { ++result.marks[1]; }), Names{"mark conv"});
  const Names bytes = differing([](auto& result) {
    for (std::uint8_t& byte : result.output) byte = static_cast<std::uint8_t>(~byte);
  });
  EXPECT_EQ(bytes, (Names{"equal output bytes", "values of the CPU reference"}));
}

}  // namespace
}  // namespace espalier::tools
