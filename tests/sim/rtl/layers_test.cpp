// Random layers, compiled and run on the RTL with a memory of fixed latency:
//   - every output byte equals that of the CPU reference and of the functional model
//   - the cycles of every row (prologue, layer, epilogue) equal the prediction, and so does every counter
#include <gtest/gtest.h>

#include "esp_arrays.hpp"
#include "layer_check.hpp"
#include "random_layer.hpp"

namespace espalier::test {
namespace {

constexpr int LayersPerTest = 25;

class RtlLayers : public ::testing::TestWithParam<std::tuple<std::string, int>> {};

TEST_P(RtlLayers, GiveTheBitsOfTheReferenceInThePredictedCycles) {
  const auto& [array, part] = GetParam();
  const abi::Configuration configuration = abi::find_array(array).value();
  for (int index = part * LayersPerTest; index < (part + 1) * LayersPerTest; ++index) {
    Random random(static_cast<std::uint64_t>(index));
    check_layer(random_layer(random), index, configuration);
    if (HasFailure()) return;
  }
}

std::string name_of(const ::testing::TestParamInfo<RtlLayers::ParamType>& info) {
  return "Array" + std::get<0>(info.param) + "Part" + std::to_string(std::get<1>(info.param));
}

INSTANTIATE_TEST_SUITE_P(Layers, RtlLayers,
                         ::testing::Combine(::testing::Values("8x8", "16x16", "32x32"), ::testing::Range(0, 8)),
                         name_of);

INSTANTIATE_TEST_SUITE_P(CompactLayers, RtlLayers,
                         ::testing::Combine(::testing::Values("16x16_compact"), ::testing::Range(0, 3)), name_of);

}  // namespace
}  // namespace espalier::test
