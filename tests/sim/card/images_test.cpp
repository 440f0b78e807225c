// Images, contexts and registers through XRT's native API:
//   - bad images are errors and leave the card usable; unknown kernels, uuids and devices are errors
//   - another image is refused while the card is in use and accepted when it is not; it changes the array
//   - xrt::ip drives the machine by hand; it is refused while a kernel holds the unit
#include <experimental/xrt_ip.h>
#include <experimental/xrt_system.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "run_fixture.hpp"

namespace espalier::test {
namespace {

using Images = OnCard;
using Registers = OnCard;

std::vector<char> contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string load(xrt::device& device, const std::vector<char>& image) {
  const std::string path = ::testing::TempDir() + "bad_card_image.xclbin";
  std::ofstream(path, std::ios::binary).write(image.data(), static_cast<std::streamsize>(image.size()));
  return error_of([&] {
    const auto uuid = device.load_xclbin(path);
    xrt::kernel kernel(device, uuid, "espalier");
  });
}

TEST_F(Images, BadOnesAreErrorsAndTheCardStaysUsable) {
  const std::vector<char> image = contents(SmallImage);
  EXPECT_NE(error_of([&] { device_.load_xclbin(std::string("no_such_file.xclbin")); }), "");
  EXPECT_NE(load(device_, std::vector<char>(5000, 'x')), "");
  std::vector<char> altered = image;
  const std::string marker = "lanes 8";
  *std::search(altered.begin(), altered.end(), marker.begin(), marker.end()) = 'L';
  EXPECT_NE(load(device_, altered), "");
  std::vector<char> foreign = image;
  for (const std::string name : {"<kernel name=\"espalier\"", "espalier:espalier_1"}) {
    const auto found = std::search(foreign.begin(), foreign.end(), name.begin(), name.end());
    ASSERT_NE(found, foreign.end());
    *(found + static_cast<std::ptrdiff_t>(name.find("espalier"))) = 'E';
  }
  EXPECT_NE(load(device_, foreign), "");
  xrt::kernel kernel(device_, device_.load_xclbin(SmallImage), "espalier");
  Job job(device_, kernel, 1);
  EXPECT_EQ(job.start(kernel).wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_TRUE(job.good());
}

TEST_F(Images, UnknownNamesAreErrors) {
  EXPECT_NE(error_of([&] { xrt::kernel(device_, uuid_, "other"); }), "");
  EXPECT_NE(error_of([&] { xrt::kernel(device_, xrt::uuid("00000000-0000-0000-0000-000000000001"), "espalier"); }), "");
  EXPECT_NE(error_of([] { xrt::device other(5); }), "");
  EXPECT_EQ(xrt::system::enumerate_devices(), 1U);
  EXPECT_EQ(device_.get_info<xrt::info::device::name>(), "espalier_simulation");
}

TEST_F(Images, ReloadWhileBusyIsRefused) {
  {
    xrt::kernel kernel(device_, uuid_, "espalier");
    Job never(device_, kernel, 2, Length::Never);
    auto run = never.start(kernel);
    EXPECT_NE(error_of([&] { device_.load_xclbin(LargeImage); }), "");
    EXPECT_EQ(error_of([&] { device_.load_xclbin(SmallImage); }), "");  // the same image changes nothing
    EXPECT_EQ(run.abort(), ERT_CMD_STATE_ABORT);
    Job job(device_, kernel, 3);
    EXPECT_EQ(job.start(kernel).wait(), ERT_CMD_STATE_COMPLETED);
    EXPECT_TRUE(job.good());
  }
  const auto uuid = device_.load_xclbin(LargeImage);
  xrt::kernel kernel(device_, uuid, "espalier:{espalier_1}", xrt::kernel::cu_access_mode::exclusive);
  EXPECT_EQ(kernel.read_register(abi::RegLanes), 16U);
  Job job(device_, kernel, 4);
  EXPECT_EQ(job.start(kernel).wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_TRUE(job.good());
}

TEST_F(Images, TwoHandlesToOneCard) {
  xrt::device other(0);
  xrt::kernel kernel(device_, uuid_, "espalier");
  xrt::kernel second(other, other.load_xclbin(SmallImage), "espalier");
  Job a(device_, kernel, 5), b(other, second, 6);
  auto first_run = a.start(kernel);
  auto second_run = b.start(second);
  EXPECT_EQ(second_run.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(first_run.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_TRUE(a.good());
  EXPECT_TRUE(b.good());
}

void write_wide(xrt::ip& ip, std::uint32_t offset, std::uint64_t value) {
  ip.write_register(offset, static_cast<std::uint32_t>(value));
  ip.write_register(offset + 4, static_cast<std::uint32_t>(value >> 32));
}

TEST_F(Registers, MachineDrivenByHand) {
  std::unique_ptr<Job> job;
  {
    xrt::kernel kernel(device_, uuid_, "espalier");
    job = std::make_unique<Job>(device_, kernel, 7);
    EXPECT_NE(error_of([&] { xrt::ip(device_, uuid_, "espalier:{espalier_1}"); }), "");
    EXPECT_NE(error_of([&] { kernel.read_register(abi::RegVersion); }), "");
  }
  xrt::ip ip(device_, uuid_, "espalier:{espalier_1}");
  EXPECT_EQ(ip.read_register(abi::RegVersion), +abi::AbiVersion);
  write_wide(ip, abi::RegProgramAddress, job->program.address());
  write_wide(ip, abi::RegProgramBytes, job->program.size());
  write_wide(ip, abi::RegInputAddress, job->input.address());
  write_wide(ip, abi::RegInputBytes, job->input.size());
  write_wide(ip, abi::RegOutputAddress, job->output.address());
  write_wide(ip, abi::RegOutputBytes, job->output.size());
  write_wide(ip, abi::RegArenaAddress, job->arena.address());
  write_wide(ip, abi::RegArenaBytes, job->arena.size());
  ip.write_register(abi::RegCommandOffset, job->what().command_offset);
  ip.write_register(abi::RegCommandCount, job->what().command_count);
  ip.write_register(abi::RegTimeout, job->timeout);
  for (unsigned i = 0; i < 3; ++i) {
    job->fill(30 + i);
    ip.write_register(abi::RegControl, 1);
    unsigned polls = 0;
    while ((ip.read_register(abi::RegControl) & 2U) == 0) ASSERT_LT(++polls, 1000000U);
    EXPECT_EQ(ip.read_register(abi::RegControl) & 2U, 0U);
    EXPECT_EQ(ip.read_register(abi::RegError), +abi::ErrorNone);
    EXPECT_TRUE(job->good());
  }
}

TEST_F(Registers, RangeAndInterruptsAreRefused) {
  xrt::ip ip(device_, uuid_, "espalier:{espalier_1}");
  EXPECT_NE(error_of([&] { ip.read_register(abi::RegWindowBytes); }), "");
  EXPECT_NE(error_of([&] { ip.create_interrupt_notify(); }), "");
}

}  // namespace
}  // namespace espalier::test
