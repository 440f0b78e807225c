#include "backends.hpp"

#include <fstream>
#include <functional/functional_bus.hpp>

#include "esp_error.hpp"
#include "rtl/rtl_bus.hpp"
#include "rtl/rtl_cores.hpp"
#include "xrt_backend.hpp"

namespace espalier::tools {
namespace {

constexpr double MaxStall = 0.95;

rtl::RtlOptions rtl_options(const BackendOptions& options) {
  rtl::RtlOptions result;
  result.memory = options.memory;
  result.stalls = {options.stall, options.stall, options.stall, options.stall, 1};
  result.waves = options.waves;
  return result;
}

class RtlCores : public Cores {
 public:
  RtlCores(const BackendOptions& options, unsigned cores)
      : cores_(options.configuration, rtl_options(options), cores) {}
  driver::Bus& core(unsigned index) override { return cores_.core(index); }

 private:
  rtl::RtlCores cores_;
};

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
      return std::make_unique<rtl::RtlBus>(options.configuration, rtl_options(options));
    case DeviceKind::Xrt:
      return open_xrt(options);
  }
  throw Error(ErrorCode::Internal, "unknown kind of device", "--device");
}

std::unique_ptr<Cores> open_cores(const BackendOptions& options, unsigned cores) {
  return std::make_unique<RtlCores>(options, cores);
}

std::vector<BackendInfo> list_backends() {
  std::vector<BackendInfo> backends{
      {"functional", {"8x8", "16x16", "32x32"}, "the HLS kernels: bit-exact, without a clock"},
      {"rtl", {"8x8", "16x16", "32x32"}, "the accelerator's RTL, cycle-accurate, with the memory of --memory"}};
  for (BackendInfo& card : list_xrt_cards()) backends.push_back(std::move(card));
  return backends;
}

}  // namespace espalier::tools
