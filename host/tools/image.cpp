#include "image.hpp"

#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>

#include <algorithm>
#include <climits>
#include <cmath>
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

/// The planes of an image of `size` from the interleaved pixels of the fitted picture.
std::vector<std::uint8_t> place(const std::vector<std::uint8_t>& pixels, const FittedImage& fitted,
                                const ImageSize& size, int channels, const ImageForm& form) {
  const auto count = static_cast<std::size_t>(channels);
  const std::size_t plane = static_cast<std::size_t>(size.height) * static_cast<std::size_t>(size.width);
  std::vector<std::uint8_t> planes(count * plane, form.margin);
  for (int y = std::max(0, fitted.top); y < std::min(size.height, fitted.top + fitted.height); ++y)
    for (int x = std::max(0, fitted.left); x < std::min(size.width, fitted.left + fitted.width); ++x) {
      const std::size_t from = static_cast<std::size_t>(y - fitted.top) * static_cast<std::size_t>(fitted.width) +
                               static_cast<std::size_t>(x - fitted.left);
      const std::size_t to =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(size.width) + static_cast<std::size_t>(x);
      for (std::size_t channel = 0; channel < count; ++channel) {
        const std::size_t target = form.blue_first && count == 3 ? 2 - channel : channel;
        planes[target * plane + to] = pixels[from * count + channel];
      }
    }
  return planes;
}

}  // namespace

FittedImage fit_image(const ImageForm& form, int height, int width) {
  FittedImage fitted{form.height > 0 ? form.height : height, form.width > 0 ? form.width : width, 0, 0};
  if (form.fit == Fit::Stretch) return fitted;
  const double by_height = static_cast<double>(fitted.height) / height,
               by_width = static_cast<double>(fitted.width) / width;
  const double scale = form.fit == Fit::Letterbox ? std::min(by_height, by_width) : std::max(by_height, by_width);
  const FittedImage form_size = fitted;
  fitted.height = std::max(1, static_cast<int>(std::lround(height * scale)));
  fitted.width = std::max(1, static_cast<int>(std::lround(width * scale)));
  fitted.top = (form_size.height - fitted.height) / 2;
  fitted.left = (form_size.width - fitted.width) / 2;
  return fitted;
}

ImageSize image_size(std::span<const std::uint8_t> bytes, const std::string& where) {
  ImageSize size;
  int channels = 0;
  if (bytes.size() > INT_MAX || !has_whole_chunks(bytes) ||
      stbi_info_from_memory(bytes.data(), static_cast<int>(bytes.size()), &size.width, &size.height, &channels) == 0)
    fail("not a PNG or JPEG image", where, {});
  return size;
}

model::Array parse_image(std::span<const std::uint8_t> bytes, const std::string& where, int channels,
                         const ImageForm& form) {
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

  const FittedImage fitted = fit_image(form, image_height, image_width);
  std::vector<std::uint8_t> pixels;
  if (fitted.height != image_height || fitted.width != image_width) {
    pixels = resize(decoded.get(), image_width, image_height, fitted.width, fitted.height, channels, where);
  } else {
    pixels.assign(decoded.get(), decoded.get() + static_cast<std::ptrdiff_t>(image_width) * image_height * channels);
  }
  const ImageSize size{form.height > 0 ? form.height : image_height, form.width > 0 ? form.width : image_width};
  if (size.width > MaxSide || size.height > MaxSide)
    fail("the image cannot be made that large", where, std::to_string(size.height) + "x" + std::to_string(size.width),
         "choose a smaller size with --resize");
  return {{channels, size.height, size.width}, place(pixels, fitted, size, channels, form)};
}

}  // namespace espalier::tools
