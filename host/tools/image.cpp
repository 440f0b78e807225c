#include "image.hpp"

#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>

#include <climits>
#include <memory>

#include "esp_error.hpp"
#include "image_check.hpp"

namespace espalier::tools {
namespace {

constexpr std::int64_t MaxSamples = std::int64_t{1} << 28;  // a damaged header must not ask for much memory
constexpr int MaxSide = 16384;                              // of resized images, as of decoded ones

[[noreturn]] void fail(const std::string& summary, const std::string& where, const std::string& value,
                       const char* action = "give a complete PNG or JPEG file") {
  throw Error(ErrorCode::Input, summary, where, value, action);
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
  if (!has_sound_tables(bytes)) fail("the image is damaged", where, "a Huffman table is too large");
  int image_width = 0;
  int image_height = 0;
  int image_channels = 0;
  if (bytes.size() > INT_MAX || stbi_info_from_memory(bytes.data(), static_cast<int>(bytes.size()), &image_width,
                                                      &image_height, &image_channels) == 0)
    fail("not a PNG or JPEG image", where, {});
  if (model::count_elements({channels, image_height, image_width}, where, ErrorCode::Input) > MaxSamples)
    fail("the image is too large", where, model::to_string({channels, image_height, image_width}),
         "give a smaller image");
  if (!can_hold(bytes, image_width, image_height))
    fail("the image is cut off", where, model::to_string({image_height, image_width}));
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
