// A core of the HLS kernels for sizes known at compile time.
//
//   FunctionalBus bus(std::make_unique<CoreOf<abi::Configuration{8, 8, 1024, 32}>>());
#pragma once

#include <memory>

#include "esp_core.hpp"
#include "functional/kernel_core.hpp"
#include "functional/kernel_memory.hpp"

namespace espalier::functional {

template <typename S>
class SizedCore : public KernelCore {
 public:
  const abi::Configuration& configuration() const override { return configuration_; }

  void start(const Arguments& arguments, DeviceMemory& memory) override {
    for (unsigned i = 0; i < abi::Windows; ++i) {
      arguments_.addresses[i] = arguments.windows[i].address;
      arguments_.sizes[i] = arguments.windows[i].bytes;
    }
    arguments_.command_offset = arguments.command_offset;
    arguments_.command_count = arguments.command_count;
    arguments_.timeout = arguments.timeout;
    memory_ = &memory;
    run_ = {};
    kernel::start_run<S>(arguments_, *core_, run_);
  }

  bool step() override {
    if (kernel::goes_on(arguments_, run_)) {
      const KernelMemory port(*memory_);
      hls::stream<std::uint32_t> marks;  // without a clock there is nothing to stamp
      kernel::step_run<S>(arguments_, port, port, port, port, marks, *core_, run_);
    }
    if (kernel::goes_on(arguments_, run_)) return true;
    kernel::end_run<S>(arguments_, *core_, run_);
    return false;
  }

  Result result() const override {
    const kernel::RunResult& result = run_.result;
    return {{result.error, result.position, result.detail},
            {result.read_beats, result.write_beats, static_cast<std::uint32_t>(run_.macs)}};
  }

  void clear() override {
    core_ = std::make_unique<kernel::Core<S>>();
    run_ = {};
  }

 private:
  abi::Configuration configuration_{S::Lanes,   S::Pixels, S::BankRows,     S::LineDepth,
                                    S::Writers, S::Coded,  S::ProgramDepth, S::StagingBeats};
  std::unique_ptr<kernel::Core<S>> core_ = std::make_unique<kernel::Core<S>>();  // zeroed: larger than a stack
  DeviceMemory* memory_ = nullptr;
  kernel::Arguments arguments_ = {};
  kernel::Run run_ = {};
};

template <abi::Configuration C>
using CoreOf = SizedCore<
    kernel::Sizes<C.lanes, C.pixels, C.bank_rows, C.line_depth, C.writers, C.coded, C.program_depth, C.staging_beats>>;

}  // namespace espalier::functional
