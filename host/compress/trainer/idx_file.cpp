#include "idx_file.hpp"

#include <array>
#include <fstream>
#include <functional>
#include <iterator>
#include <numeric>

#include "esp_error.hpp"

namespace espalier::trainer {
namespace {

constexpr std::uint8_t UnsignedByte = 0x08;

std::size_t element_count(const std::vector<std::uint32_t>& sizes) {
  return std::accumulate(sizes.begin(), sizes.end(), std::size_t{1}, std::multiplies<>());
}

std::uint32_t big_endian(const std::uint8_t* bytes) {
  return (std::uint32_t{bytes[0]} << 24) | (std::uint32_t{bytes[1]} << 16) | (std::uint32_t{bytes[2]} << 8) | bytes[3];
}

}  // namespace

IdxFile read_idx(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) throw Error(ErrorCode::Input, "cannot open the file", path.string());
  const std::vector<std::uint8_t> raw{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};

  if (raw.size() < 4 || raw[0] != 0 || raw[1] != 0 || raw[2] != UnsignedByte || raw[3] == 0)
    throw Error(ErrorCode::Input, "not an IDX file of unsigned bytes", path.string(), "",
                "unpack it if it is compressed");
  const std::size_t header = 4 + 4 * std::size_t{raw[3]};
  if (raw.size() < header) throw Error(ErrorCode::Input, "IDX header cut short", path.string());

  IdxFile file;
  for (std::size_t at = 4; at < header; at += 4) file.sizes.push_back(big_endian(raw.data() + at));
  if (raw.size() - header != element_count(file.sizes))
    throw Error(
        ErrorCode::Input, "length differs from the IDX header", path.string(),
        std::to_string(raw.size() - header) + " bytes of data instead of " + std::to_string(element_count(file.sizes)));
  file.bytes.assign(raw.begin() + static_cast<std::ptrdiff_t>(header), raw.end());
  return file;
}

void write_idx(const std::filesystem::path& path, const IdxFile& file) {
  std::vector<std::uint8_t> raw{0, 0, UnsignedByte, static_cast<std::uint8_t>(file.sizes.size())};
  for (const std::uint32_t size : file.sizes)
    for (const unsigned shift : {24U, 16U, 8U, 0U}) raw.push_back(static_cast<std::uint8_t>(size >> shift));
  raw.insert(raw.end(), file.bytes.begin(), file.bytes.end());

  std::ofstream stream(path, std::ios::binary);
  stream.write(reinterpret_cast<const char*>(raw.data()), static_cast<std::streamsize>(raw.size()));
  if (!stream.flush()) throw Error(ErrorCode::Input, "cannot write the file", path.string());
}

IdxFile first(const IdxFile& file, std::uint32_t count) {
  if (file.sizes.empty() || file.sizes[0] < count)
    throw Error(ErrorCode::Usage, "fewer entries than asked for", "IDX file", std::to_string(count));
  IdxFile head{file.sizes, {}};
  head.sizes[0] = count;
  head.bytes.assign(file.bytes.begin(), file.bytes.begin() + static_cast<std::ptrdiff_t>(element_count(head.sizes)));
  return head;
}

}  // namespace espalier::trainer
