// The HLS kernels as another compiler than that of this build translates them, from a shared library.
#pragma once

#include <memory>

#include "functional/kernel_core.hpp"

namespace espalier::test {

/// A core for one of the configurations of the contract; nullptr for any other.
std::unique_ptr<functional::KernelCore> make_other_core(const abi::Configuration& configuration);

}  // namespace espalier::test
