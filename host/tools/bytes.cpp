#include "bytes.hpp"

#include <bit>
#include <fstream>
#include <system_error>

#include "esp_error.hpp"

namespace espalier::tools {
namespace {

constexpr std::uintmax_t MaxFileBytes = std::uintmax_t{4} << 30;

std::uint64_t raw_element(std::span<const std::uint8_t> bytes, ByteOrder order) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    value |= static_cast<std::uint64_t>(bytes[order == ByteOrder::Little ? i : bytes.size() - 1 - i]) << (8 * i);
  return value;
}

double element_value(std::uint64_t raw, ElementType type, const std::string& where) {
  switch (type) {
    case ElementType::Float32:
      return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(raw)));
    case ElementType::Float64:
      return std::bit_cast<double>(raw);
    case ElementType::Int8:
      return static_cast<double>(static_cast<std::int8_t>(raw));
    case ElementType::UInt8:
      return static_cast<double>(static_cast<std::uint8_t>(raw));
    case ElementType::Int32:
      return static_cast<double>(static_cast<std::int32_t>(raw));
    case ElementType::Int64:
      break;
  }
  const auto integer = static_cast<std::int64_t>(raw);
  constexpr std::int64_t limit = std::int64_t{1} << 53;
  if (integer > limit || integer < -limit)
    throw Error(ErrorCode::Input, "int64 value beyond 2^53", where, std::to_string(integer), "give smaller values");
  return static_cast<double>(integer);
}

}  // namespace

std::vector<std::uint8_t> read_file(const std::filesystem::path& path) {
  std::error_code failure;
  if (!std::filesystem::exists(path, failure))
    throw Error(ErrorCode::Input, "file does not exist", path.string(), {}, "check the path");
  if (!std::filesystem::is_regular_file(path, failure))
    throw Error(ErrorCode::Input, "not a regular file", path.string(), {}, "give a file");
  const std::uintmax_t size = std::filesystem::file_size(path, failure);
  if (failure || size > MaxFileBytes)
    throw Error(ErrorCode::Input, "file size is unknown or beyond 4 GiB", path.string(), {}, "give a smaller file");
  std::ifstream stream(path, std::ios::binary);
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(size));
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!stream && !bytes.empty())
    throw Error(ErrorCode::Input, "file cannot be read", path.string(), {}, "check its permissions");
  return bytes;
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  stream.flush();
  if (!stream)
    throw Error(ErrorCode::Usage, "file cannot be written", path.string(), {}, "give a path in a writable folder");
}

std::vector<double> decode_elements(std::span<const std::uint8_t> bytes, std::size_t count, ElementType type,
                                    ByteOrder order, const std::string& where) {
  const std::size_t width = element_bytes(type);
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = element_value(raw_element(bytes.subspan(i * width, width), order), type, where);
  return values;
}

}  // namespace espalier::tools
