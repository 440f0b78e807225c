// How the machine without a clock ends a bad run:
//   - every rule of the contract has its error code, position and detail, and the machine works afterwards
//   - without coded weights, whatever needs them is refused
//   - nothing behind the fault is stored; nothing outside the windows changes
//   - a wait that can never be satisfied is a time-out, or a run that never ends when the time-out is off
//   - the control block follows ap_ctrl_hs: done is cleared by reading, the interrupt status toggles
#include <gtest/gtest.h>

#include <functional>

#include "driver/list_builder.hpp"
#include "esp_error.hpp"
#include "espalier/driver/buffer.hpp"
#include "functional/functional_bus.hpp"
#include "kernel_sizes.hpp"

namespace espalier {
namespace {

using namespace std::chrono_literals;
using driver::Buffer;
using functional::FunctionalBus;
using test::ListBuilder;

struct Outcome {
  std::uint32_t code, position, detail;
  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << "error " << outcome.code << " at " << outcome.position << " detail " << outcome.detail;
}

/// A machine with four windows of 8 beats, driven by its registers.
class Faults : public ::testing::Test {
 protected:
  explicit Faults(const abi::Configuration& array = abi::Array8x8)
      : bus_(array), program_(bus_, 64 * 1024), input_(bus_, 512), output_(bus_, 512), arena_(bus_, 512) {}

  void wide(std::uint32_t offset, std::uint64_t value) {
    bus_.write_register(offset, static_cast<std::uint32_t>(value));
    bus_.write_register(offset + 4, static_cast<std::uint32_t>(value >> 32));
  }

  void arguments(const driver::Program& program) {
    program_.write(program.image);
    const std::array<Buffer*, 4> windows{&program_, &input_, &output_, &arena_};
    for (unsigned i = 0; i < windows.size(); ++i) {
      wide(abi::RegProgramAddress + 16 * i, windows[i]->address());
      wide(abi::RegProgramBytes + 16 * i, windows[i]->bytes());
    }
    bus_.write_register(abi::RegCommandOffset, program.command_offset);
    bus_.write_register(abi::RegCommandCount, program.command_count);
    bus_.write_register(abi::RegTimeout, 1000);
  }

  Outcome go() {
    bus_.write_register(abi::RegControl, 1);
    EXPECT_TRUE(bus_.wait_done(10s));
    return {bus_.read_register(abi::RegError), bus_.read_register(abi::RegErrorPosition),
            bus_.read_register(abi::RegErrorDetail)};
  }

  /// Runs a valid load, then `command`.
  Outcome run(const abi::Command& command) {
    ListBuilder list;
    list.transfer(abi::OpLoad, abi::WindowInput, 1, 0);
    list.add_as_is(command);
    arguments(list.build(64, 64));
    return go();
  }

