#include "backends.hpp"

#include <fstream>
#include <functional/functional_bus.hpp>

#include "esp_error.hpp"
#include "rtl_backend.hpp"
#include "xrt_backend.hpp"

namespace espalier::tools {
namespace {

constexpr double MaxStall = 0.95;

}  // namespace

std::unique_ptr<driver::Bus> open_bus(const BackendOptions& options) {
  if (!options.waves.empty() && options.device.kind != DeviceKind::Rtl)
    throw Error(ErrorCode::Usage, "waveforms exist only of the RTL simulation", "--waves", device_text(options.device),
                "add --device rtl");
  if (!options.waves.empty() && !std::ofstream(options.waves, std::ios::binary | std::ios::app))
    throw Error(ErrorCode::Usage, "file cannot be written", options.waves, {}, "give a path in a writable folder");
  if (!(options.stall >= 0 && options.stall <= MaxStall))
    throw Error(ErrorCode::Usage, "not a probability that lets the memory make progress", "--stall",
                std::to_string(options.stall), "give 0 to " + std::to_string(MaxStall));
  if (options.stall > 0 && options.device.kind != DeviceKind::Rtl)
    throw Error(ErrorCode::Usage, "only the RTL simulation has a memory that stalls at random", "--stall",
                device_text(options.device), "add --device rtl");
  if (!options.xclbin.empty() && options.device.kind != DeviceKind::Xrt)
    throw Error(ErrorCode::Usage, "only cards take a device image", "--xclbin", device_text(options.device),
                "add --device xrt");
  switch (options.device.kind) {
    case DeviceKind::Functional:
      return std::make_unique<functional::FunctionalBus>(options.configuration);
    case DeviceKind::Rtl:
      return open_rtl(options);
    case DeviceKind::Xrt:
      return open_xrt(options);
  }
  throw Error(ErrorCode::Internal, "unknown kind of device", "--device");
}

std::unique_ptr<Cores> open_cores(const BackendOptions& options, unsigned cores) {
  return open_rtl_cores(options, cores);
}

std::vector<BackendInfo> list_backends() {
  std::vector<BackendInfo> backends{{"functional", {"8x8", "16x16", "32x32"}, "the HLS kernels: bit-exact, without a clock"}};
  for (BackendInfo& machine : list_rtl()) backends.push_back(std::move(machine));
  for (BackendInfo& card : list_xrt_cards()) backends.push_back(std::move(card));
  return backends;
}

}  // namespace espalier::tools
