// A compiled program as bytes: everything needed to run a network on one array, checked before use.
//
//   std::vector<std::uint8_t> bytes = serialise(compiled);
//   Compiled compiled = deserialise(bytes, "digits.esp", abi::Array16x16);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compile/compile.hpp"

namespace espalier::compile {

/// Raised when a reader of older files could misread newer ones.
inline constexpr std::uint32_t FileFormatVersion = 2;

/// The bytes of a compiled program. Throws Error(Unsupported) if its image has more than 1 GiB.
std::vector<std::uint8_t> serialise(const Compiled& compiled);

/// Checks and reads the bytes of a file; `where` names it in errors. Throws Error(Program) if they are truncated or
/// altered, of another format or contract, or, where a configuration is given, compiled for another array.
Compiled deserialise(std::span<const std::uint8_t> bytes, const std::string& where,
                     const std::optional<abi::Configuration>& configuration = std::nullopt);

}  // namespace espalier::compile
