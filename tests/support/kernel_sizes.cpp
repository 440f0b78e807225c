#include "kernel_sizes.hpp"

#include "functional/sized_core.hpp"

namespace espalier::test {
namespace {

template <abi::Configuration... Sizes>
struct SizeList {
  static std::unique_ptr<functional::KernelCore> make(const abi::Configuration& configuration) {
    std::unique_ptr<functional::KernelCore> core;
    ((configuration == Sizes && (core = std::make_unique<functional::CoreOf<Sizes>>())) || ...);
    return core ? std::move(core) : functional::make_kernel_core(configuration);
  }
};

using Small = SizeList<abi::Configuration{8, 8, 1024, 2}, abi::Configuration{8, 8, 1024, 32},
                       abi::Configuration{8, 8, 1024, 32, 1}, abi::Configuration{16, 8, 64, 100},
                       abi::Configuration{16, 8, 1024, 24}, abi::Configuration{16, 8, 1024, 24, 4},
                       abi::Configuration{32, 32, 1024, 50}, abi::Configuration{8, 32, 1024, 64},
                       abi::Configuration{16, 8, 1024, 30, 2, false, 128, 64}>;

}  // namespace

std::unique_ptr<functional::KernelCore> make_sized_core(const abi::Configuration& configuration) {
  return Small::make(configuration);
}

}  // namespace espalier::test
