#include "backends.hpp"

#include <fstream>
#include <functional/functional_bus.hpp>

#include "esp_error.hpp"
#include "options.hpp"
#include "rtl_backend.hpp"
#include "soc_backend.hpp"
#include "xrt_backend.hpp"

namespace espalier::tools {
namespace {

constexpr double MaxStall = 0.95;

bool is_platform(const BackendOptions& options) {
  return options.device.kind == DeviceKind::Soc || options.device.kind == DeviceKind::SocRtl;
}

void check_file(const std::string& path) {
  if (!path.empty() && !std::ofstream(path, std::ios::binary | std::ios::app))
    throw Error(ErrorCode::Usage, "file cannot be written", path, {}, "give a path in a writable folder");
}

/// Options that only some machines have.
void check(const BackendOptions& options) {
  const bool has_rtl = options.device.kind == DeviceKind::Rtl || options.device.kind == DeviceKind::SocRtl;
  if (!options.waves.empty() && !has_rtl)
    throw Error(ErrorCode::Usage, "waveforms exist only of the RTL simulation", "--waves", device_text(options.device),
                "add --device rtl");
  if (!options.trace.empty() && !is_platform(options))
    throw Error(ErrorCode::Usage, "only the platform traces its transactions", "--trace", device_text(options.device),
                "add --device soc");
  check_file(options.waves);
  check_file(options.trace);
  if (!(options.stall >= 0 && options.stall <= MaxStall))
    throw Error(ErrorCode::Usage, "not a probability that lets the memory make progress", "--stall",
                std::to_string(options.stall), "give 0 to " + std::to_string(MaxStall));
  if (options.stall > 0 && options.device.kind != DeviceKind::Rtl)
    throw Error(ErrorCode::Usage, "only the RTL simulation has a memory that stalls at random", "--stall",
                device_text(options.device), "add --device rtl");
  if (!options.xclbin.empty() && options.device.kind != DeviceKind::Xrt)
    throw Error(ErrorCode::Usage, "only cards take a device image", "--xclbin", device_text(options.device),
                "add --device xrt");
}

}  // namespace

void set_memory(BackendOptions& options, const CompileSettings& settings) {
  options.memory = settings.memory;
  options.dram = settings.dram;
  options.mhz = settings.mhz.value_or(options.mhz);
}

std::unique_ptr<driver::Bus> open_bus(const BackendOptions& options) {
  check(options);
  switch (options.device.kind) {
    case DeviceKind::Functional:
      return std::make_unique<functional::FunctionalBus>(options.configuration);
    case DeviceKind::Rtl:
      return open_rtl(options);
    case DeviceKind::Soc:
    case DeviceKind::SocRtl:
      return open_soc(options);
    case DeviceKind::Xrt:
      return open_xrt(options);
  }
  throw Error(ErrorCode::Internal, "unknown kind of device", "--device");
}

std::unique_ptr<Cores> open_cores(const BackendOptions& options, unsigned cores) {
  check(options);
  return is_platform(options) ? open_soc_cores(options, cores) : open_rtl_cores(options, cores);
}

std::vector<BackendInfo> list_backends() {
  std::vector<BackendInfo> backends{{"functional", array_texts(), "the HLS kernels: bit-exact, without a clock"}};
  for (BackendInfo& machine : list_rtl()) backends.push_back(std::move(machine));
  for (BackendInfo& platform : list_soc()) backends.push_back(std::move(platform));
  for (BackendInfo& card : list_xrt_cards()) backends.push_back(std::move(card));
  return backends;
}

}  // namespace espalier::tools
