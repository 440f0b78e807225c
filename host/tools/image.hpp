// PNG and JPEG files.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "model/array.hpp"

namespace espalier::tools {

/// How a picture is put into a size of another shape.
enum class Fit {
  Stretch,
  Letterbox,  // all of it, in the middle, with a margin
  Crop,       // its middle, without a margin
};

struct ImageForm {
  int height = 0, width = 0;  // 0: those of the picture
  Fit fit = Fit::Stretch;
  std::uint8_t margin = 0;  // value of the margin in all channels
  bool blue_first = false;  // three channels: blue, green, red
};

/// The picture as it lies in the form: its size there, and where its corner is (negative: cropped).
struct FittedImage {
  int height = 0, width = 0;
  int top = 0, left = 0;
};
FittedImage fit_image(const ImageForm& form, int height, int width);

struct ImageSize {
  int height = 0;
  int width = 0;
};
/// The size of a PNG or JPEG. Throws Error (Input) naming `where`.
ImageSize image_size(std::span<const std::uint8_t> bytes, const std::string& where);

/// Decodes a PNG or JPEG to `channels` planes (1 grey, 3 red-green-blue, 4 with alpha), brought into a form. The result
/// has shape channels x height x width, uint8. Throws Error (Input) naming `where`.
model::Array parse_image(std::span<const std::uint8_t> bytes, const std::string& where, int channels,
                         const ImageForm& form = {});

}  // namespace espalier::tools