  FunctionalBus bus_;
  Buffer program_, input_, output_, arena_;
};

abi::Command transfer(unsigned opcode, unsigned window, std::uint32_t offset, std::uint32_t run) {
  abi::Command command;
  command.opcode = static_cast<std::uint8_t>(opcode);
  command.window = static_cast<std::uint8_t>(window);
  command.offset = offset;
  command.run = run;
  command.planes = 1;
  return command;
}

abi::Command weights(unsigned format, std::uint32_t items) {
  abi::Command command = transfer(abi::OpWeight, abi::WindowProgram, 0, 1);
  command.format = static_cast<std::uint8_t>(format);
  command.items = items;
  return command;
}

abi::Command compute() {
  abi::Command command;
  command.opcode = abi::OpCompute;
  command.slots = 1;
  command.count_x = command.count_y = 1;
  return command;
}

template <typename Change>
abi::Command with(abi::Command command, Change change) {
  change(command);
  return command;
}

TEST_F(Faults, FieldsOutOfRangeNameTheirPosition) {
  const auto field = [](std::uint32_t lsb) { return Outcome{abi::ErrorField, 1, lsb}; };
  EXPECT_EQ(run(transfer(abi::OpLoad, 4, 0, 1)), field(abi::CmdWindowLsb));
  EXPECT_EQ(run(transfer(abi::OpLoad, 1, 0, 0)), field(abi::CmdRunLsb));
  EXPECT_EQ(run(with(transfer(abi::OpStore, 2, 0, 1), [](auto& c) { c.planes = 0; })), field(abi::CmdPlanesLsb));
  EXPECT_EQ(run(weights(abi::Formats, 1)), field(abi::CmdFormatLsb));
  EXPECT_EQ(run(weights(abi::FormatSparse, 0)), field(abi::CmdItemsLsb));
  const auto coded = [](unsigned format, unsigned gap_bits, unsigned value_bits) {
    return with(weights(format, 1), [&](auto& c) {
      c.gap_bits = static_cast<std::uint8_t>(gap_bits);
      c.value_bits = static_cast<std::uint8_t>(value_bits);
    });
  };
  EXPECT_EQ(run(coded(abi::FormatFixed, 0, 4)), field(abi::CmdGapBitsLsb));
  EXPECT_EQ(run(coded(abi::FormatFixed, 9, 4)), field(abi::CmdGapBitsLsb));
  EXPECT_EQ(run(coded(abi::FormatFixed, 8, 9)), field(abi::CmdValueBitsLsb));
  EXPECT_EQ(run(coded(abi::FormatVector, 9, 8)), field(abi::CmdGapBitsLsb));
  EXPECT_EQ(run(coded(abi::FormatVector, 8, 5)), field(abi::CmdValueBitsLsb));
  EXPECT_EQ(run(coded(abi::FormatVector, 8, 8)), field(abi::CmdColumnsLsb));
  EXPECT_EQ(run(coded(abi::FormatHuffman, 0, 5)), field(abi::CmdValueBitsLsb));
  EXPECT_EQ(run(coded(abi::FormatPacked, 0, 3)), field(abi::CmdValueBitsLsb));
  EXPECT_EQ(run(coded(abi::FormatPacked, 0, 0)), field(abi::CmdValueBitsLsb));
  EXPECT_EQ(run(with(compute(), [](auto& c) { c.slots = 0; })), field(abi::CmdSlotsLsb));
  EXPECT_EQ(run(with(compute(), [](auto& c) { c.slots = 8193, c.count_x = 2; })), field(abi::CmdSlotsLsb));
  EXPECT_EQ(run(with(compute(), [](auto& c) { c.count_x = 0; })), field(abi::CmdCountXLsb));
  EXPECT_EQ(run(with(compute(), [](auto& c) { c.count_y = 0; })), field(abi::CmdCountYLsb));
  EXPECT_EQ(run(with(compute(), [](auto& c) { c.unroll = 17; })), field(abi::CmdUnrollLsb));
  EXPECT_EQ(run(with(compute(), [](auto& c) { c.operation = 5; })), field(abi::CmdOperationLsb));
  EXPECT_EQ(run(with(compute(), [](auto& c) { c.weights = abi::WeightsModes; })), field(abi::CmdWeightsLsb));
  EXPECT_EQ(run(with(compute(), [](auto& c) { c.split = 2; })), field(abi::CmdSplitLsb));  // WeightsSparse
}

/// A machine without coded weights.
class CompactFaults : public Faults {
 protected:
  CompactFaults() : Faults(abi::Array16x16Compact) {}
};

TEST_F(CompactFaults, CodedWeightsAreRefusedByTheirField) {
  const auto field = [](std::uint32_t lsb) { return Outcome{abi::ErrorField, 1, lsb}; };
  for (unsigned format = 0; format < abi::Formats; ++format) {
    abi::Command command = weights(format, 1);
    command.gap_bits = command.value_bits = 4;
    command.columns = 1;
    const Outcome outcome = run(command);
    if (abi::coded_format(format)) {
      EXPECT_EQ(outcome, field(abi::CmdFormatLsb)) << "format " << format;
      // The first fault by bit position counts.
      EXPECT_EQ(run(with(command, [](auto& c) { c.window = 4; })), field(abi::CmdWindowLsb));
      EXPECT_EQ(run(with(command, [](auto& c) { c.run = 0; })), field(abi::CmdFormatLsb));
    } else {
      EXPECT_EQ(outcome.code, abi::ErrorNone) << "format " << format;
    }
  }
  EXPECT_EQ(run(with(compute(), [](auto& c) { c.weights = abi::WeightsVector; })), field(abi::CmdWeightsLsb));
  EXPECT_EQ(run(with(compute(), [](auto& c) { c.weights = abi::WeightsVector, c.split = 2; })),
            field(abi::CmdWeightsLsb));
  const abi::Command replicating =
      with(transfer(abi::OpLoad, abi::WindowInput, 0, 1), [](auto& c) { c.flags = abi::FlagReplicate; });
  EXPECT_EQ(run(replicating), field(abi::CmdFlagsLsb));
  EXPECT_EQ(run(with(replicating, [](auto& c) { c.window = 4; })), field(abi::CmdFlagsLsb));
  EXPECT_EQ(run(transfer(abi::OpLoad, abi::WindowInput, 0, 1)).code, abi::ErrorNone);
  // The flag is of loads.
  EXPECT_EQ(
      run(with(transfer(abi::OpStore, abi::WindowOutput, 0, 1), [](auto& c) { c.flags = abi::FlagReplicate; })).code,
      abi::ErrorNone);
}

TEST_F(CompactFaults, TheMachineTellsItsSizes) {
  EXPECT_EQ(bus_.read_register(abi::RegCoded), 0U);
  EXPECT_EQ(bus_.read_register(abi::RegProgramDepth), 1024U);
  EXPECT_EQ(bus_.read_register(abi::RegStagingBeats), 64U);
}

TEST_F(Faults, SplitAndTapsOutOfRangeNameTheirPosition) {
  const auto field = [](std::uint32_t lsb) { return Outcome{abi::ErrorField, 1, lsb}; };
  const Outcome valid{abi::ErrorTimeout, 1, 1000};  // waits for lines that never come
  const abi::Command dense = with(compute(), [](auto& c) { c.weights = abi::WeightsDense; });
  const abi::Command block = with(compute(), [](auto& c) { c.weights = abi::WeightsBlock; });
  for (const unsigned split : {1U, 2U, 4U, 8U}) {
    EXPECT_EQ(run(with(dense, [&](auto& c) { c.split = static_cast<std::uint8_t>(split); })), valid);
    EXPECT_EQ(run(with(block, [&](auto& c) { c.split = static_cast<std::uint8_t>(split); })), valid);
  }
  for (const unsigned split : {0U, 3U, 6U, 16U, 255U}) {
    EXPECT_EQ(run(with(dense, [&](auto& c) { c.split = static_cast<std::uint8_t>(split); })), field(abi::CmdSplitLsb));
  }
  EXPECT_EQ(run(with(block, [](auto& c) { c.split = 4, c.scale = 6; })), field(abi::CmdScaleLsb));
  EXPECT_EQ(run(with(block, [](auto& c) { c.split = 2, c.scale = 6; })), valid);
  EXPECT_EQ(run(with(dense, [](auto& c) { c.tail_lanes = 9; })), field(abi::CmdTailLanesLsb));
  EXPECT_EQ(run(with(dense, [](auto& c) { c.tail_lanes = 0, c.split = 0; })), field(abi::CmdTailLanesLsb));
  EXPECT_EQ(run(with(block, [](auto& c) { c.tail_lanes = 0; })), valid);
  EXPECT_EQ(run(with(dense, [](auto& c) { c.tap_count[0] = 0; })), field(abi::CmdTapCount0Lsb));
  EXPECT_EQ(run(with(dense, [](auto& c) { c.tap_count[1] = 0; })), field(abi::CmdTapCount1Lsb));
  EXPECT_EQ(run(with(dense, [](auto& c) { c.tap_count[2] = 0; })), field(abi::CmdTapCount2Lsb));
  EXPECT_EQ(run(with(block, [](auto& c) { c.tap_count = {}; })), valid);
  // Lines of 8, 2 and 1 slots: 4096 of them fit, more only for a single position.
  const auto slots = [&](abi::Command c, std::uint32_t count, unsigned positions) {
    c.slots = count;
    c.count_y = static_cast<std::uint16_t>(positions);
    return run(c);
  };
  EXPECT_EQ(slots(dense, 8 * 4096, 2), valid);
  EXPECT_EQ(slots(dense, 8 * 4096 + 1, 2), field(abi::CmdSlotsLsb));
  EXPECT_EQ(slots(with(dense, [](auto& c) { c.split = 4; }), 2 * 4096 + 1, 2), field(abi::CmdSlotsLsb));
  EXPECT_EQ(slots(compute(), 2 * 4096, 2), valid);
  EXPECT_EQ(slots(compute(), 2 * 4096 + 1, 2), field(abi::CmdSlotsLsb));
  EXPECT_EQ(slots(block, 4096, 2), valid);
  EXPECT_EQ(slots(block, 4097, 2), field(abi::CmdSlotsLsb));
  EXPECT_EQ(slots(block, 4097, 1), valid);
}

TEST_F(Faults, UnknownOpcodes) {
  for (const unsigned opcode : {0U, 6U, 255U}) {
    abi::Command command;
    command.opcode = static_cast<std::uint8_t>(opcode);
    EXPECT_EQ(run(command), (Outcome{abi::ErrorOpcode, 1, opcode}));
  }
}

TEST_F(Faults, AccessesOutsideTheirWindow) {
  EXPECT_EQ(run(transfer(abi::OpLoad, abi::WindowInput, 7, 1)), (Outcome{0, 0, 0}));
  EXPECT_EQ(run(transfer(abi::OpLoad, abi::WindowInput, 7, 2)), (Outcome{abi::ErrorWindow, 1, 7}));
  EXPECT_EQ(run(transfer(abi::OpStore, abi::WindowArena, 8, 1)), (Outcome{abi::ErrorWindow, 1, 8}));
  EXPECT_EQ(run(transfer(abi::OpLoad, abi::WindowInput, 0xffffffff, 0xffffffff)),
            (Outcome{abi::ErrorWindow, 1, 0xffffffff}));
  EXPECT_EQ(run(with(transfer(abi::OpStore, abi::WindowOutput, 0, 1), [](auto& c) { c.planes = 3, c.pitch = 4; })),
            (Outcome{abi::ErrorWindow, 1, 8}));
}

TEST_F(Faults, NothingIsStoredBehindTheFault) {
  std::vector<std::uint8_t> input(512, 0xa5), output(512, 0), behind(512, 0);
  input_.write(input);
  arena_.write(behind);
  EXPECT_EQ(run(with(transfer(abi::OpStore, abi::WindowOutput, 0, 1), [](auto& c) { c.planes = 3, c.pitch = 4; })),
            (Outcome{abi::ErrorWindow, 1, 8}));
  output_.read(output);
  EXPECT_EQ(output[64], 0);
  arena_.read(behind);
  EXPECT_EQ(std::count(behind.begin(), behind.end(), 0), 512);
}

TEST_F(Faults, StoresIntoReadOnlyWindows) {
  EXPECT_EQ(run(transfer(abi::OpStore, abi::WindowProgram, 0, 1)), (Outcome{abi::ErrorReadOnly, 1, 0}));
  EXPECT_EQ(run(transfer(abi::OpStore, abi::WindowInput, 0, 1)), (Outcome{abi::ErrorReadOnly, 1, 1}));
}

TEST_F(Faults, WrongArgumentsNameTheRegister) {
  ListBuilder list;
  const driver::Program program = test::copy_program(list, 1);
  arguments(program);
  wide(abi::RegOutputAddress, output_.address() + 64);
  EXPECT_EQ(go(), (Outcome{abi::ErrorArgument, 0, abi::RegOutputAddress}));
  arguments(program);
  wide(abi::RegInputBytes, 100);
  EXPECT_EQ(go(), (Outcome{abi::ErrorArgument, 0, abi::RegInputBytes}));
  arguments(program);
  bus_.write_register(abi::RegCommandCount, 0);
  EXPECT_EQ(go(), (Outcome{abi::ErrorArgument, 0, abi::RegCommandCount}));
  arguments(program);
  bus_.write_register(abi::RegCommandOffset, 1023);
  EXPECT_EQ(go(), (Outcome{abi::ErrorWindow, 0, 1024}));
  bus_.write_register(abi::RegCommandOffset, 1024);
  EXPECT_EQ(go(), (Outcome{abi::ErrorWindow, 0, 1024}));
  arguments(program);
  EXPECT_EQ(go(), (Outcome{0, 0, 0}));
}

TEST_F(Faults, WindowsWithoutMemoryAnswerWithAnError) {
  ListBuilder list;
  arguments(test::copy_program(list, 1));
  wide(abi::RegInputAddress, std::uint64_t{1} << 60);
  EXPECT_EQ(go(), (Outcome{abi::ErrorReadResponse, 0, 2}));
}

TEST_F(Faults, InjectedMemoryFaults) {
  ListBuilder list, again;
  arguments(test::copy_program(list, 1));
  using functional::MemoryFault;
  using functional::MemoryFaultKind;
  bus_.set_memory_fault(MemoryFault{MemoryFaultKind::ReadError, input_.address(), 64});
  EXPECT_EQ(go(), (Outcome{abi::ErrorReadResponse, 0, 2}));
  bus_.set_memory_fault(MemoryFault{MemoryFaultKind::WriteError, output_.address(), 64});
  EXPECT_EQ(go(), (Outcome{abi::ErrorWriteResponse, 1, 2}));
  bus_.set_memory_fault(MemoryFault{MemoryFaultKind::NoAnswer, output_.address(), 64});
  EXPECT_EQ(go(), (Outcome{abi::ErrorTimeout, 1, 1000}));
  bus_.set_memory_fault({});
  bus_.reset();  // the memory still owes answers
  arguments(test::copy_program(again, 1));
  EXPECT_EQ(go(), (Outcome{0, 0, 0}));
}

TEST_F(Faults, WaitsThatNeverEndTimeOut) {
  const Outcome timeout{abi::ErrorTimeout, 1, 1000};
  EXPECT_EQ(run(compute()), timeout);  // no slots
  EXPECT_EQ(run(with(transfer(abi::OpLoad, 1, 0, 1), [](auto& c) { c.wait_load = 2; })), timeout);
  EXPECT_EQ(run(with(transfer(abi::OpLoad, 1, 0, 1), [](auto& c) { c.wait_store = 1; })), timeout);
}

TEST_F(Faults, WeightsThatNeverFitTimeOut) {
  FunctionalBus bus(test::make_sized_core({8, 8, 1024, 2}));
  driver::Device device(bus);
  ListBuilder list;
  list.sparse(std::vector<abi::Entry>(8 * 5), 8);
  list.add(compute());
  const auto program = list.build(64, 64);
  try {
    device.run({program, {}, {}});
    FAIL() << "a store of two lines took three";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Timeout);
  }
}

TEST_F(Faults, WithoutTimeoutTheRunNeverEndsUntilReset) {
  ListBuilder list;
  list.add(compute());
  arguments(list.build(64, 64));
  bus_.write_register(abi::RegTimeout, 0);
  bus_.write_register(abi::RegControl, 1);
  EXPECT_FALSE(bus_.wait_done(1h));
  EXPECT_EQ(bus_.read_register(abi::RegControl), 1U);
  bus_.reset();
  EXPECT_EQ(bus_.read_register(abi::RegControl), 4U);
  ListBuilder copy;
  arguments(test::copy_program(copy, 1));
  EXPECT_EQ(go(), (Outcome{0, 0, 0}));
}

TEST_F(Faults, ChainsThatRunInACircleTimeOut) {
  ListBuilder list;
  list.table<abi::ProgramEntry>(abi::FormatProgram, std::vector<abi::ProgramEntry>{{0, 0, true, 1}, {0, 0, true, 1}});
  std::vector<abi::Entry> entries(8);
  entries[0].last = true;
  list.sparse(entries, 8);
  list.add(compute());
  arguments(list.build(64, 64));
  EXPECT_EQ(go(), (Outcome{abi::ErrorTimeout, 2, 1000}));
}

TEST_F(Faults, ControlBlockFollowsTheProtocol) {
  ListBuilder list;
  arguments(test::copy_program(list, 1));
  EXPECT_EQ(bus_.read_register(abi::RegControl), 4U);
  bus_.write_register(abi::RegInterruptEnable, 1);
  bus_.write_register(abi::RegControl, 1);
  EXPECT_TRUE(bus_.wait_done(10s));
  EXPECT_EQ(bus_.read_register(abi::RegInterruptStatus), 1U);
  bus_.write_register(abi::RegInterruptStatus, 1);
  EXPECT_EQ(bus_.read_register(abi::RegInterruptStatus), 0U);
  EXPECT_EQ(bus_.read_register(abi::RegControl) & 2U, 2U);
  EXPECT_EQ(bus_.read_register(abi::RegControl) & 2U, 0U);
  EXPECT_THROW(bus_.read_register(abi::RegWindowBytes), Error);
  EXPECT_THROW(bus_.write_register(2, 0), Error);
}

}  // namespace
}  // namespace espalier
