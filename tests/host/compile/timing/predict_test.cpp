// The timing model without the RTL beside it (tests/sim/rtl compares the two):
//   - a program moves as many beats and executes as many entries as the machine without a clock says, issues every slot
//     once per position, and every cycle has one cause, at any latency
//   - no chunk, stream or table order stops it, on any array and with stores of few lines
//   - the weight unit writes lines and tables at the rates of the contract
//   - staging is as deep as the array says
//   - programs that cannot be walked, coded weights of machines that have none, and memories of other widths, are
//   refused
#include "compile/timing/predict.hpp"

#include <gtest/gtest.h>

#include "arrays.hpp"
#include "driver/list_builder.hpp"
#include "esp_error.hpp"
#include "espalier/driver/device.hpp"
#include "functional/functional_bus.hpp"
#include "kernel_sizes.hpp"
#include "random_program.hpp"

namespace espalier {
namespace {

using compile::Prediction;

class Predict : public ::testing::TestWithParam<abi::Configuration> {};

std::uint64_t issued_slots(const compile::DeviceProgram& program) {
  std::uint64_t slots = 0;
  for (std::uint32_t i = 0; i < program.command_count; ++i) {
    const std::uint8_t* beat = &program.image[(std::size_t{program.command_offset} + i) * abi::BeatBytes];
    const abi::Command c = abi::decode(std::span<const std::uint8_t, abi::BeatBytes>(beat, abi::BeatBytes));
    if (c.opcode == abi::OpCompute) slots += std::uint64_t{c.slots} * c.count_x * c.count_y;
  }
  return slots;
}

TEST_P(Predict, RandomProgramsMoveAndExecuteWhatTheyShould) {
  for (unsigned i = 0; i < 40; ++i) {
    test::Random random(i);
    const test::RandomProgram p = test::random_program(GetParam(), random, random.between(1, 4));
    abi::MemoryParameters memory;
    memory.latency = static_cast<unsigned>(random.between(1, 120));
    memory.bytes = 64U >> random.between(0, 2);
    const Prediction predicted = compile::predict(p.program, GetParam(), memory);
    functional::FunctionalBus bus(test::make_sized_core(GetParam()));
    driver::Device device(bus);
    const driver::Program program{p.program.image,       p.program.command_offset, p.program.command_count,
                                  p.program.input_bytes, p.program.output_bytes,   p.program.arena_bytes,
                                  abi::MarkDepth};
    const driver::Counters counters = device.run({program, p.input, {}}).counters;
    EXPECT_EQ(predicted.macs, counters.macs);
    EXPECT_EQ(predicted.read_beats, counters.read_beats);
    EXPECT_EQ(predicted.write_beats, counters.write_beats);
    EXPECT_EQ(predicted.computing, issued_slots(p.program));
    EXPECT_EQ(predicted.cycles, predicted.computing + predicted.weights + predicted.output + predicted.data +
                                    predicted.writing + predicted.control);
    for (std::size_t mark = 0; mark < predicted.marks.size(); ++mark) {
      const compile::Causes& c = predicted.causes_at_marks[mark];
      EXPECT_EQ(predicted.marks[mark], c.computing + c.weights + c.output + c.data + c.writing + c.control);
    }
    if (HasFailure()) return;
  }
}

compile::DeviceProgram device_program(const driver::Program& program) {
  compile::DeviceProgram result;
  result.image.assign(program.image.begin(), program.image.end());
  result.command_offset = program.command_offset;
  result.command_count = program.command_count;
  result.input_bytes = program.input_bytes;
  result.output_bytes = program.output_bytes;
  return result;
}

/// Cycles of a program that is one OpWeight.
std::uint32_t weight_cycles(const abi::Configuration& array, unsigned format, std::uint32_t items,
                            std::size_t item_bytes) {
  test::ListBuilder list;
  abi::Command command;
  command.format = static_cast<std::uint8_t>(format);
  command.items = items;
  list.weight(command, std::vector<std::uint8_t>(items * item_bytes));
  return compile::predict(device_program(list.build(64, 64)), array).cycles;
}

TEST(WeightUnit, WritesLinesAndTablesAtTheRatesOfTheContract) {
  constexpr std::uint32_t Few = 64, Many = 192;
  for (const abi::Configuration& array : test::all_arrays()) {
    const auto cycles = [&](unsigned format, std::size_t item_bytes) {
      return weight_cycles(array, format, Many, item_bytes) - weight_cycles(array, format, Few, item_bytes);
    };
    const std::uint32_t items = Many - Few;
    const std::uint32_t entry_beats = std::max(1U, array.lanes / 16);
    EXPECT_EQ(cycles(abi::FormatSparse, array.lanes * 4), items * entry_beats) << array.lanes;
    EXPECT_EQ(cycles(abi::FormatDense, 64), items) << array.lanes;
    EXPECT_EQ(cycles(abi::FormatBlock, 64 + 64 * entry_beats), items * (1 + entry_beats)) << array.lanes;
    EXPECT_EQ(cycles(abi::FormatRow, 4), items / array.max_split());
    EXPECT_EQ(cycles(abi::FormatScale, 8), items / array.max_split());
    EXPECT_EQ(cycles(abi::FormatProgram, 8), items);
    EXPECT_EQ(cycles(abi::FormatPermute, array.pixels), items);
    if (array.coded) {
      EXPECT_EQ(cycles(abi::FormatCode, 4), items);
    }
  }
}

// A dense row of W / s slots per line keeps the lanes busy in every cycle but the first ones.
TEST(Sequencer, IssuesASlotPerCycleAcrossLinesAndPositions) {
  for (const abi::Configuration& array : test::all_arrays()) {
    for (unsigned split = 1; split <= array.max_split(); split *= 2) {
      test::ListBuilder list;
      abi::Command weights;
      weights.format = abi::FormatDense;
      weights.items = 256;
      list.weight(weights, std::vector<std::uint8_t>(256 * abi::BeatBytes));
      abi::Command compute;
      compute.opcode = abi::OpCompute;
      compute.weights = abi::WeightsDense;
      compute.split = static_cast<std::uint8_t>(split);
      compute.flags = abi::FlagBroadcast;
      compute.slots = 256 * array.line_slots(abi::WeightsDense, split) - 1;
      compute.tap_count = {1, 1, 65535};
      compute.tap_step = {0, 0, 1};  // every bank in turn, so that results find theirs idle
      compute.tail_lanes = static_cast<std::uint8_t>(array.lanes);
      compute.count_x = 3;
      compute.count_y = 2;
      list.add(compute);
      const Prediction p = compile::predict(device_program(list.build(64, 64)), array);
      EXPECT_EQ(p.computing, compute.slots * 6);
      EXPECT_EQ(p.weights + p.output, 0U) << "split " << split;
    }
  }
}

TEST(Refused, CommandsThatCannotBeWalked) {
  const auto predict = [](auto change) {
    test::ListBuilder list;
    abi::Command command;
    command.opcode = abi::OpCompute;
    command.slots = command.count_x = command.count_y = 1;
    change(command);
    list.add(command);
    return compile::predict(device_program(list.build(64, 64)), abi::Array8x8);
  };
  EXPECT_THROW(predict([](auto& c) { c.split = 0; }), Error);
  EXPECT_THROW(predict([](auto& c) { c.split = 16; }), Error);
  EXPECT_THROW(predict([](auto& c) { c.weights = abi::WeightsDense, c.tap_count[1] = 0; }), Error);
  EXPECT_THROW(predict([](auto& c) { c.slots = 0; }), Error);
  EXPECT_THROW(predict([](auto& c) { c.count_y = 0; }), Error);
  EXPECT_THROW(predict([](auto& c) { c.weights = abi::WeightsDense, c.tail_lanes = 9; }), Error);
  EXPECT_THROW(predict([](auto& c) { c.opcode = abi::OpLoad, c.run = 1; }), Error);
  EXPECT_THROW(predict([](auto& c) { c.opcode = abi::OpStore, c.planes = 1; }), Error);
  EXPECT_THROW(predict([](auto& c) { c.opcode = abi::OpWeight, c.run = 1; }), Error);
  EXPECT_THROW(predict([](auto& c) { c.opcode = 6; }), Error);
}

/// Cycles that a transfer of many planes takes if the memory answers late.
std::uint32_t transfer_cycles(unsigned opcode, unsigned staging_beats) {
  abi::Configuration array = abi::Array16x16Compact;
  array.staging_beats = staging_beats;
  test::ListBuilder list;
  list.transfer(static_cast<std::uint8_t>(opcode), opcode == abi::OpLoad ? abi::WindowInput : abi::WindowOutput, 600,
                0);
  return compile::predict(device_program(list.build(600 * abi::BeatBytes, 600 * abi::BeatBytes)), array, {64, 120})
      .cycles;
}

// What is read ahead covers the latency, or does not.
TEST(Staging, IsAsDeepAsTheArraySays) {
  EXPECT_LT(transfer_cycles(abi::OpLoad, 128), transfer_cycles(abi::OpLoad, 64));
  EXPECT_LE(transfer_cycles(abi::OpStore, 128), transfer_cycles(abi::OpStore, 64));
}

TEST(Refused, CodedWeightsOfMachinesThatHaveNone) {
  const auto predict = [](const abi::Configuration& array, auto change) {
    test::ListBuilder list;
    abi::Command command;
    change(command);
    list.add(command);
    return compile::predict(device_program(list.build(64, 64)), array);
  };
  for (unsigned format = 0; format < abi::Formats; ++format) {
    if (!abi::coded_format(format)) continue;
    const auto weights = [&](auto& c) {
      c.opcode = abi::OpWeight;
      c.format = static_cast<std::uint8_t>(format);
      c.run = c.items = 1;
      c.gap_bits = c.value_bits = 4;
    };
    EXPECT_THROW(predict(abi::Array16x16Compact, weights), Error) << format;
  }
  const auto vector = [](auto& c) {
    c.opcode = abi::OpCompute;
    c.weights = abi::WeightsVector;
    c.slots = c.count_x = c.count_y = 1;
  };
  EXPECT_THROW(predict(abi::Array16x16Compact, vector), Error);
  const auto load = [](auto& c) {
    c.opcode = abi::OpLoad;
    c.window = abi::WindowInput;
    c.run = c.planes = 1;
    c.flags = abi::FlagReplicate;
  };
  EXPECT_NO_THROW(predict(abi::Array16x16, load));
  EXPECT_THROW(predict(abi::Array16x16Compact, load), Error);
}

TEST(Refused, MemoriesOfOtherWidths) {
  test::ListBuilder list;
  const compile::DeviceProgram program = device_program(test::copy_program(list, 1));
  EXPECT_NO_THROW(compile::predict(program, abi::Array8x8, {1, 40}));
  for (const unsigned bytes : {0U, 48U, 128U}) {
    EXPECT_THROW(compile::predict(program, abi::Array8x8, {bytes, 40}), Error) << bytes;
  }
}

INSTANTIATE_TEST_SUITE_P(Arrays, Predict,
                         ::testing::Values(abi::Array8x8, abi::Array16x16, abi::Array16x16Compact, abi::Array32x32,
                                           abi::Configuration{8, 8, 1024, 32}, abi::Configuration{16, 8, 1024, 24},
                                           abi::Configuration{32, 32, 1024, 50},
                                           abi::Configuration{16, 8, 1024, 30, 2, false, 128, 64}),
                         [](const auto& info) {
                           return std::to_string(info.param.lanes) + "x" + std::to_string(info.param.pixels) + "_" +
                                  std::to_string(info.param.line_depth);
                         });

}  // namespace
}  // namespace espalier
