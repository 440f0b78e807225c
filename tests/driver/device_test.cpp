// Device, Loaded and Buffer on the machine without a clock:
//   - runs give their output; a loaded program runs many times, beside others
//   - every error names device, command, opcode, detail and what to do; the device works afterwards
//   - another contract version, a device that disappears at any call, one that never finishes
//   - buffers free their memory, are moved, and refuse accesses outside
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "driver/fault_bus.hpp"
#include "driver/list_builder.hpp"
#include "driver_checks.hpp"
#include "esp_error.hpp"
#include "espalier/driver/device.hpp"
#include "functional/functional_bus.hpp"

namespace espalier {
namespace {

using driver::Buffer;
using driver::Device;
using functional::FunctionalBus;
using test::error_of;
using test::FaultBus;
using test::ListBuilder;
using test::pattern;
using ::testing::HasSubstr;

TEST(Device, ReportsItsConfiguration) {
  FunctionalBus bus(abi::Array16x16);
  EXPECT_EQ(Device(bus).configuration(), abi::Array16x16);
  EXPECT_EQ(Device(bus).name(), "functional 16x16");
  FunctionalBus compact(abi::Array16x16Compact);
  EXPECT_EQ(Device(compact).configuration(), abi::Array16x16Compact);
  EXPECT_EQ(Device(compact).name(), "functional 16x16_compact");
}

TEST(Device, RefusesAnotherVersionOfTheContract) {
  FunctionalBus bus(abi::Array8x8);
  FaultBus faulty(bus);
  faulty.faults().registers[abi::RegVersion] = abi::AbiVersion + 1;
  const auto error = error_of([&] { Device device(faulty); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Device);
  EXPECT_THAT(error->what(), HasSubstr("version " + std::to_string(abi::AbiVersion + 1) + ", expected " +
                                       std::to_string(abi::AbiVersion)));
}

TEST(Device, RefusesAnArrayThatCannotBe) {
  FunctionalBus bus(abi::Array8x8);
  const std::vector<std::pair<std::uint32_t, std::uint32_t>> wrong{
      {abi::RegLanes, 0},        {abi::RegLanes, 7},           {abi::RegPixels, 128},      {abi::RegLineDepth, 0},
      {abi::RegProgramDepth, 0}, {abi::RegProgramDepth, 1000}, {abi::RegStagingBeats, 32}, {abi::RegStagingBeats, 256}};
  for (const auto& [offset, value] : wrong) {
    FaultBus faulty(bus);
    faulty.faults().registers[offset] = value;
    const auto error = error_of([&] { Device device(faulty); });
    ASSERT_TRUE(error) << "register " << offset;
    EXPECT_EQ(error->code(), ErrorCode::Device);
  }
}

TEST(Device, LoadedProgramsRunManyTimesSideBySide) {
  FunctionalBus bus(abi::Array8x8);
  Device device(bus);
  test::check_programs_side_by_side(device);
}

TEST(Device, ReadsMarksAndCounters) {
  FunctionalBus bus(abi::Array8x8);
  Device device(bus);
  ListBuilder list;
  driver::Program program = test::copy_program(list, 3);
  program.marks = 2;
  const auto result = device.run({program, pattern(192, 1), {}});
  EXPECT_EQ(result.marks.size(), 2U);
  EXPECT_EQ(result.counters.read_beats, 5U);
  EXPECT_EQ(result.counters.write_beats, 3U);
}

TEST(Device, ErrorsNameTheCommandAndLeaveTheDeviceUsable) {
  FunctionalBus bus(abi::Array8x8);
  Device device(bus);
  ListBuilder bad;
  bad.transfer(abi::OpLoad, abi::WindowInput, 1, 0);
  abi::Command store;
  store.opcode = abi::OpStore;
  store.layer = 3;
  store.window = abi::WindowOutput;
  store.offset = 77;
  store.run = store.planes = 1;
  bad.add(store);
  test::check_failures_leave_device_usable(device, bad.build(64, 64), [](const Error& error) {
    EXPECT_EQ(error.summary(), "access outside its memory window");
    EXPECT_EQ(error.where(), "device functional 8x8, command 1 (store, layer 3)");
    EXPECT_EQ(error.value(), "error 4, offset in beats 77");
    EXPECT_FALSE(error.action().empty());
  });
}

TEST(Device, MachineTimeoutsAndHostTimeoutsAreTimeouts) {
  FunctionalBus bus(abi::Array8x8);
  Device device(bus);
  test::check_timeouts(device, 1000000);
}

TEST(Device, NeverDoneResetsOnceAndRecovers) {
  FunctionalBus bus(abi::Array8x8);
  FaultBus faulty(bus);
  Device device(faulty);
  ListBuilder list;
  auto copy = device.load(test::copy_program(list, 1));
  faulty.faults().never_done = true;
  EXPECT_EQ(error_of([&] { copy.run(pattern(64, 1)); })->code(), ErrorCode::Timeout);
  EXPECT_EQ(faulty.resets(), 1U);
  faulty.faults().never_done = false;
  EXPECT_EQ(copy.run(pattern(64, 2)).output, pattern(64, 2));
}

TEST(Device, DisappearingAtAnyCallIsOneErrorAndFreesItsMemory) {
  FunctionalBus bus(abi::Array8x8);
  FaultBus faulty(bus);
  const auto everything = [&] {
    Device device(faulty);
    ListBuilder list;
    return device.run({test::copy_program(list, 1), pattern(64, 3), {}}).output;
  };
  EXPECT_EQ(everything(), pattern(64, 3));
  const std::size_t calls = faulty.calls();
  ASSERT_GT(calls, 20U);
  for (std::size_t i = 0; i < calls; ++i) {
    FaultBus dying(bus);
    dying.faults().gone_after = i;
    const auto error = error_of([&] {
      Device device(dying);
      ListBuilder list;
      device.run({test::copy_program(list, 1), pattern(64, 3), {}});
    });
    ASSERT_TRUE(error) << "call " << i;
    EXPECT_EQ(error->code(), ErrorCode::Device);
  }
  EXPECT_EQ(everything(), pattern(64, 3));
}

TEST(Device, RefusesProgramsThatDoNotHoldTheirCommands) {
  FunctionalBus bus(abi::Array8x8);
  Device device(bus);
  ListBuilder list;
  driver::Program program = test::copy_program(list, 1);
  program.command_count = 3;
  EXPECT_EQ(error_of([&] { device.load(program); })->code(), ErrorCode::Usage);
  program.command_count = 0;
  EXPECT_EQ(error_of([&] { device.load(program); })->code(), ErrorCode::Usage);
}

TEST(Device, RefusesMoreMarksThanTheMachineKeeps) {
  FunctionalBus bus(abi::Array8x8);
  Device device(bus);
  ListBuilder list;
  driver::Program program = test::copy_program(list, 1);
  program.marks = abi::MarkDepth + 1;
  const auto error = error_of([&] { device.load(program); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Usage);
  EXPECT_EQ(error->value(), std::to_string(abi::MarkDepth + 1) + " marks");
}

TEST(Device, RefusesInputsLargerThanTheirWindow) {
  FunctionalBus bus(abi::Array8x8);
  Device device(bus);
  ListBuilder list;
  auto copy = device.load(test::copy_program(list, 1));
  EXPECT_EQ(error_of([&] { copy.run(pattern(65, 0)); })->code(), ErrorCode::Usage);
}

TEST(Buffer, MovesAndFreesOnce) {
  FunctionalBus bus(abi::Array8x8);
  Buffer first(bus, 100);
  EXPECT_EQ(first.bytes(), 128U);
  EXPECT_EQ(first.address() % 4096, 0U);
  first.write(pattern(100, 1));
  Buffer second = std::move(first);
  std::vector<std::uint8_t> back(100);
  second.read(back);
  EXPECT_EQ(back, pattern(100, 1));
  const std::uint64_t address = second.address();
  second = Buffer(bus, 64);
  EXPECT_THROW(bus.read_memory(address, back), Error);
}

TEST(Buffer, RefusesAccessesOutside) {
  FunctionalBus bus(abi::Array8x8);
  Buffer buffer(bus, 64);
  EXPECT_EQ(error_of([&] { buffer.write(pattern(64, 0), 1); })->code(), ErrorCode::Usage);
  EXPECT_EQ(error_of([&] { buffer.write({}, 65); })->code(), ErrorCode::Usage);
  EXPECT_NO_THROW(buffer.write({}, 64));
  EXPECT_EQ(error_of([&] { Buffer(bus, 0); })->code(), ErrorCode::Device);
}

}  // namespace
}  // namespace espalier
