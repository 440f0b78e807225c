// Random command lists on the machine with assertions and AXI checkers.
//   - no assertion of the RTL fails and no AXI rule is broken, with smooth and with stalling memories
//   - undefined start values do not reach the outputs: the bits equal those of the functional model
//   - a machine runs one program after another without a reset between them
#include <gtest/gtest.h>

#include <string>

#include "espalier/driver/device.hpp"
#include "fault_session.hpp"
#include "functional/functional_bus.hpp"
#include "random_program.hpp"
#include "rtl/rtl_bus.hpp"

namespace espalier {
namespace {

driver::Program view(const compile::DeviceProgram& program) {
  return {program.image,        program.command_offset, program.command_count, program.input_bytes,
          program.output_bytes, program.arena_bytes,    abi::MarkDepth};
}

rtl::RtlOptions stalling(test::Random& random, std::uint64_t seed) {
  rtl::RtlOptions options;
  options.seed = seed + 1;
  options.memory.latency = static_cast<unsigned>(random.between(1, 60));
  options.memory.bytes = 64U >> random.between(0, 2);
  if (random.chance(0.7)) options.stalls = {random.unit(), random.unit(), random.unit(), random.unit(), seed};
  for (double* p : {&options.stalls.address, &options.stalls.read, &options.stalls.write, &options.stalls.response}) {
    *p *= 0.9;
  }
  return options;
}

class Assertions : public ::testing::TestWithParam<abi::Configuration> {};

TEST_P(Assertions, HoldOnRandomPrograms) {
  for (unsigned i = 0; i < 12; ++i) {
    test::Random random(i);
    const test::RandomProgram p = test::random_program(GetParam(), random, random.between(1, 3));
    functional::FunctionalBus functional(GetParam());
    rtl::RtlBus rtl(GetParam(), stalling(random, i));
    test::scrub(rtl);
    const auto expected = driver::Device(functional).run({view(p.program), p.input, {}});
    const auto actual = driver::Device(rtl).run({view(p.program), p.input, {}});
    EXPECT_EQ(expected.output, actual.output);
    if (HasFailure()) return;
  }
}

TEST_P(Assertions, HoldOverSeveralRunsOfOneMachine) {
  functional::FunctionalBus functional(GetParam());
  test::Random options(1000);
  rtl::RtlBus rtl(GetParam(), stalling(options, 7));
  driver::Device functional_device(functional);
  driver::Device rtl_device(rtl);
  for (unsigned i = 0; i < 6; ++i) {
    test::Random random(100 + i);
    const test::RandomProgram p = test::random_program(GetParam(), random, random.between(1, 2));
    test::scrub(functional);
    test::scrub(rtl);
    const auto expected = functional_device.run({view(p.program), p.input, {}});
    const auto actual = rtl_device.run({view(p.program), p.input, {}});
    EXPECT_EQ(expected.output, actual.output);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Arrays, Assertions, ::testing::Values(abi::Array8x8, abi::Array16x16),
                         [](const auto& info) { return "Lanes" + std::to_string(info.param.lanes); });

}  // namespace
}  // namespace espalier
