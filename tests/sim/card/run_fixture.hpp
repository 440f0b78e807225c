// A host program on XRT's native API alone: the kernel, buffers for its windows, and programs whose length is known.
#pragma once

#include <gtest/gtest.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>

#include <cstring>
#include <functional>
#include <string>
#include <system_error>
#include <vector>

#include "driver/list_builder.hpp"

namespace espalier::test {

inline const std::string SmallImage = std::string(ESPALIER_IMAGE_DIRECTORY) + "/espalier_sim_8x8.xclbin";
inline const std::string LargeImage = std::string(ESPALIER_IMAGE_DIRECTORY) + "/espalier_sim_16x16.xclbin";

/// What XRT throws, as text; "" if it does not throw.
inline std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    return std::string("error: ") + error.what();
  }
  return {};
}

/// The bank of an argument.
inline xrt::memory_group bank(const xrt::kernel& kernel, int argument) {
  return static_cast<xrt::memory_group>(kernel.group_id(argument));
}

enum class Length {
  Short,  // a copy
  Long,   // computes for 200,000 cycles
  Never,  // waits for something that does not come, without a time-out
};

/// A program that copies beats from input to output, with buffers for its windows.
class Job {
 public:
  static constexpr std::size_t Beats = 4;
  static constexpr std::size_t Bytes = Beats * abi::BeatBytes;

  Job(const xrt::device& device, const xrt::kernel& kernel, unsigned seed, Length length = Length::Short)
      : program_(make(length)),
        program(device, program_.image.size(), bank(kernel, 0)),
        input(device, Bytes, bank(kernel, 2)),
        output(device, Bytes, bank(kernel, 4)),
        arena(device, 4096, bank(kernel, 6)),
        timeout(length == Length::Never ? 0 : 1000000) {
    program.write(program_.image.data());
    program.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    fill(seed);
  }

  void fill(unsigned seed) {
    auto* bytes = input.map<std::uint8_t*>();
    for (std::size_t i = 0; i < Bytes; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + seed);
    input.sync(XCL_BO_SYNC_BO_TO_DEVICE);
    std::memset(output.map<void*>(), 0, Bytes);
    output.sync(XCL_BO_SYNC_BO_TO_DEVICE);
  }

  xrt::run start(xrt::kernel& kernel) {
    return kernel(program, program.size(), input, input.size(), output, output.size(), arena, arena.size(),
                  program_.command_offset, program_.command_count, timeout);
  }

  void set_arguments(xrt::run& run) {
    run.set_arg(0, program);
    run.set_arg(1, std::uint64_t{program.size()});
    run.set_arg(2, input);
    run.set_arg("input_bytes", std::uint64_t{input.size()});
    run.set_arg("output", output);
    run.set_arg(5, std::uint64_t{output.size()});
    run.set_arg(6, arena);
    run.set_arg(7, std::uint64_t{arena.size()});
    run.set_arg(8, program_.command_offset);
    run.set_arg(9, program_.command_count);
    run.set_arg("timeout", timeout);
  }

  bool good() {
    output.sync(XCL_BO_SYNC_BO_FROM_DEVICE);
    return std::memcmp(output.map<void*>(), input.map<void*>(), Bytes) == 0;
  }

  const driver::Program& what() const { return program_; }

 private:
  ListBuilder list_;
  driver::Program program_;

  driver::Program make(Length length) {
    if (length == Length::Long) add_computes();
    if (length == Length::Never) {
      abi::Command wait;
      wait.opcode = abi::OpMark;
      wait.wait_store = 1000;
      list_.add_as_is(wait);
    }
    return copy_program(list_, Beats);
  }

  /// Three commands of 1024 slots over 64 positions: 200,000 cycles.
  void add_computes() {
    constexpr std::uint32_t Slots = 1024;
    constexpr unsigned Lanes = 8;
    list_.table<abi::ProgramEntry>(abi::FormatProgram, std::vector<abi::ProgramEntry>(64, {0, 0, true, 0}));
    for (unsigned i = 0; i < 3; ++i) {
      std::vector<abi::Entry> entries(std::size_t{Slots} * Lanes, {1, 0, true, false});
      for (unsigned lane = 0; lane < Lanes; ++lane) {
        for (auto slot = 0U; slot < Slots; ++slot) {
          entries[slot * Lanes + lane].offset = static_cast<std::uint16_t>(lane + 16 * (slot % 2));
        }
        entries[(Slots - 1) * Lanes + lane].last = true;
      }
      list_.sparse(entries, Lanes);
      abi::Command compute;
      compute.opcode = abi::OpCompute;
      compute.slots = Slots;
      compute.count_x = 64;
      compute.count_y = 1;
      list_.add(compute);
    }
  }

 public:
  xrt::bo program, input, output, arena;
  std::uint32_t timeout;
};

/// Device 0 with the small image.
class OnCard : public ::testing::Test {
 protected:
  xrt::device device_{0};
  xrt::uuid uuid_ = device_.load_xclbin(SmallImage);
};

}  // namespace espalier::test
