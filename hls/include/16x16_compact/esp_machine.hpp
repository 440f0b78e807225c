// The array that a vendor build synthesises: this folder is on its include path.
#pragma once

#include "esp_sizes.hpp"

namespace espalier::kernel {

using Machine = Array16x16Compact;

}  // namespace espalier::kernel
