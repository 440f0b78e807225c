// The RTL against the functional model and the timing model, on random command lists.
//   - output bytes equal those of the functional model
//   - every counter and mark equals the prediction, at several latencies and memory widths
//   - so they do on several cores that share the memory
//   - a machine without coded weights refuses what the functional model refuses
//   - with a memory that stalls at random the bits are the same, and the timing model fed with the recorded memory
//     gives the measured counters again; no pattern of stalls ends in a deadlock
#include <gtest/gtest.h>

#include <array>

#include "compile/timing/predict.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "espalier/driver/device.hpp"
#include "functional/functional_bus.hpp"
#include "random_program.hpp"
#include "rtl/rtl_bus.hpp"
#include "rtl/rtl_cores.hpp"

namespace espalier {
namespace {

driver::Program view(const compile::DeviceProgram& program) {
  return {program.image,        program.command_offset, program.command_count, program.input_bytes,
          program.output_bytes, program.arena_bytes,    abi::MarkDepth};
}

compile::Prediction measured(const driver::RunResult& result) {
  const driver::Counters& c = result.counters;
  return {c.cycles,  c.computing,  c.weights,     c.output, c.data,       c.writing,
          c.control, c.read_beats, c.write_beats, c.macs,   result.marks, {}};
}

void expect_same(const compile::Prediction& predicted, const compile::Prediction& actual) {
  EXPECT_EQ(predicted.cycles, actual.cycles);
  EXPECT_EQ(predicted.computing, actual.computing);
  EXPECT_EQ(predicted.weights, actual.weights);
  EXPECT_EQ(predicted.output, actual.output);
  EXPECT_EQ(predicted.data, actual.data);
  EXPECT_EQ(predicted.writing, actual.writing);
  EXPECT_EQ(predicted.control, actual.control);
  EXPECT_EQ(predicted.read_beats, actual.read_beats);
  EXPECT_EQ(predicted.write_beats, actual.write_beats);
  EXPECT_EQ(predicted.macs, actual.macs);
  for (std::size_t i = 0; i < predicted.marks.size(); ++i) {
    if (predicted.marks[i] != 0) {
      EXPECT_EQ(predicted.marks[i], actual.marks[i]) << "mark " << i;
    }
  }
}

/// The first eight differences: index, expected, actual.
void expect_same_bytes(const std::vector<std::uint8_t>& expected, const std::vector<std::uint8_t>& actual) {
  ASSERT_EQ(expected.size(), actual.size());
  int shown = 0;
  for (std::size_t i = 0; i < expected.size() && shown < 8; ++i) {
    if (expected[i] == actual[i]) continue;
    ADD_FAILURE() << "byte " << i << " expected " << int{expected[i]} << " actual " << int{actual[i]};
    ++shown;
  }
}

/// Replays what a memory answered.
class Replay : public abi::MemoryTiming {
 public:
  explicit Replay(const std::vector<abi::MemoryResponse>& answers) : answers_(answers) {}
  abi::MemoryResponse clock(const abi::MemoryRequest&) override {
    return next_ < answers_.size() ? answers_[next_++] : abi::MemoryResponse{};
  }

