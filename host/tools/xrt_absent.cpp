// In place of xrt_backend.cpp in builds without XRT.
#include "esp_error.hpp"
#include "xrt_backend.hpp"

namespace espalier::tools {

std::unique_ptr<driver::Bus> open_xrt(const BackendOptions& options) {
  throw Error(ErrorCode::Unsupported, "this build has no XRT", "--device", device_text(options.device),
              "build with ESPALIER_XRT=ON");
}

std::vector<BackendInfo> list_xrt_cards() { return {}; }

}  // namespace espalier::tools
