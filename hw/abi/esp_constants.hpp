// The constants of esp_abi.svh alone, for those who must not include more: the HLS kernels.
#pragma once

namespace espalier::abi {
#define localparam inline constexpr
#include "esp_abi.svh"  // NOLINT(bugprone-suspicious-include)
#undef localparam
}  // namespace espalier::abi
