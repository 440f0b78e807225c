// The functional machine in sizes beyond the arrays of the contract: with weight stores that chunks wrap and run
// through.
#pragma once

#include <memory>

#include "esp_abi.hpp"
#include "functional/kernel_core.hpp"

namespace espalier::test {

/// A core for one of the contract's arrays or of the small machines in kernel_sizes.cpp. Throws Error Usage for any
/// other.
std::unique_ptr<functional::KernelCore> make_sized_core(const abi::Configuration& configuration);

}  // namespace espalier::test
