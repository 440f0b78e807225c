// The file of a network that is ready to run (.esp), checked before use.
//
//   save(executable, "digits.esp");
//   Executable executable = load("digits.esp", abi::Array16x16);
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "esp_abi.hpp"
#include "run/session.hpp"

namespace espalier::run {

/// Raised when a reader of older files could misread newer ones.
inline constexpr std::uint32_t ExecutableFormatVersion = 1;

/// The bytes of the file.
std::vector<std::uint8_t> serialise(const Executable& executable);

/// Checks and reads the bytes of a file; `where` names it in errors. Throws Error(Program) if they are truncated or
/// altered, of another format or contract version, or, where `array` is given, compiled for another array.
Executable deserialise(std::span<const std::uint8_t> bytes, const std::string& where,
                       const std::optional<abi::Configuration>& array = std::nullopt);

/// Writes the file. Throws Error(Usage) if it cannot be written.
void save(const Executable& executable, const std::string& path);

/// Reads a file, see deserialise(). Throws Error(Input) if it cannot be read.
Executable load(const std::string& path, const std::optional<abi::Configuration>& array = std::nullopt);

/// Whether the first bytes of a file are those of an executable.
bool is_executable(const std::string& path);

}  // namespace espalier::run
