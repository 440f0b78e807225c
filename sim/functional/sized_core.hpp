// A core of the HLS kernels for sizes known at compile time.
//
//   HlsBus bus(std::make_unique<CoreOf<abi::Configuration{8, 8, 1024, 32}>>());
#pragma once

#include <memory>

#include "esp_core.hpp"
#include "functional/hls_bus.hpp"
#include "functional/kernel_memory.hpp"

namespace espalier::functional {

template <typename S>
class SizedCore : public KernelCore {
 public:
  const abi::Configuration& configuration() const override { return configuration_; }

  Result run(const Arguments& arguments, DeviceMemory& memory) override {
    kernel::Arguments values = {};
    for (unsigned i = 0; i < abi::Windows; ++i) {
      values.addresses[i] = arguments.windows[i].address;
      values.sizes[i] = arguments.windows[i].bytes;
    }
    values.command_offset = arguments.command_offset;
    values.command_count = arguments.command_count;
    values.timeout = arguments.timeout;
    const KernelMemory port(memory);
    hls::stream<std::uint32_t> marks;  // without a clock there is nothing to stamp
    const kernel::RunResult result = kernel::run_list<S>(values, port, port, port, port, marks, *core_);
    return {{result.error, result.position, result.detail}, result.read_beats, result.write_beats, result.macs};
  }

  void clear() override { core_ = std::make_unique<kernel::Core<S>>(); }

 private:
  abi::Configuration configuration_{S::Lanes, S::Pixels, S::BankRows, S::LineDepth, S::Writers};
  std::unique_ptr<kernel::Core<S>> core_ = std::make_unique<kernel::Core<S>>();  // zeroed: larger than a stack
};

template <abi::Configuration C>
using CoreOf = SizedCore<kernel::Sizes<C.lanes, C.pixels, C.bank_rows, C.line_depth, C.writers>>;

}  // namespace espalier::functional
