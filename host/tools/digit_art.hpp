// Small grey images as characters for a terminal.
#pragma once

#include <string>
#include <vector>

#include "html_report.hpp"

namespace espalier::tools {

/// The lines of an image, two pixels wide and four high per character (Braille patterns), brightest pixels set.
std::vector<std::string> image_lines(const AnsweredImage& image);

/// Images side by side, `per_row` in a row, each with its answer, and its label if that is known.
std::string image_gallery(const std::vector<AnsweredImage>& images, std::size_t per_row);

}  // namespace espalier::tools
