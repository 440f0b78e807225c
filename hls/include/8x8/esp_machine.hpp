// The array that a vendor build synthesises: this folder is on its include path.
#pragma once

#include "esp_sizes.hpp"

namespace espalier::kernel {

using Machine = Array8x8;

}  // namespace espalier::kernel
