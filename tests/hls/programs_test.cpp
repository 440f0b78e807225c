// Random command lists on the HLS kernels and on the functional model:
//   - the same output bytes and counters for every mode of weights, format, split, operation and table
//   - on every array, and on some whose weight store is so small that chunks wrap it and run through it
#include "functional/sized_core.hpp"
#include "kernel_pair.hpp"
#include "random_program.hpp"

namespace espalier::test {
namespace {

template <typename Core>
class KernelPrograms : public ::testing::Test {};

using Cores =
    ::testing::Types<functional::CoreOf<abi::Array8x8>, functional::CoreOf<abi::Array16x16>,
                     functional::CoreOf<abi::Array32x32>, functional::CoreOf<abi::Configuration{8, 8, 1024, 32, 1}>,
                     functional::CoreOf<abi::Configuration{16, 8, 1024, 24, 4}>,
                     functional::CoreOf<abi::Configuration{32, 32, 1024, 50, 2}>,
                     functional::CoreOf<abi::Configuration{8, 32, 1024, 64, 2}>>;
struct Sizes {
  template <typename Core>
  static std::string GetName(int) {
    const abi::Configuration size = Core().configuration();
    return std::to_string(size.lanes) + "x" + std::to_string(size.pixels) + "_" + std::to_string(size.line_depth);
  }
};
TYPED_TEST_SUITE(KernelPrograms, Cores, Sizes);

TYPED_TEST(KernelPrograms, RandomListsGiveTheBitsOfTheModel) {
  constexpr unsigned Cases = 60;
  for (unsigned i = 0; i < Cases; ++i) {
    Random random(i);
    functional::HlsBus kernels(std::make_unique<TypeParam>());
    functional::FunctionalBus model(kernels.configuration());
    const RandomProgram p = random_program(kernels.configuration(), random, random.between(1, 4));
    expect_same(run_program(kernels, p.program, p.input), run_program(model, p.program, p.input));
    if (this->HasFailure()) return;
  }
}

}  // namespace
}  // namespace espalier::test
