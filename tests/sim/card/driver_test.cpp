// The driver on XRT against the simulated card:
//   - the card reports its array; programs run; loaded programs stay
//   - errors of the machine, time-outs of the machine and of the host come through, and the device works afterwards
//   - images that are missing, foreign, truncated, altered or for another array are refused with one clear error
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>

#include "driver/list_builder.hpp"
#include "esp_error.hpp"
#include "xrt/xrt_bus.hpp"

namespace espalier {
namespace {

using driver::Device;
using test::ListBuilder;
using ::testing::HasSubstr;
using xrt::XrtBus;

const std::string Image = std::string(ESPALIER_IMAGE_DIRECTORY) + "/espalier_sim_8x8.xclbin";

std::optional<Error> error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  return {};
}

std::vector<std::uint8_t> pattern(std::size_t bytes, unsigned seed) {
  std::vector<std::uint8_t> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<std::uint8_t>(i * 7 + seed);
  return data;
}

TEST(XrtBus, ReportsTheArrayOfTheImage) {
  XrtBus bus({0, Image});
  EXPECT_EQ(Device(bus).configuration(), abi::Array8x8);
  EXPECT_EQ(bus.name(), "xrt:0 espalier_simulation");
  EXPECT_EQ(xrt::devices(), std::vector<std::string>{"espalier_simulation"});
}

TEST(XrtBus, LoadedProgramsRunManyTimesSideBySide) {
  XrtBus bus({0, Image});
  Device device(bus);
  ListBuilder small, large;
  auto copy_small = device.load(test::copy_program(small, 1));
  auto copy_large = device.load(test::copy_program(large, 40));
  for (unsigned i = 0; i < 5; ++i) {
    EXPECT_EQ(copy_small.run(pattern(64, i)).output, pattern(64, i));
    const auto result = copy_large.run(pattern(2560, i + 9));
    EXPECT_EQ(result.output, pattern(2560, i + 9));
    EXPECT_EQ(result.counters.read_beats, 42U);
    EXPECT_EQ(result.counters.write_beats, 40U);
  }
}

TEST(XrtBus, MachineErrorsComeThroughAndTheDeviceStaysUsable) {
  XrtBus bus({0, Image});
  Device device(bus);
  ListBuilder bad, good;
  bad.transfer(abi::OpLoad, abi::WindowInput, 2, 0);
  auto outside = device.load(bad.build(64, 64));
  auto copy = device.load(test::copy_program(good, 1));
  for (unsigned i = 0; i < 3; ++i) {
    const auto error = error_of([&] { outside.run({}); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Device);
    EXPECT_THAT(error->what(), HasSubstr("command 0 (load, layer 0): access outside its memory window"));
    EXPECT_EQ(copy.run(pattern(64, i)).output, pattern(64, i));
  }
}

TEST(XrtBus, TimeoutsOfMachineAndHost) {
  XrtBus bus({0, Image});
  Device device(bus);
  ListBuilder waits, good;
  abi::Command load;
  load.opcode = abi::OpLoad;
  load.window = abi::WindowInput;
  load.run = load.planes = 1;
  load.wait_store = 1;
  waits.add_as_is(load);
  auto stuck = device.load(waits.build(64, 64), {2000, std::chrono::minutes(5)});
  const auto machine = error_of([&] { stuck.run({}); });
  ASSERT_TRUE(machine);
  EXPECT_EQ(machine->code(), ErrorCode::Timeout);
  EXPECT_THAT(machine->what(), HasSubstr("error 8"));
  stuck.set_limits({0, std::chrono::milliseconds(20)});
  const auto host = error_of([&] { stuck.run({}); });
  ASSERT_TRUE(host);
  EXPECT_EQ(host->code(), ErrorCode::Timeout);
  EXPECT_THAT(host->what(), HasSubstr("limit 20 ms"));
  EXPECT_EQ(device.run({test::copy_program(good, 2), pattern(128, 5), {}}).output, pattern(128, 5));
}

TEST(XrtBus, MemoryIsCheckedAndFreed) {
  XrtBus bus({0, Image});
  EXPECT_EQ(error_of([&] { bus.allocate(std::size_t{1} << 40); })->code(), ErrorCode::Device);
  driver::Buffer buffer(bus, 64);
  std::vector<std::uint8_t> byte(1);
  EXPECT_EQ(error_of([&] { bus.read_memory(buffer.address() + 4096, byte); })->code(), ErrorCode::Device);
  for (unsigned i = 0; i < 100; ++i) driver::Buffer(bus, std::size_t{1} << (16 + i % 10));
}

TEST(XrtBus, OneHolderAtATime) {
  XrtBus first({0, Image});
  const auto error = error_of([&] { XrtBus second({0, Image}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->summary(), "XRT cannot take the kernel");
}

TEST(XrtBus, NoSuchDevice) {
  const auto error = error_of([&] { XrtBus bus({5, Image}); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::Device);
  EXPECT_THAT(error->what(), HasSubstr("XRT cannot open the device"));
}

TEST(XrtBus, BadImagesAreRefusedBeforeXrtSeesThem) {
  std::ifstream file(Image, std::ios::binary);
  const std::vector<char> image(std::istreambuf_iterator<char>(file), {});
  ASSERT_FALSE(image.empty());
  const std::string path = ::testing::TempDir() + "bad_image.xclbin";
  const auto refusal = [&](const std::vector<char>& bytes) {
    std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const auto error = error_of([&] { XrtBus bus({0, path}); });
    if (!error) return std::string("accepted");
    EXPECT_EQ(error->code(), ErrorCode::Program);
    EXPECT_EQ(error->where(), path);
    return error->summary();
  };
  EXPECT_EQ(refusal(std::vector<char>(5000, 'x')), "not a device image");
  EXPECT_EQ(refusal({image.begin(), image.begin() + static_cast<std::ptrdiff_t>(image.size() / 2)}),
            "the image is truncated");
  std::vector<char> altered = image;
  altered[image.size() - 100] = static_cast<char>(altered[image.size() - 100] ^ 1);
  EXPECT_NE(refusal(altered), "accepted");
  EXPECT_EQ(refusal({}), "the device image cannot be read");
  std::filesystem::remove(path);
  EXPECT_EQ(error_of([&] { XrtBus bus({0, path}); })->code(), ErrorCode::Program);
  XrtBus good({0, Image});
}

}  // namespace
}  // namespace espalier
