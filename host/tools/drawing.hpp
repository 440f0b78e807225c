// Pictures with boxes on them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "results/boxes.hpp"

namespace espalier::tools {

/// The bytes begin as those of a PNG or JPEG file do.
bool is_image(std::span<const std::uint8_t> bytes);

/// A PNG of the picture in `bytes` with the outline of every box, or of its turned rectangle. Throws Error (Input)
/// naming `where`.
std::string draw_boxes(std::span<const std::uint8_t> bytes, const std::string& where,
                       const std::vector<results::Box>& boxes);

}  // namespace espalier::tools
