// Which arrays the cases of a test run on.
#pragma once

#include <vector>

#include "esp_arrays.hpp"

namespace espalier::test {

/// All arrays.
inline std::vector<abi::Configuration> all_arrays() {
  std::vector<abi::Configuration> arrays;
  for (const abi::NamedArray& array : abi::Arrays) arrays.push_back(array.configuration);
  return arrays;
}

/// Those with coded weights, and behind them, in a third of the cases, those without.
inline std::vector<abi::Configuration> arrays_of_case(int index) {
  std::vector<abi::Configuration> arrays{abi::Array8x8, abi::Array16x16, abi::Array32x32};
  if (index % 3 == 0) arrays.push_back(abi::Array16x16Compact);
  return arrays;
}

}  // namespace espalier::test
