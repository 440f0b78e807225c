#include "functional/kernel_core.hpp"

#include <fmt/format.h>

#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "functional/sized_core.hpp"

namespace espalier::functional {

std::unique_ptr<KernelCore> make_kernel_core(const abi::Configuration& configuration) {
  if (configuration == abi::Array8x8) return std::make_unique<CoreOf<abi::Array8x8>>();
  if (configuration == abi::Array16x16) return std::make_unique<CoreOf<abi::Array16x16>>();
  if (configuration == abi::Array16x16Compact) return std::make_unique<CoreOf<abi::Array16x16Compact>>();
  if (configuration == abi::Array32x32) return std::make_unique<CoreOf<abi::Array32x32>>();
  throw Error(ErrorCode::Usage, "the kernels are not built for an array of this size", "array",
              fmt::format("{}, {} rows per bank", abi::array_name(configuration), configuration.bank_rows),
              fmt::format("use {}", abi::ArrayNames));
}

}  // namespace espalier::functional
