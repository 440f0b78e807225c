// Random command lists on the machine without a clock and on the plain reading of the contract:
//   - the same output bytes and executed entries for every mode of weights, split, broadcast, operation and table
//   - on every array, and on some whose weight store is so small that chunks wrap it and run through it,
//     with one, two and four writers, with and without coded weights, with a short write program
#include <gtest/gtest.h>

#include "espalier/driver/device.hpp"
#include "functional/functional_bus.hpp"
#include "kernel_sizes.hpp"
#include "random_program.hpp"
#include "reference_machine.hpp"

namespace espalier {
namespace {

class Programs : public ::testing::TestWithParam<abi::Configuration> {};

TEST_P(Programs, RandomListsGiveTheContract) {
  constexpr unsigned Cases = 60;
  for (unsigned i = 0; i < Cases; ++i) {
    test::Random random(i);
    const test::RandomProgram p = test::random_program(GetParam(), random, random.between(1, 4));
    functional::FunctionalBus bus(test::make_sized_core(GetParam()));
    driver::Device device(bus);
    const driver::Program program{p.program.image,       p.program.command_offset, p.program.command_count,
                                  p.program.input_bytes, p.program.output_bytes,   p.program.arena_bytes,
                                  abi::MarkDepth};
    const driver::RunResult result = device.run({program, p.input, {}});
    const test::ReferenceResult expected = test::run_reference(p.program, p.input, GetParam());
    EXPECT_EQ(result.counters.macs, static_cast<std::uint32_t>(expected.macs));
    ASSERT_EQ(result.output.size(), expected.output.size());
    const auto wrong = std::mismatch(expected.output.begin(), expected.output.end(), result.output.begin());
    EXPECT_EQ(wrong.first, expected.output.end()) << "byte " << wrong.first - expected.output.begin();
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Arrays, Programs,
                         ::testing::Values(abi::Array8x8, abi::Array16x16, abi::Array16x16Compact, abi::Array32x32,
                                           abi::Configuration{8, 8, 1024, 32}, abi::Configuration{8, 8, 1024, 32, 1},
                                           abi::Configuration{16, 8, 1024, 24}, abi::Configuration{16, 8, 1024, 24, 4},
                                           abi::Configuration{32, 32, 1024, 50}, abi::Configuration{8, 32, 1024, 64},
                                           abi::Configuration{16, 8, 1024, 30, 2, false, 128, 64}),
                         [](const auto& info) {
                           return std::to_string(info.param.lanes) + "x" + std::to_string(info.param.pixels) + "_" +
                                  std::to_string(info.param.line_depth) + "_" + std::to_string(info.param.writers);
                         });

}  // namespace
}  // namespace espalier
