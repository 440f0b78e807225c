#include "xrt/xrt_bus.hpp"

#include <experimental/xrt_system.h>
#include <fmt/format.h>
#include <xrt/xrt_bo.h>
#include <xrt/xrt_device.h>
#include <xrt/xrt_kernel.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <type_traits>

#include "bitstreams/xclbin_check.hpp"
#include "esp_abi.hpp"
#include "esp_error.hpp"
#include "esp_kernel.hpp"

namespace espalier::xrt {

namespace {

constexpr std::uint32_t ControlStart = 1;
constexpr int ProgramArgument = 0;  // buffers are allocated in its memory

constexpr bool is_argument(std::uint32_t offset) {
  return offset >= abi::RegProgramAddress && offset <= abi::RegTimeout && offset % 4 == 0;
}

/// Runs an action of XRT and turns what it throws into an Error.
template <typename Action>
std::invoke_result_t<Action> with_xrt(const std::string& doing, const std::string& where, const std::string& action,
                                      Action&& run) {
  try {
    return run();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::Device, "XRT cannot " + doing, where, error.what(), action);
  }
}

}  // namespace

struct XrtBus::State {
  std::string where;
  std::string name;
  ::xrt::device device;
  ::xrt::kernel kernel;
  std::map<std::uint64_t, ::xrt::bo> buffers;  // by device address
  std::optional<::xrt::run> run;
  std::array<std::uint32_t, (abi::RegTimeout + 4) / 4> arguments{};

  std::uint64_t wide(std::uint32_t offset) const {
    return arguments[offset / 4] | std::uint64_t{arguments[offset / 4 + 1]} << 32;
  }

  /// The buffer that holds [address, address + bytes) and the offset in it.
  std::optional<std::pair<::xrt::bo, std::size_t>> find(std::uint64_t address, std::size_t bytes) const {
    const auto after = buffers.upper_bound(address);
    if (after == buffers.begin()) return {};
    const auto& [start, buffer] = *std::prev(after);
    const std::uint64_t offset = address - start;
    if (offset > buffer.size() || bytes > buffer.size() - offset) return {};
    return std::pair{buffer, static_cast<std::size_t>(offset)};
  }

  std::pair<::xrt::bo, std::size_t> at(std::uint64_t address, std::size_t bytes) const {
    const auto found = find(address, bytes);
    if (!found) {
      throw Error(ErrorCode::Device, "access outside device memory", where,
                  fmt::format("{} bytes at {:#x}", bytes, address), "stay inside one allocation");
    }
    return *found;
  }

  /// A buffer goes to the run as such where the argument has the memory that buffers are allocated in. On Zynq the
  /// ports have names of their own for one memory, and XRT would copy the buffer from the one to the other; so it gets
  /// the address.
  void set_argument(::xrt::run& target, int index) {
    const abi::KernelArgument& argument = abi::KernelArguments[static_cast<std::size_t>(index)];
    if (argument.kind == abi::ArgumentKind::Narrow) {
      target.set_arg(index, arguments[argument.offset / 4]);
      return;
    }
    const std::uint64_t value = wide(argument.offset);
    const auto buffer = argument.is_address() ? buffers.find(value) : buffers.end();
    if (buffer != buffers.end() && kernel.group_id(index) == kernel.group_id(ProgramArgument)) {
      target.set_arg(index, buffer->second);
    } else {
      target.set_arg(index, value);
    }
  }

  void start() {
    if (in_flight()) return;
    if (!run) run.emplace(kernel);
    for (int i = 0; i < static_cast<int>(abi::KernelArguments.size()); ++i) set_argument(*run, i);
    run->start();
  }

  bool in_flight() const { return run && run->state() < ERT_CMD_STATE_COMPLETED; }
};

XrtBus::XrtBus(const XrtOptions& options) : state_(std::make_unique<State>()) {
  bitstreams::check_image_file(options.image);
  State& state = *state_;
  state.where = fmt::format("xrt:{}", options.index);
  state.device =
      with_xrt("open the device", state.where, "check the device number and the environment variable XILINX_XRT",
               [&] { return ::xrt::device(options.index); });
  state.name = with_xrt("name the device", state.where, "check the installation of XRT",
                        [&] { return state.device.get_info<::xrt::info::device::name>(); });
  const auto uuid = with_xrt("load the image", state.where + ", " + options.image,
                             "use an image made for this device, and let no other program hold it",
                             [&] { return state.device.load_xclbin(options.image); });
  const std::string instance = abi::instance_name(options.core);
  const std::string kernel = fmt::format("{}:{{{}}}", abi::KernelName, instance);
  state.kernel = with_xrt("take the kernel", state.where + ", " + instance,
                          "check that the image has this core, and let no other program hold it", [&] {
                            return ::xrt::kernel(state.device, uuid, kernel, ::xrt::kernel::cu_access_mode::exclusive);
                          });
}

