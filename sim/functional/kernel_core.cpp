#include "functional/kernel_core.hpp"

#include <fmt/format.h>

#include "esp_error.hpp"
#include "functional/sized_core.hpp"

namespace espalier::functional {

std::unique_ptr<KernelCore> make_kernel_core(const abi::Configuration& configuration) {
  if (configuration == abi::Array8x8) return std::make_unique<CoreOf<abi::Array8x8>>();
  if (configuration == abi::Array16x16) return std::make_unique<CoreOf<abi::Array16x16>>();
  if (configuration == abi::Array32x32) return std::make_unique<CoreOf<abi::Array32x32>>();
  throw Error(
      ErrorCode::Usage, "the kernels are not built for an array of this size", "array",
      fmt::format("{}x{}, {} rows per bank", configuration.lanes, configuration.pixels, configuration.bank_rows),
      "use 8x8, 16x16 or 32x32");
}

}  // namespace espalier::functional
