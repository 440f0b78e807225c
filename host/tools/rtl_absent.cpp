// In place of rtl_backend.cpp in builds without the simulation of the RTL.
#include "esp_error.hpp"
#include "rtl_backend.hpp"

namespace espalier::tools {
namespace {

[[noreturn]] void refuse(const std::string& device) {
  throw Error(ErrorCode::Unsupported, "this build has no simulation of the RTL", "--device", device,
              "build with ESPALIER_RTL=ON");
}

}  // namespace

std::unique_ptr<driver::Bus> open_rtl(const BackendOptions& options) { refuse(device_text(options.device)); }

std::unique_ptr<Cores> open_rtl_cores(const BackendOptions& options, unsigned) { refuse(device_text(options.device)); }

std::vector<BackendInfo> list_rtl() { return {}; }

}  // namespace espalier::tools
