#include "digit_art.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace espalier::tools {
namespace {

constexpr std::uint8_t Threshold = 90;

// Bits of a Braille pattern by row and column of its dots (Unicode block 2800).
constexpr std::array<std::array<unsigned, 2>, 4> DotBits{{{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}}};

std::string braille(unsigned dots) {
  const unsigned code = 0x2800U + dots;
  return {static_cast<char>(0xE0U | (code >> 12)), static_cast<char>(0x80U | ((code >> 6) & 63U)),
          static_cast<char>(0x80U | (code & 63U))};
}

bool lit(const AnsweredImage& image, int y, int x) {
  if (y >= image.height || x >= image.width) return false;
  return image.pixels[static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                      static_cast<std::size_t>(x)] >= Threshold;
}

}  // namespace

std::vector<std::string> image_lines(const AnsweredImage& image) {
  std::vector<std::string> lines;
  for (int top = 0; top < image.height; top += 4) {
    std::string line;
    for (int left = 0; left < image.width; left += 2) {
      unsigned dots = 0;
      for (std::size_t y = 0; y < 4; ++y)
        for (std::size_t x = 0; x < 2; ++x)
          if (lit(image, top + static_cast<int>(y), left + static_cast<int>(x))) dots |= DotBits[y][x];
      line += braille(dots);
    }
    lines.push_back(line);
  }
  return lines;
}

std::string image_gallery(const std::vector<AnsweredImage>& images, std::size_t per_row) {
  std::string text;
  for (std::size_t first = 0; first < images.size(); first += per_row) {
    const std::size_t last = std::min(first + per_row, images.size());
    std::vector<std::string> rows;
    std::string captions;
    for (std::size_t i = first; i < last; ++i) {
      const std::vector<std::string> lines = image_lines(images[i]);
      rows.resize(std::max(rows.size(), lines.size()));
      for (std::size_t row = 0; row < lines.size(); ++row) rows[row] += lines[row] + "  ";
      const std::string caption =
          fmt::format("answer {}{}", images[i].answer, images[i].truth.empty() ? "" : ", is " + images[i].truth);
      captions += fmt::format("{:<{}}", caption, (images[i].width + 1) / 2 + 2);
    }
    for (const std::string& row : rows) text += "  " + row + "\n";
    text += "  " + captions + "\n\n";
  }
  return text;
}

}  // namespace espalier::tools
