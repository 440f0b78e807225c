#include "compile/sealed_bytes.hpp"

#include "esp_error.hpp"

namespace espalier::compile {
namespace {

std::uint64_t checksum(std::span<const std::uint8_t> bytes) {
  std::uint64_t sum = 14695981039346656037U;
  for (const std::uint8_t byte : bytes) sum = (sum ^ byte) * 1099511628211U;
  return sum;
}

}  // namespace

std::vector<std::uint8_t> seal(std::span<const std::uint8_t> body) {
  std::vector<std::uint8_t> bytes(body.begin(), body.end());
  const std::uint64_t sum = checksum(body);
  for (std::size_t i = 0; i < SealBytes; ++i) bytes.push_back(static_cast<std::uint8_t>(sum >> (8 * i)));
  return bytes;
}

std::span<const std::uint8_t> unseal(std::span<const std::uint8_t> bytes, const std::string& where) {
  if (bytes.size() >= SealBytes) {
    const auto body = bytes.first(bytes.size() - SealBytes);
    std::uint64_t stored = 0;
    for (std::size_t i = 0; i < SealBytes; ++i) stored |= static_cast<std::uint64_t>(bytes[body.size() + i]) << (8 * i);
    if (stored == checksum(body)) return body;
  }
  throw Error(ErrorCode::Program, "the file is truncated or altered: its checksum is wrong", where,
              std::to_string(bytes.size()) + " bytes", "compile the model again");
}

}  // namespace espalier::compile
