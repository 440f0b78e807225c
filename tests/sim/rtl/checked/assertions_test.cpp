// Random command lists on the machine with assertions and AXI checkers.
//   - no assertion of the RTL fails and no AXI rule is broken, with smooth and with stalling memories
//   - undefined start values do not reach the outputs: the bits equal those of the functional model
//   - a machine runs one program after another without a reset between them
#include <gtest/gtest.h>

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

TEST(Assertions, HoldOnRandomPrograms) {
  for (unsigned i = 0; i < 12; ++i) {
    test::Random random(i);
    const test::RandomProgram p = test::random_program(abi::Array8x8, random, random.between(1, 3));
    functional::FunctionalBus functional(abi::Array8x8);
    rtl::RtlBus rtl(abi::Array8x8, stalling(random, i));
    test::scrub(rtl);
    const auto expected = driver::Device(functional).run({view(p.program), p.input, {}});
    const auto actual = driver::Device(rtl).run({view(p.program), p.input, {}});
    EXPECT_EQ(expected.output, actual.output);
    if (HasFailure()) return;
  }
}

TEST(Assertions, HoldOverSeveralRunsOfOneMachine) {
  functional::FunctionalBus functional(abi::Array8x8);
  test::Random options(1000);
  rtl::RtlBus rtl(abi::Array8x8, stalling(options, 7));
  driver::Device functional_device(functional);
  driver::Device rtl_device(rtl);
  for (unsigned i = 0; i < 6; ++i) {
    test::Random random(100 + i);
    const test::RandomProgram p = test::random_program(abi::Array8x8, random, random.between(1, 2));
    test::scrub(functional);
    test::scrub(rtl);
    const auto expected = functional_device.run({view(p.program), p.input, {}});
    const auto actual = rtl_device.run({view(p.program), p.input, {}});
    EXPECT_EQ(expected.output, actual.output);
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace espalier
