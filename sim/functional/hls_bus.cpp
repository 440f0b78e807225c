#include "functional/hls_bus.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "esp_error.hpp"
#include "functional/sized_core.hpp"

namespace espalier::functional {

std::unique_ptr<KernelCore> make_kernel_core(const abi::Configuration& configuration) {
  if (configuration == abi::Array8x8) return std::make_unique<CoreOf<abi::Array8x8>>();
  if (configuration == abi::Array16x16) return std::make_unique<CoreOf<abi::Array16x16>>();
  if (configuration == abi::Array32x32) return std::make_unique<CoreOf<abi::Array32x32>>();
  throw Error(
      ErrorCode::Usage, "the HLS kernels are not built for an array of this size", "array",
      fmt::format("{}x{}, {} rows per bank", configuration.lanes, configuration.pixels, configuration.bank_rows),
      "use 8x8, 16x16 or 32x32");
}

HlsBus::HlsBus(std::unique_ptr<KernelCore> core) : core_(std::move(core)), registers_(core_->configuration()) {}

std::string HlsBus::name() const { return fmt::format("hls {}x{}", configuration().lanes, configuration().pixels); }

std::uint32_t HlsBus::read_register(std::uint32_t offset) {
  if (offset == abi::RegControl) return registers_.read_control(stuck_);
  const auto value = registers_.read(offset);
  return value ? *value : read_result(offset);
}

std::uint32_t HlsBus::read_result(std::uint32_t offset) const {
  switch (offset) {
    case abi::RegError:
      return result_.fault.code;
    case abi::RegErrorPosition:
      return result_.fault.position;
    case abi::RegErrorDetail:
      return result_.fault.detail;
    case abi::RegReadBeats:
      return result_.read_beats;
    case abi::RegWriteBeats:
      return result_.write_beats;
    case abi::RegMacs:
      return result_.macs;
    default:
      return 0;  // cycles and marks: there is no clock; the rest of the window is reserved
  }
}

void HlsBus::write_register(std::uint32_t offset, std::uint32_t value) {
  if (!registers_.write(offset, value, stuck_)) return;
  const Arguments arguments = registers_.arguments();
  result_ = core_->run(arguments, memory_);
  // The kernel ends a run that makes no progress; the machine does so once its time-out has passed.
  stuck_ = result_.fault.code == abi::ErrorTimeout && arguments.timeout == 0;
  if (stuck_) {
    result_.fault = {};
  } else {
    registers_.finish();
  }
}

bool HlsBus::wait_done(std::chrono::milliseconds /*limit*/) { return !stuck_; }

void HlsBus::reset() {
  core_->clear();
  registers_.clear();
  result_ = {};
  stuck_ = false;
}

std::uint64_t HlsBus::allocate(std::size_t bytes) { return memory_.allocate(bytes); }

void HlsBus::release(std::uint64_t address) { memory_.release(address); }

void HlsBus::write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  std::copy(bytes.begin(), bytes.end(), memory_.at(address, bytes.size()));
}

void HlsBus::read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) {
  if (bytes.empty()) return;
  const std::uint8_t* data = memory_.at(address, bytes.size());
  std::copy(data, data + bytes.size(), bytes.begin());
}

}  // namespace espalier::functional
