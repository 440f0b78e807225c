#include "files.hpp"

#include <fstream>
#include <system_error>

#include "esp_error.hpp"

namespace espalier::tools {
namespace {

constexpr std::uintmax_t MaxFileBytes = std::uintmax_t{4} << 30;

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

std::string read_text(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = read_file(path);
  return {bytes.begin(), bytes.end()};
}

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream stream(path, std::ios::binary | std::ios::trunc);
  stream.write(text.data(), static_cast<std::streamsize>(text.size()));
  stream.flush();
  if (!stream)
    throw Error(ErrorCode::Usage, "file cannot be written", path.string(), {}, "give a path in a writable folder");
}

}  // namespace espalier::tools
