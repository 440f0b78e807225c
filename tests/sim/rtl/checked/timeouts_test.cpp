// Runs that come to a halt, on the machine with assertions.
//   - a time-out names the oldest command that is not completed, as the functional model does; where the memory has
//     fallen silent that may be one before the command whose access was not answered
//   - afterwards a good program gives the right bits
#include <gtest/gtest.h>

#include "fault_pair.hpp"

namespace espalier {
namespace {

using functional::MemoryFault;
using functional::MemoryFaultKind;
using test::Outcome;
using test::RandomProgram;

TEST(Memory, ThatNeverAnswersEndsInATimeout) {
  for (const unsigned window : {abi::WindowProgram, abi::WindowInput, abi::WindowOutput}) {
    test::Pair pair;
    test::Random random(window);
    const RandomProgram p = test::random_program(abi::Array8x8, random, 1);
    test::FaultSession expected(pair.functional, p);
    test::FaultSession actual(pair.rtl, p);
    expected.registers[abi::RegTimeout] = actual.registers[abi::RegTimeout] = 3000;
    // The data that a program begins with, or all of the window.
    const std::uint64_t bytes = window == abi::WindowProgram ? abi::BeatBytes * 64 : std::uint64_t{1} << 20;
    pair.functional.set_memory_fault(MemoryFault{MemoryFaultKind::NoAnswer, expected.address(window), bytes});
    pair.rtl.set_memory_fault(MemoryFault{MemoryFaultKind::NoAnswer, actual.address(window), bytes});
    const Outcome unanswered = expected.run();
    const Outcome outcome = actual.run();
    EXPECT_EQ(unanswered.code, std::uint32_t{abi::ErrorTimeout});
    EXPECT_EQ(outcome.code, std::uint32_t{abi::ErrorTimeout});
    EXPECT_LE(outcome.position, unanswered.position);
    EXPECT_EQ(outcome.detail, 3000U);
    pair.functional.set_memory_fault({});
    pair.rtl.set_memory_fault({});
    pair.functional.reset();
    pair.rtl.reset();
    pair.expect_usable(random);
  }
}

/// Loads one beat each.
RandomProgram loads(unsigned count) {
  RandomProgram p;
  abi::Command c;
  c.opcode = abi::OpLoad;
  c.window = abi::WindowInput;
  c.planes = 1;
  c.run = 1;
  for (unsigned i = 0; i < count; ++i) {
    c.offset = i;
    c.address = static_cast<std::uint16_t>(16 * i);
    const abi::Beat beat = abi::encode(c);
    p.program.image.insert(p.program.image.end(), beat.begin(), beat.end());
  }
  p.program.command_count = count;
  p.program.output_bytes = abi::BeatBytes;
  p.input.assign(std::size_t{count} * abi::BeatBytes, 1);
  return p;
}

// The commands behind it have started, are queued or have not been fetched.
TEST(Memory, TheFirstLoadWithoutAnAnswerIsNamed) {
  for (const std::uint32_t at : {0U, 1U, 7U, 30U, 59U}) {
    test::Pair pair;
    const RandomProgram p = loads(60);
    test::FaultSession expected(pair.functional, p);
    test::FaultSession actual(pair.rtl, p);
    const auto damage = [&](auto& bus, test::FaultSession& session) {
      session.registers[abi::RegTimeout] = 500;
      const std::uint64_t address = session.address(abi::WindowInput) + at * abi::BeatBytes;
      bus.set_memory_fault(MemoryFault{MemoryFaultKind::NoAnswer, address, abi::BeatBytes});
    };
    damage(pair.functional, expected);
    damage(pair.rtl, actual);
    const Outcome named = expected.run();
    EXPECT_EQ(named, (Outcome{abi::ErrorTimeout, at, 500}));
    const Outcome outcome = actual.run();
    EXPECT_EQ(outcome.code, std::uint32_t{abi::ErrorTimeout});
    // Answers to loads before it may still be under way when the memory falls silent.
    EXPECT_LE(outcome.position, at);
    EXPECT_GE(outcome.position + 6, at);
  }
}

TEST(Waits, ThatCannotBeMetNameTheCommandThatWaits) {
  for (const unsigned opcode : {abi::OpLoad, abi::OpWeight, abi::OpCompute, abi::OpStore, abi::OpMark}) {
    for (unsigned i = 0; i < 3; ++i) {
      test::Pair pair;
      test::Random random(i);
      RandomProgram p = test::random_program(abi::Array8x8, random, 2);
      const std::uint32_t index = test::pick(p, opcode, random);
      abi::Command command = test::command_of(p, index);
      (random.chance(0.5) ? command.wait_load : command.wait_store) = 1000;
      test::set_command(p, index, command);
      const auto [expected, actual] =
          pair.run(p, [](test::FaultSession& session) { session.registers[abi::RegTimeout] = 2000; });
      // Named is the oldest command that is not complete: an earlier one if it computes with weights that the waiting
      // command would bring, or brings weights that the waiting command would make room for.
      const unsigned named = test::command_of(p, expected.position).opcode;
      const bool depends =
          (opcode == abi::OpWeight && named == abi::OpCompute) || (opcode == abi::OpCompute && named == abi::OpWeight);
      const bool earlier = depends && expected.position < index;
      EXPECT_EQ(expected, (Outcome{abi::ErrorTimeout, earlier ? expected.position : index, 2000}));
      EXPECT_EQ(actual, expected);
      pair.expect_usable(random);
    }
  }
}

// Lines that no command consumes fill the weight store; the command that brought the first one too many is stuck.
TEST(Waits, AFullWeightStoreNamesTheWeightCommandWithoutRoom) {
  test::Pair pair;
  RandomProgram p;
  const auto add = [&](const abi::Command& c) {
    const abi::Beat beat = abi::encode(c);
    p.program.image.insert(p.program.image.end(), beat.begin(), beat.end());
    ++p.program.command_count;
  };
  abi::Command weights;
  weights.opcode = abi::OpWeight;
  weights.window = abi::WindowInput;
  weights.format = abi::FormatSparse;
  weights.items = 1000;
  weights.run = weights.items * abi::Array8x8.lanes * 4 / abi::BeatBytes;
  const std::uint32_t lines = weights.items / abi::Array8x8.line_slots(abi::WeightsSparse, 1);
  const std::uint32_t fitting = abi::Array8x8.line_depth / lines;
  for (std::uint32_t i = 0; i < fitting + 3; ++i) add(weights);
  abi::Command mark;
  mark.opcode = abi::OpMark;
  mark.wait_weight = fitting + 2;
  add(mark);
  p.program.output_bytes = abi::BeatBytes;
  p.input.assign(std::size_t{weights.run} * abi::BeatBytes, 0);
  const auto [expected, actual] =
      pair.run(p, [](test::FaultSession& session) { session.registers[abi::RegTimeout] = 2000; });
  EXPECT_EQ(expected, (Outcome{abi::ErrorTimeout, fitting, 2000}));
  EXPECT_EQ(actual, expected);
  test::Random random;
  pair.expect_usable(random);
}

}  // namespace
}  // namespace espalier
