#include "image_check.hpp"

#include <algorithm>
#include <iterator>

namespace espalier::tools {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::uint8_t Mark = 0xFF;
constexpr std::uint8_t StartOfImage = 0xD8;
constexpr std::uint8_t EndOfImage = 0xD9;
constexpr std::uint8_t HuffmanTables = 0xC4;

/// Markers inside of compressed data: a stuffed 0 and restarts; a repeated mark is filling.
bool stands_alone(std::uint8_t marker) { return marker == 0 || marker == Mark || (marker >= 0xD0 && marker <= 0xD7); }

/// The tables of one segment: class and number, 16 counts of codes by length, and a value for each code. `rest` is the
/// file from there on: the decoder reads a table to its end even if it is longer than the segment, and zeros behind the
/// file.
bool is_sound(Bytes rest, std::size_t segment_bytes) {
  constexpr std::size_t lengths = 16, most_codes = 256;
  constexpr std::uint8_t most_bits = 15;
  for (std::size_t read = 0; read < segment_bytes && !rest.empty();) {
    const bool is_dc = rest[0] >> 4 == 0;
    std::size_t codes = 0;
    for (std::size_t i = 1; i <= lengths && i < rest.size(); ++i) codes += rest[i];
    if (codes > most_codes) return false;
    rest = rest.subspan(std::min(1 + lengths, rest.size()));
    const Bytes values = rest.first(std::min(codes, rest.size()));
    if (is_dc && std::any_of(values.begin(), values.end(), [](std::uint8_t bits) { return bits > most_bits; }))
      return false;
    rest = rest.subspan(values.size());
    read += 1 + lengths + codes;
  }
  return true;
}

}  // namespace

bool can_hold(Bytes file, std::int64_t width, std::int64_t height) {
  constexpr std::int64_t always = std::int64_t{1} << 20, jpeg_pixels = 1024, png_pixels = 16384;
  const bool is_jpeg = !file.empty() && file[0] == Mark;
  const std::int64_t most = static_cast<std::int64_t>(file.size()) * (is_jpeg ? jpeg_pixels : png_pixels);
  return width * height <= std::max(always, most);
}

bool has_whole_chunks(Bytes png) {
  constexpr std::uint8_t signature[] = {0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A};
  constexpr std::size_t header = 8, checksum = 4;  // length and kind; behind the data
  if (png.size() < sizeof signature || !std::equal(std::begin(signature), std::end(signature), png.begin()))
    return true;
  png = png.subspan(sizeof signature);
  while (png.size() >= header) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | png[i];
    if (length > png.size() - header) return false;
    png = png.subspan(std::min(png.size(), header + length + checksum));
  }
  return true;
}

bool has_sound_tables(Bytes jpeg) {
  constexpr std::size_t marker_bytes = 2, length_bytes = 2;
  while (jpeg.size() >= marker_bytes) {
    if (jpeg[0] != Mark || stands_alone(jpeg[1]) || jpeg[1] == StartOfImage || jpeg[1] == EndOfImage) {
      jpeg = jpeg.subspan(1);
      continue;
    }
    const std::uint8_t marker = jpeg[1];
    jpeg = jpeg.subspan(marker_bytes);
    if (jpeg.size() < length_bytes) return true;
    const std::size_t length = std::size_t{jpeg[0]} << 8 | jpeg[1];
    if (length < length_bytes) continue;
    const Bytes segment = jpeg.first(std::min(length, jpeg.size())).subspan(length_bytes);
    if (marker == HuffmanTables && !is_sound(jpeg.subspan(length_bytes), length - length_bytes)) return false;
    jpeg = jpeg.subspan(length_bytes + segment.size());
  }
  return true;
}

}  // namespace espalier::tools
