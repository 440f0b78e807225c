// Random layers, compiled and run on the RTL with a memory of fixed latency:
//   - every output byte equals that of the CPU reference and of the functional model
//   - the cycles of every row (prologue, layer, epilogue) equal the prediction, and so does every counter
#include <gtest/gtest.h>

#include "layer_check.hpp"
#include "random_layer.hpp"

namespace espalier::test {
namespace {

constexpr int LayersPerTest = 25;

class RtlLayers : public ::testing::TestWithParam<std::tuple<int, int>> {};

TEST_P(RtlLayers, GiveTheBitsOfTheReferenceInThePredictedCycles) {
  const auto [lanes, part] = GetParam();
  const abi::Configuration& configuration = lanes == 8    ? abi::Array8x8
                                            : lanes == 16 ? abi::Array16x16
                                                          : abi::Array32x32;
  for (int index = part * LayersPerTest; index < (part + 1) * LayersPerTest; ++index) {
    Random random(static_cast<std::uint64_t>(index));
    check_layer(random_layer(random), index, configuration);
    if (HasFailure()) return;
  }
}

INSTANTIATE_TEST_SUITE_P(Layers, RtlLayers, ::testing::Combine(::testing::Values(8, 16, 32), ::testing::Range(0, 8)),
                         [](const auto& info) {
                           return "Array" + std::to_string(std::get<0>(info.param)) + "Part" +
                                  std::to_string(std::get<1>(info.param));
                         });

}  // namespace
}  // namespace espalier::test
