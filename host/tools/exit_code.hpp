// Exit codes of `espalier`: 0 for success, one code for each class of error.
#pragma once

#include "esp_error.hpp"

namespace espalier::tools {

/// 2 usage, 3 input, 4 model, 5 unsupported, 6 program, 7 device, 8 timeout, 9 mismatch, 10 internal.
constexpr int exit_code(ErrorCode code) { return 2 + static_cast<int>(code); }

/// The table for --help.
inline constexpr const char* ExitCodeHelp =
    "Exit codes: 0 success, 2 wrong usage, 3 input file, 4 model file, 5 unsupported model, 6 compiled file, 7 "
    "device,\n"
    "8 device time-out, 9 results differ, 10 internal error. With --json a failure prints\n"
    "{\"schema\":1,\"error\":{\"code\",\"what\",\"where\",\"value\",\"action\"}} on standard output.";

}  // namespace espalier::tools