 private:
  const std::vector<abi::MemoryResponse>& answers_;
  std::size_t next_ = 0;
};

class Exact : public ::testing::TestWithParam<abi::Configuration> {};

TEST_P(Exact, RandomProgramsGiveTheSameBitsAndThePredictedCycles) {
  for (unsigned i = 0; i < 60; ++i) {
    test::Random random(i);
    const test::RandomProgram p = test::random_program(GetParam(), random, random.between(1, 4));
    abi::MemoryParameters memory;
    memory.latency = static_cast<unsigned>(random.between(1, 120));
    memory.bytes = 64U >> random.between(0, 2);

    functional::FunctionalBus functional(GetParam());
    rtl::RtlBus rtl(GetParam(), {.memory = memory, .seed = i + 1});
    driver::Device functional_device(functional);
    driver::Device rtl_device(rtl);
    const driver::RunResult expected = functional_device.run({view(p.program), p.input, {}});
    const driver::RunResult actual = rtl_device.run({view(p.program), p.input, {}});
    expect_same_bytes(expected.output, actual.output);
    expect_same(compile::predict(p.program, GetParam(), memory), measured(actual));
    if (HasFailure()) return;
  }
}

/// Every core its own input, at first with the others running along and then with the first one alone.
void check_cores(rtl::RtlCores& cores, unsigned count, const test::RandomProgram& p, test::Random& random,
                 const abi::Configuration& configuration, const abi::MemoryParameters& memory) {
  std::vector<driver::Loaded> loaded;
  std::vector<std::vector<std::uint8_t>> inputs;
  for (unsigned c = 0; c < count; ++c) {
    inputs.push_back(p.input);
    for (std::uint8_t& byte : inputs.back()) byte = static_cast<std::uint8_t>(byte ^ random.byte());
    loaded.push_back(driver::Device(cores.core(c)).load(view(p.program)));
  }
  for (unsigned c = 0; c < count; ++c) loaded[c].start(inputs[c]);
  const std::vector<compile::Prediction> predicted = compile::predict_cores(p.program, configuration, memory, count);
  for (unsigned c = 0; c < count; ++c) {
    SCOPED_TRACE("core " + std::to_string(c));
    const driver::RunResult actual = loaded[c].wait();
    functional::FunctionalBus functional(configuration);
    driver::Device device(functional);
    expect_same_bytes(device.run({view(p.program), inputs[c], {}}).output, actual.output);
    expect_same(predicted[c], measured(actual));
  }
  expect_same(compile::predict(p.program, configuration, memory), measured(loaded[0].run(inputs[0])));
}

TEST_P(Exact, CoresThatShareTheMemoryTakeThePredictedCycles) {
  for (unsigned i = 0; i < 4; ++i) {
    SCOPED_TRACE("seed " + std::to_string(i));
    test::Random random(i);
    const test::RandomProgram p = test::random_program(GetParam(), random, random.between(1, 4));
    abi::MemoryParameters memory;
    memory.latency = static_cast<unsigned>(random.between(1, 120));
    memory.bytes = 64U >> random.between(0, 2);
    const auto count = static_cast<unsigned>(random.between(2, 4));
    rtl::RtlCores cores(GetParam(), {.memory = memory, .seed = i + 1}, count);
    check_cores(cores, count, p, random, GetParam(), memory);
    if (HasFailure()) return;
  }
}

/// Runs `p` with a stalling memory: the bits of the functional model, and the cycles of the timing model on the
/// recording.
void check_stalls(const abi::Configuration& configuration, const test::RandomProgram& p, rtl::RtlOptions options) {
  options.record = true;
  functional::FunctionalBus functional(configuration);
  rtl::RtlBus rtl(configuration, options);
  driver::Device functional_device(functional);
  driver::Device rtl_device(rtl);
  const driver::RunResult expected = functional_device.run({view(p.program), p.input, {}});
  const driver::RunResult actual = rtl_device.run({view(p.program), p.input, {}});
  expect_same_bytes(expected.output, actual.output);
  Replay replay(rtl.recording());
  expect_same(compile::predict(p.program, configuration, replay), measured(actual));
}

TEST_P(Exact, StallingMemoryChangesTimeOnly) {
  for (unsigned i = 0; i < 40; ++i) {
    test::Random random(i);
    const test::RandomProgram p = test::random_program(GetParam(), random, random.between(1, 4));
    rtl::RtlOptions options;
    options.memory.latency = static_cast<unsigned>(random.between(1, 60));
    options.stalls = {random.unit() * 0.9, random.unit() * 0.9, random.unit() * 0.9, random.unit() * 0.9, i};
    check_stalls(GetParam(), p, options);
    if (HasFailure()) return;
  }
}

// The whole product of idle and back-pressure: addresses, read beats, write beats and responses, each never, often and
// nearly always held back.
TEST_P(Exact, NoPatternOfStallsDeadlocks) {
  constexpr std::array<double, 3> Levels{0.0, 0.5, 0.95};
  std::uint64_t index = 0;
  for (const double address : Levels) {
    for (const double read : Levels) {
      for (const double write : Levels) {
        for (const double response : Levels) {
          test::Random random(index);
          const test::RandomProgram p = test::random_program(GetParam(), random, 1);
          rtl::RtlOptions options;
          options.stalls = {address, read, write, response, ++index};
          check_stalls(GetParam(), p, options);
          if (HasFailure()) return;
        }
      }
    }
  }
}

// The machine without coded weights, in place of the one that the list is for.
TEST(Compact, ListsWithCodedWeightsEndWithTheFaultOfTheFunctionalModel) {
  int coded = 0;
  for (unsigned i = 0; i < 20; ++i) {
    test::Random random(i);
    const test::RandomProgram p = test::random_program(abi::Array16x16, random, 2);
    functional::FunctionalBus functional(abi::Array16x16Compact);
    rtl::RtlBus rtl(abi::Array16x16Compact, {});
    const auto fault = [&](driver::Bus& bus) -> std::string {
      driver::Device device(bus);
      try {
        device.run({view(p.program), p.input, {}});
      } catch (const Error& error) {
        return error.summary() + ", " + error.value();
      }
      return {};
    };
    const std::string expected = fault(functional);
    EXPECT_EQ(fault(rtl), expected);
    coded += expected.empty() ? 0 : 1;
    if (HasFailure()) return;
  }
  EXPECT_GE(coded, 10);
}

INSTANTIATE_TEST_SUITE_P(Arrays, Exact,
                         ::testing::Values(abi::Array8x8, abi::Array16x16, abi::Array16x16Compact, abi::Array32x32),
                         [](const auto& info) { return abi::array_name(info.param); });

}  // namespace
}  // namespace espalier
