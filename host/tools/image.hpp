// PNG and JPEG files.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "model/array.hpp"

namespace espalier::tools {

/// Decodes a PNG or JPEG to `channels` planes (1 grey, 3 red-green-blue, 4 with alpha), resized to height x width
/// unless these are 0. The result has shape channels x height x width, uint8. Throws Error (Input) naming `where`.
model::Array parse_image(std::span<const std::uint8_t> bytes, const std::string& where, int channels, int height,
                         int width);

}  // namespace espalier::tools
