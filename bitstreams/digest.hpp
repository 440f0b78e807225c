// The digest of a device image: 128 bits over all bytes but those that hold the digest itself.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>

namespace espalier::bitstreams {

using Digest = std::array<std::uint8_t, 16>;

/// Two FNV-1a sums with different starts. Each step is a bijection of the sum, so one altered byte always changes both;
/// it guards against damage, not against forgery.
Digest digest(std::span<const std::uint8_t> bytes);

/// 32 lower-case hexadecimal characters.
std::string to_hex(const Digest& digest);

/// The image's uuid: its digest, marked as a custom (version 8) uuid.
std::array<std::uint8_t, 16> to_uuid(Digest digest);

}  // namespace espalier::bitstreams
