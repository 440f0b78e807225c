// What holds of a Device on every bus, as checks that the tests of each bus call.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "driver/list_builder.hpp"
#include "esp_error.hpp"
#include "espalier/driver/device.hpp"

namespace espalier::test {

/// The Error that an action throws, or nothing.
inline std::optional<Error> error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {};
}

/// Bytes that differ from their neighbours and from those of another seed.
inline std::vector<std::uint8_t> pattern(std::size_t bytes, unsigned seed) {
  std::vector<std::uint8_t> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<std::uint8_t>(i * 7 + seed);
  return data;
}

/// Two loaded programs, run in turn, give their outputs and their counts of beats.
inline void check_programs_side_by_side(driver::Device& device) {
  ListBuilder small, large;
  auto copy_small = device.load(copy_program(small, 1));
  auto copy_large = device.load(copy_program(large, 40));
  for (unsigned i = 0; i < 5; ++i) {
    EXPECT_EQ(copy_small.run(pattern(64, i)).output, pattern(64, i));
    const auto result = copy_large.run(pattern(2560, i + 9));
    EXPECT_EQ(result.output, pattern(2560, i + 9));
    EXPECT_EQ(result.counters.read_beats, 42U);
    EXPECT_EQ(result.counters.write_beats, 40U);
  }
}

/// Every run of `program` fails with a device error that `check` accepts, and a copy works after each.
inline void check_failures_leave_device_usable(driver::Device& device, const driver::Program& program,
                                               const std::function<void(const Error&)>& check) {
  ListBuilder good;
  auto failing = device.load(program);
  auto copy = device.load(copy_program(good, 1));
  for (unsigned i = 0; i < 3; ++i) {
    const auto error = error_of([&] { failing.run({}); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Device);
    check(*error);
    EXPECT_EQ(copy.run(pattern(64, i)).output, pattern(64, i));
  }
}

/// A program that waits for ever ends by the machine's time-out after `timeout_cycles` and, without that one, by the
/// host's; the device works afterwards.
inline void check_timeouts(driver::Device& device, std::uint32_t timeout_cycles) {
  using ::testing::HasSubstr;
  ListBuilder waits, good;
  abi::Command load;
  load.opcode = abi::OpLoad;
  load.window = abi::WindowInput;
  load.run = load.planes = 1;
  load.wait_store = 1;
  waits.add_as_is(load);
  auto stuck = device.load(waits.build(64, 64), {timeout_cycles, std::chrono::minutes(5)});
  const auto machine = error_of([&] { stuck.run({}); });
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->code(), ErrorCode::Timeout);
  EXPECT_THAT(machine->what(), HasSubstr("command 0 (load, layer 0)"));
  EXPECT_THAT(machine->what(), HasSubstr("error 8"));
  stuck.set_limits({0, std::chrono::milliseconds(20)});
  const auto host = error_of([&] { stuck.run({}); });
  ASSERT_TRUE(host);
  EXPECT_EQ(host->code(), ErrorCode::Timeout);
  EXPECT_THAT(host->what(), HasSubstr("limit 20 ms"));
  EXPECT_EQ(device.run({copy_program(good, 2), pattern(128, 5), {}}).output, pattern(128, 5));
}

}  // namespace espalier::test
