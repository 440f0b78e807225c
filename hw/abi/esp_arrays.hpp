// The machines that are built, by name.
//
//   if (const auto configuration = find_array("16x16_compact")) ...
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "esp_abi.hpp"

namespace espalier::abi {

struct NamedArray {
  std::string_view name;
  Configuration configuration;
};

inline constexpr std::array Arrays{NamedArray{"8x8", Array8x8}, NamedArray{"16x16", Array16x16},
                                   NamedArray{"16x16_compact", Array16x16Compact}, NamedArray{"32x32", Array32x32}};
/// For messages.
inline constexpr const char* ArrayNames = "8x8, 16x16, 16x16_compact or 32x32";

constexpr std::optional<Configuration> find_array(std::string_view name) {
  for (const NamedArray& array : Arrays) {
    if (array.name == name) return array.configuration;
  }
  return {};
}

/// Lanes x pixels if it is none of these.
inline std::string array_name(const Configuration& configuration) {
  for (const NamedArray& array : Arrays) {
    if (array.configuration == configuration) return std::string(array.name);
  }
  return std::to_string(configuration.lanes) + "x" + std::to_string(configuration.pixels);
}

}  // namespace espalier::abi
