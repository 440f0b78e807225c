#include "bitstreams/digest.hpp"

#include <fmt/format.h>

namespace espalier::bitstreams {

Digest digest(std::span<const std::uint8_t> bytes) {
  constexpr std::uint64_t Prime = 0x100000001b3;
  std::array<std::uint64_t, 2> sums{0xcbf29ce484222325, 0x9e3779b97f4a7c15};
  for (const std::uint8_t byte : bytes) {
    for (std::uint64_t& sum : sums) sum = (sum ^ byte) * Prime;
  }
  Digest result{};
  for (std::size_t i = 0; i < result.size(); ++i) result[i] = static_cast<std::uint8_t>(sums[i / 8] >> (8 * (i % 8)));
  return result;
}

std::string to_hex(const Digest& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) text += fmt::format("{:02x}", byte);
  return text;
}

std::array<std::uint8_t, 16> to_uuid(Digest digest) {
  digest[6] = static_cast<std::uint8_t>((digest[6] & 0x0f) | 0x80);
  digest[8] = static_cast<std::uint8_t>((digest[8] & 0x3f) | 0x80);
  return digest;
}

}  // namespace espalier::bitstreams
