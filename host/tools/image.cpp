#include "image.hpp"

#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>

#include <algorithm>
#include <climits>
#include <iterator>
#include <memory>

#include "esp_error.hpp"

namespace espalier::tools {
namespace {

constexpr std::int64_t MaxSamples = std::int64_t{1} << 28;  // a damaged header must not ask for much memory
constexpr int MaxSide = 16384;                              // of resized images, as of decoded ones

[[noreturn]] void fail(const std::string& summary, const std::string& where, const std::string& value,
                       const char* action = "give a complete PNG or JPEG file") {
  throw Error(ErrorCode::Input, summary, where, value, action);
}

/// Whether all chunks of a PNG file lie inside it, so that no memory is asked for what a damaged length says.
bool has_whole_chunks(std::span<const std::uint8_t> bytes) {
  constexpr std::uint8_t signature[] = {0x89, 'P', 'N', 'G', 0x0D, 0x0A, 0x1A, 0x0A};
  constexpr std::size_t header = 8, checksum = 4;  // length and kind; behind the data
  if (bytes.size() < sizeof signature || !std::equal(std::begin(signature), std::end(signature), bytes.begin()))
    return true;
  bytes = bytes.subspan(sizeof signature);
  while (bytes.size() >= header) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i) length = length << 8 | bytes[i];
    if (length > bytes.size() - header) return false;
    bytes = bytes.subspan(std::min(bytes.size(), header + length + checksum));
  }
  return true;
}

std::vector<std::uint8_t> resize(const std::uint8_t* pixels, int from_width, int from_height, int width, int height,
                                 int channels, const std::string& where) {
  const std::string size = std::to_string(height) + "x" + std::to_string(width);
  if (width > MaxSide || height > MaxSide || std::int64_t{width} * height * channels > MaxSamples)
    fail("the image cannot be made that large", where, size, "choose a smaller size with --resize");
  std::vector<std::uint8_t> result(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                                   static_cast<std::size_t>(channels));
  if (stbir_resize_uint8(pixels, from_width, from_height, 0, result.data(), width, height, 0, channels) == 0)
    fail("the image cannot be resized", where, size, "choose another size with --resize");
  return result;
}

}  // namespace

model::Array parse_image(std::span<const std::uint8_t> bytes, const std::string& where, int channels, int height,
                         int width) {
  if (channels != 1 && channels != 3 && channels != 4)
    fail("an image cannot fill an input with this many channels", where, std::to_string(channels),
         "give the values as a .npy array");
  if (!has_whole_chunks(bytes)) fail("the image is damaged", where, "a chunk is longer than the file");
  int image_width = 0;
  int image_height = 0;
  int image_channels = 0;
  if (bytes.size() > INT_MAX || stbi_info_from_memory(bytes.data(), static_cast<int>(bytes.size()), &image_width,
                                                      &image_height, &image_channels) == 0)
    fail("not a PNG or JPEG image", where, {});
  if (model::count_elements({channels, image_height, image_width}, where, ErrorCode::Input) > MaxSamples)
    fail("the image is too large", where, model::to_string({channels, image_height, image_width}),
         "give a smaller image");
  const std::unique_ptr<stbi_uc, decltype(&stbi_image_free)> decoded(
      stbi_load_from_memory(bytes.data(), static_cast<int>(bytes.size()), &image_width, &image_height, &image_channels,
                            channels),
      &stbi_image_free);
  if (!decoded) fail("the image is damaged", where, stbi_failure_reason());

  const int out_height = height > 0 ? height : image_height;
  const int out_width = width > 0 ? width : image_width;
  std::vector<std::uint8_t> pixels;
  if (out_height != image_height || out_width != image_width) {
    pixels = resize(decoded.get(), image_width, image_height, out_width, out_height, channels, where);
  } else {
    pixels.assign(decoded.get(), decoded.get() + static_cast<std::ptrdiff_t>(image_width) * image_height * channels);
  }
  const auto plane = static_cast<std::size_t>(out_height) * static_cast<std::size_t>(out_width);
  std::vector<std::uint8_t> planes(pixels.size());
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t channel = i % static_cast<std::size_t>(channels);
    planes[channel * plane + i / static_cast<std::size_t>(channels)] = pixels[i];
  }
  return {{channels, out_height, out_width}, std::move(planes)};
}

}  // namespace espalier::tools
