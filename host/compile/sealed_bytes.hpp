// Bytes of a file followed by their checksum: 8 bytes, little endian, FNV-1a (Fowler, Noll, Vo).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace espalier::compile {

inline constexpr std::size_t SealBytes = 8;

/// The body with its checksum behind it.
std::vector<std::uint8_t> seal(std::span<const std::uint8_t> body);

/// The body of sealed bytes. Throws Error(Program) naming `where` if there is no checksum or it is wrong.
std::span<const std::uint8_t> unseal(std::span<const std::uint8_t> bytes, const std::string& where);

}  // namespace espalier::compile