XrtBus::~XrtBus() {
  try {
    if (state_->in_flight()) state_->run->abort();
  } catch (...) {
    // The device has gone; there is nothing left to end.
  }
}

std::string XrtBus::name() const { return state_->where + " " + state_->name; }

std::uint32_t XrtBus::read_register(std::uint32_t offset) {
  if (is_argument(offset)) return state_->arguments[offset / 4];
  return with_xrt("read a register", fmt::format("{}, offset {}", state_->where, offset), "check the offset",
                  [&] { return state_->kernel.read_register(offset); });
}

void XrtBus::write_register(std::uint32_t offset, std::uint32_t value) {
  if (is_argument(offset)) {
    state_->arguments[offset / 4] = value;
  } else if (offset == abi::RegControl && (value & ControlStart) != 0) {
    with_xrt("start the kernel", state_->where, "wait for the run before", [&] { state_->start(); });
  } else {
    with_xrt("write a register", fmt::format("{}, offset {}", state_->where, offset), "check the offset",
             [&] { state_->kernel.write_register(offset, value); });
  }
}

std::uint64_t XrtBus::allocate(std::size_t bytes) {
  return with_xrt("allocate device memory", state_->where, "free memory or use a smaller program", [&] {
    ::xrt::bo buffer(state_->device, bytes, static_cast<::xrt::memory_group>(state_->kernel.group_id(ProgramArgument)));
    const std::uint64_t address = buffer.address();
    state_->buffers.emplace(address, std::move(buffer));
    return address;
  });
}

void XrtBus::release(std::uint64_t address) {
  if (state_->buffers.erase(address) != 0) return;
  throw Error(ErrorCode::Device, "not the address of an allocation", state_->where, fmt::format("{:#x}", address));
}

void XrtBus::write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  auto [buffer, offset] = state_->at(address, bytes.size());
  with_xrt("copy to the device", state_->where, "check the device", [&, &target = buffer, start = offset] {
    target.write(bytes.data(), bytes.size(), start);
    target.sync(XCL_BO_SYNC_BO_TO_DEVICE, bytes.size(), start);
  });
}

void XrtBus::read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) {
  if (bytes.empty()) return;
  auto [buffer, offset] = state_->at(address, bytes.size());
  with_xrt("copy from the device", state_->where, "check the device", [&, &source = buffer, start = offset] {
    source.sync(XCL_BO_SYNC_BO_FROM_DEVICE, bytes.size(), start);
    source.read(bytes.data(), bytes.size(), start);
  });
}

bool XrtBus::wait_done(std::chrono::milliseconds limit) {
  if (!state_->run) return false;
  // XRT takes 0 as "for ever".
  const auto waited = std::max(limit, std::chrono::milliseconds(1));
  const auto end =
      with_xrt("wait for the run", state_->where, "reset the device", [&] { return state_->run->wait(waited); });
  if (end == ERT_CMD_STATE_TIMEOUT) return false;
  if (end == ERT_CMD_STATE_COMPLETED) return true;
  throw Error(ErrorCode::Device, "the run did not complete", state_->where,
              fmt::format("XRT command state {}", static_cast<int>(end)), "reset the device");
}

void XrtBus::reset() {
  with_xrt("abort the run", state_->where, "load the image again", [&] {
    if (state_->in_flight()) state_->run->abort();
  });
  state_->run.reset();
  state_->arguments.fill(0);
}

std::vector<std::string> devices() {
  return with_xrt("look for devices", "XRT", "check the environment variable XILINX_XRT", [] {
    std::vector<std::string> names;
    const unsigned count = ::xrt::system::enumerate_devices();
    for (unsigned i = 0; i < count; ++i) {
      names.push_back(::xrt::device(i).get_info<::xrt::info::device::name>());
    }
    return names;
  });
}

}  // namespace espalier::xrt
