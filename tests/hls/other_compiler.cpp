#include "other_compiler.hpp"

#include "functional/sized_core.hpp"

namespace espalier::test {

// The only symbol of the library: templates that both compilers instantiate stay apart.
__attribute__((visibility("default"))) std::unique_ptr<functional::KernelCore> make_other_core(
    const abi::Configuration& configuration) {
  if (configuration == abi::Array8x8) return std::make_unique<functional::CoreOf<abi::Array8x8>>();
  if (configuration == abi::Array16x16) return std::make_unique<functional::CoreOf<abi::Array16x16>>();
  if (configuration == abi::Array16x16Compact) return std::make_unique<functional::CoreOf<abi::Array16x16Compact>>();
  if (configuration == abi::Array32x32) return std::make_unique<functional::CoreOf<abi::Array32x32>>();
  return nullptr;
}

}  // namespace espalier::test
