// The SystemC platform with the memory of the contract, on random command lists.
//   - timed cores give the bits of the functional model and every counter and mark of the prediction
//   - RTL cores give the same as they do outside of SystemC; so do several cores of either kind that share the memory
//   - platforms in one process take turns; runs follow each other without a reset
//   - memory faults end a run with the error of the functional model, and the next run is good
//   - the traffic of a run is that of its counters, and every burst is in the trace
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "rtl/rtl_bus.hpp"
#include "run_check.hpp"
#include "soc/soc_bus.hpp"

namespace espalier {
namespace {

using test::measured;
using test::RandomProgram;
using test::view;

abi::MemoryParameters random_memory(test::Random& random) {
  abi::MemoryParameters memory;
  memory.latency = static_cast<unsigned>(random.between(1, 120));
  memory.bytes = 64U >> random.between(0, 2);
  if (random.chance(0.5)) {
    memory.pause_every = static_cast<unsigned>(random.between(1, 300));
    memory.pause = static_cast<unsigned>(random.between(1, 40));
  }
  memory.one_bus = random.chance(0.5);
  return memory;
}

soc::Options options(soc::CoreKind kind, const abi::MemoryParameters& memory) {
  soc::Options result;
  result.kind = kind;
  result.memory = memory;
  return result;
}

class Platform : public ::testing::TestWithParam<abi::Configuration> {};

TEST_P(Platform, TimedAndRtlCoresTakeThePredictedCycles) {
  for (unsigned i = 0; i < 12; ++i) {
    SCOPED_TRACE("seed " + std::to_string(i));
    test::Random random(i);
    const RandomProgram p = test::random_program(GetParam(), random, random.between(1, 4));
    const abi::MemoryParameters memory = random_memory(random);
    const driver::RunResult expected = test::run_functional(p, GetParam());
    const compile::Prediction predicted = compile::predict(p.program, GetParam(), memory);
    soc::SocBus timed(GetParam(), options(soc::CoreKind::Timed, memory));
    soc::SocBus rtl(GetParam(), options(soc::CoreKind::Rtl, memory));
    rtl::RtlBus outside(GetParam(), {.memory = memory});
    for (int run = 0; run < 2; ++run) {
      for (driver::Bus* bus : std::initializer_list<driver::Bus*>{&timed, &rtl, &outside}) {
        const driver::RunResult actual = driver::Device(*bus).run({view(p.program), p.input, {}});
        // Words that a program stores but never writes are those of the run before.
        if (run == 0) {
          EXPECT_EQ(expected.output, actual.output) << bus->name();
        }
        test::expect_same(predicted, measured(actual));
      }
    }
    if (HasFailure()) return;
  }
}

TEST_P(Platform, CoresThatShareTheMemoryTakeThePredictedCycles) {
  for (unsigned i = 0; i < 4; ++i) {
    SCOPED_TRACE("seed " + std::to_string(i));
    test::Random random(i);
    const RandomProgram p = test::random_program(GetParam(), random, random.between(1, 3));
    const abi::MemoryParameters memory = random_memory(random);
    const auto count = static_cast<unsigned>(random.between(2, 3));
    const driver::RunResult expected = test::run_functional(p, GetParam());
    const std::vector<compile::Prediction> predicted = compile::predict_cores(p.program, GetParam(), memory, count);
    for (const soc::CoreKind kind : {soc::CoreKind::Timed, soc::CoreKind::Rtl}) {
      const auto cores = soc::make_cores(GetParam(), options(kind, memory), count);
      std::vector<driver::Loaded> loaded;
      for (const auto& core : cores) loaded.push_back(driver::Device(*core).load(view(p.program)));
      for (driver::Loaded& one : loaded) one.start(p.input);
      for (unsigned c = 0; c < count; ++c) {
        const driver::RunResult actual = loaded[c].wait();
        EXPECT_EQ(expected.output, actual.output);
        test::expect_same(predicted[c], measured(actual));
      }
    }
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Arrays, Platform, ::testing::Values(abi::Array8x8, abi::Array16x16, abi::Array16x16Compact),
                         [](const auto& info) { return "Array" + abi::array_name(info.param); });

TEST(PlatformFaults, EndARunWithItsErrorAndTheNextIsGood) {
  using functional::MemoryFault;
  using functional::MemoryFaultKind;
  test::Random random(5);
  const RandomProgram p = test::random_program(abi::Array8x8, random, 1);
  const driver::RunResult expected = test::run_functional(p, abi::Array8x8);
  for (const soc::CoreKind kind : {soc::CoreKind::Timed, soc::CoreKind::Rtl}) {
    soc::SocBus bus(abi::Array8x8, options(kind, {}));
    driver::Device device(bus);
    for (const auto& [fault, code] : {std::pair{MemoryFaultKind::ReadError, ErrorCode::Device},
                                      std::pair{MemoryFaultKind::NoAnswer, ErrorCode::Timeout}}) {
      bus.set_memory_fault(MemoryFault{fault, 0, std::uint64_t{1} << 63});
      driver::Limits limits;
      limits.timeout_cycles = 2000;
      try {
        device.run({view(p.program), p.input, limits});
        ADD_FAILURE() << "no error";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), code) << error.what();
      }
      bus.set_memory_fault({});
      EXPECT_EQ(device.run({view(p.program), p.input, {}}).output, expected.output);
    }
  }
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TEST(PlatformTraffic, IsThatOfTheCountersAndOfTheTrace) {
  test::Random random(3);
  const RandomProgram p = test::random_program(abi::Array8x8, random, 2);
  const std::string path = ::testing::TempDir() + "soc_trace.json";
  for (const soc::CoreKind kind : {soc::CoreKind::Timed, soc::CoreKind::Rtl}) {
    std::uint64_t bursts = 0;
    {
      soc::Options traced = options(kind, {});
      traced.trace = path;
      soc::SocBus bus(abi::Array8x8, traced);
      const driver::RunResult result = driver::Device(bus).run({view(p.program), p.input, {}});
      std::uint64_t read = 0, written = 0;
      for (const soc::MasterTraffic& master : bus.report().masters) {
        read += master.reads.beats;
        written += master.writes.beats;
        bursts += master.reads.bursts + master.writes.bursts;
        if (master.reads.bursts != 0) {
          EXPECT_GE(master.reads.mean_latency(), +abi::MemoryLatency);
        }
      }
      EXPECT_EQ(read, result.counters.read_beats);
      EXPECT_EQ(written, result.counters.write_beats);
    }
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    EXPECT_EQ(count(text.str(), "\"name\":\"read\"") + count(text.str(), "\"name\":\"write\""), 2 * bursts);
    EXPECT_EQ(count(text.str(), "{"), count(text.str(), "}"));
  }
}

TEST(PlatformOptions, WithoutCoresOrClockAreUsageErrors) {
  soc::Options no_clock;
  no_clock.mhz = 0;
  soc::Options no_trace;
  no_trace.trace = "/nowhere/trace.json";
  EXPECT_THROW(soc::Platform(abi::Array8x8, {}, 0), Error);
  EXPECT_THROW(soc::Platform(abi::Array8x8, no_clock, 1), Error);
  EXPECT_THROW(soc::Platform(abi::Array8x8, no_trace, 1), Error);
}

}  // namespace
}  // namespace espalier
