// The driver on XRT against the simulated card:
//   - the card reports its array; programs run; loaded programs stay
//   - errors of the machine, time-outs of the machine and of the host come through, and the device works afterwards
//   - images that are missing, foreign, truncated, altered or for another array are refused with one clear error
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "driver/list_builder.hpp"
#include "driver_checks.hpp"
#include "esp_error.hpp"
#include "xrt/xrt_bus.hpp"

namespace espalier {
namespace {

using driver::Device;
using test::error_of;
using test::ListBuilder;
using ::testing::HasSubstr;
using xrt::XrtBus;

const std::string Image = std::string(ESPALIER_IMAGE_DIRECTORY) + "/espalier_sim_8x8.xclbin";

TEST(XrtBus, ReportsTheArrayOfTheImage) {
  XrtBus bus({0, Image});
  EXPECT_EQ(Device(bus).configuration(), abi::Array8x8);
  EXPECT_EQ(bus.name(), "xrt:0 espalier_simulation");
  EXPECT_EQ(xrt::devices(), std::vector<std::string>{"espalier_simulation"});
}

TEST(XrtBus, RunsTheCompactArray) {
  XrtBus bus({0, std::string(ESPALIER_IMAGE_DIRECTORY) + "/espalier_sim_16x16_compact.xclbin"});
  Device device(bus);
  EXPECT_EQ(device.configuration(), abi::Array16x16Compact);
  test::check_programs_side_by_side(device);
}

TEST(XrtBus, LoadedProgramsRunManyTimesSideBySide) {
  XrtBus bus({0, Image});
  Device device(bus);
  test::check_programs_side_by_side(device);
}

TEST(XrtBus, MachineErrorsComeThroughAndTheDeviceStaysUsable) {
  XrtBus bus({0, Image});
  Device device(bus);
  ListBuilder bad;
  bad.transfer(abi::OpLoad, abi::WindowInput, 2, 0);
  test::check_failures_leave_device_usable(device, bad.build(64, 64), [](const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("command 0 (load, layer 0): access outside its memory window"));
  });
}

TEST(XrtBus, TimeoutsOfMachineAndHost) {
  XrtBus bus({0, Image});
  Device device(bus);
  test::check_timeouts(device, 2000);
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
