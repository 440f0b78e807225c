// The platform with DRAM.
//   - timed cores and RTL cores take the same cycles, alone and sharing the memory, and have the same traffic
//   - equal runs take equal time; outputs are those of the functional model
#include <gtest/gtest.h>

#include "run_check.hpp"
#include "soc/soc_bus.hpp"

namespace espalier {
namespace {

using test::measured;
using test::RandomProgram;
using test::view;

soc::Options options(soc::CoreKind kind, const dram::Parameters& memory) {
  soc::Options result;
  result.kind = kind;
  result.dram = &memory;
  return result;
}

/// What every core counts, in two runs that follow each other.
std::vector<driver::RunResult> run(soc::CoreKind kind, const dram::Parameters& memory, unsigned count,
                                   const RandomProgram& p) {
  const auto cores = soc::make_cores(abi::Array8x8, options(kind, memory), count);
  std::vector<driver::RunResult> results;
  std::vector<driver::Loaded> loaded;
  for (const auto& core : cores) loaded.push_back(driver::Device(*core).load(view(p.program)));
  for (int repeat = 0; repeat < 2; ++repeat) {
    for (driver::Loaded& one : loaded) one.start(p.input);
    for (driver::Loaded& one : loaded) results.push_back(one.wait());
  }
  return results;
}

TEST(DramPlatform, TimedCoresTakeTheCyclesOfRtlCores) {
  for (const dram::Parameters& memory : dram::all()) {
    for (unsigned i = 0; i < 6; ++i) {
      SCOPED_TRACE(std::string(memory.name) + ", seed " + std::to_string(i));
      test::Random random(i);
      const RandomProgram p = test::random_program(abi::Array8x8, random, random.between(1, 3));
      const unsigned cores = 1 + i % 3;
      const std::vector<driver::RunResult> timed = run(soc::CoreKind::Timed, memory, cores, p);
      const std::vector<driver::RunResult> rtl = run(soc::CoreKind::Rtl, memory, cores, p);
      const driver::RunResult expected = test::run_functional(p, abi::Array8x8);
      for (std::size_t r = 0; r < timed.size(); ++r) {
        test::expect_same(measured(timed[r]), measured(rtl[r]));
        test::expect_same(measured(timed[r % cores]), measured(timed[r]));
        EXPECT_EQ(timed[r].output, rtl[r].output);
        // Words that a program stores but never writes are those of the run before.
        if (r < cores) {
          EXPECT_EQ(timed[r].output, expected.output);
        }
      }
      if (HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace espalier
