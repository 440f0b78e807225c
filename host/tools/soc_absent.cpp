#include "esp_error.hpp"
#include "soc_backend.hpp"

namespace espalier::tools {

std::unique_ptr<driver::Bus> open_soc(const BackendOptions& options) {
  throw Error(ErrorCode::Usage, "this build has no SystemC platform", "--device", device_text(options.device),
              "build with ESPALIER_SYSTEMC=ON, or use rtl");
}

std::unique_ptr<Cores> open_soc_cores(const BackendOptions& options, unsigned) {
  open_soc(options);
  return {};
}

std::vector<BackendInfo> list_soc() { return {}; }

std::optional<soc::Report> traffic_of(driver::Bus&) { return {}; }

}  // namespace espalier::tools
