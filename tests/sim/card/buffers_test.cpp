// Buffer objects through XRT's native API:
//   - a buffer in a bank that the kernel does not see is copied by XRT; full and missing banks refuse
//   - copies on the device, sub-buffers, user pointers, host-only and device-only buffers
//   - export is refused with an error
#include <cstdlib>
#include <memory>

#include "run_fixture.hpp"

namespace espalier::test {
namespace {

class Buffers : public OnCard {
 protected:
  xrt::kernel kernel_{device_, uuid_, "espalier"};
};

TEST_F(Buffers, WrongBankIsCopiedToTheRightOne) {
  Job job(device_, kernel_, 1);
  xrt::bo wrong(device_, Job::Bytes, 1);
  std::memcpy(wrong.map<void*>(), job.input.map<void*>(), Job::Bytes);
  wrong.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  auto run = kernel_(job.program, job.program.size(), wrong, wrong.size(), job.output, job.output.size(), job.arena,
                     job.arena.size(), job.what().command_offset, job.what().command_count, job.timeout);
  EXPECT_EQ(run.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_TRUE(job.good());
}

TEST_F(Buffers, FullAndMissingBanksRefuse) {
  EXPECT_NE(error_of([&] { xrt::bo(device_, std::size_t{1} << 40, bank(kernel_, 0)); }), "");
  EXPECT_NE(error_of([&] { xrt::bo(device_, 4096, 7); }), "");
  EXPECT_EQ(error_of([&] { xrt::bo(device_, 4096, bank(kernel_, 0)); }), "");
}

TEST_F(Buffers, CopyOnTheDevice) {
  Job job(device_, kernel_, 2);
  xrt::bo copy(device_, Job::Bytes, bank(kernel_, 0));
  copy.copy(job.input);
  copy.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
  EXPECT_EQ(std::memcmp(copy.map<void*>(), job.input.map<void*>(), Job::Bytes), 0);
}

TEST_F(Buffers, SubBuffersShareTheirParent) {
  xrt::bo parent(device_, 16384, bank(kernel_, 0));
  xrt::bo child(parent, 1024, 4096);
  EXPECT_EQ(child.address(), parent.address() + 4096);
  const std::vector<std::uint8_t> data(1024, 42);
  child.write(data.data());
  child.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  std::memset(parent.map<void*>(), 0, parent.size());
  parent.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
  EXPECT_EQ(std::memcmp(parent.map<std::uint8_t*>() + 4096, data.data(), data.size()), 0);
  EXPECT_EQ(parent.map<std::uint8_t*>()[4095], 0);
}

TEST_F(Buffers, UserPointersMustBeAligned) {
  const std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(4096, 8192), &std::free);
  xrt::bo buffer(device_, memory.get(), 8192, bank(kernel_, 0));
  EXPECT_EQ(buffer.map<void*>(), memory.get());
  std::memset(memory.get(), 17, 8192);
  buffer.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  std::memset(memory.get(), 0, 8192);
  buffer.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
  EXPECT_EQ(static_cast<const std::uint8_t*>(memory.get())[8191], 17);
  EXPECT_NE(error_of([&] { xrt::bo(device_, static_cast<char*>(memory.get()) + 8, 4096, bank(kernel_, 0)); }), "");
}

TEST_F(Buffers, HostOnlyBuffersNeedNoSync) {
  Job job(device_, kernel_, 3);
  xrt::bo input(device_, Job::Bytes, xrt::bo::flags::host_only, bank(kernel_, 2));
  xrt::bo output(device_, Job::Bytes, xrt::bo::flags::host_only, bank(kernel_, 4));
  std::memcpy(input.map<void*>(), job.input.map<void*>(), Job::Bytes);
  auto run = kernel_(job.program, job.program.size(), input, input.size(), output, output.size(), job.arena,
                     job.arena.size(), job.what().command_offset, job.what().command_count, job.timeout);
  EXPECT_EQ(run.wait(), ERT_CMD_STATE_COMPLETED);
  EXPECT_EQ(std::memcmp(input.map<void*>(), output.map<void*>(), Job::Bytes), 0);
}

TEST_F(Buffers, DeviceOnlyBuffersHaveAnAddress) {
  xrt::bo buffer(device_, 4096, xrt::bo::flags::device_only, bank(kernel_, 0));
  EXPECT_NE(buffer.address(), 0U);
  EXPECT_EQ(buffer.address() % 4096, 0U);
}

TEST_F(Buffers, ExportIsRefused) {
  xrt::bo buffer(device_, 4096, bank(kernel_, 0));
  EXPECT_NE(error_of([&] { buffer.export_buffer(); }), "");
}

}  // namespace
}  // namespace espalier::test
