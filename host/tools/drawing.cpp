#include "drawing.hpp"

#include <stb/stb_image_write.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "esp_error.hpp"
#include "image.hpp"

namespace espalier::tools {
namespace {

constexpr std::array<std::uint8_t, 3> Colour{0, 230, 60};

/// Interleaved red, green and blue.
struct Canvas {
  int height, width;
  std::vector<std::uint8_t> pixels;

  void dot(int y, int x) {
    if (x < 0 || y < 0 || x >= width || y >= height) return;
    const auto at = (static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)) * 3;
    std::copy(Colour.begin(), Colour.end(), pixels.begin() + static_cast<std::ptrdiff_t>(at));
  }

  void line(const results::Point& from, const results::Point& to, int thickness) {
    const int steps =
        std::max(1, static_cast<int>(std::ceil(std::max(std::abs(to.x - from.x), std::abs(to.y - from.y)))));
    for (int i = 0; i <= steps; ++i) {
      const double share = static_cast<double>(i) / steps;
      const int x = static_cast<int>(std::floor(from.x + share * (to.x - from.x)));
      const int y = static_cast<int>(std::floor(from.y + share * (to.y - from.y)));
      for (int dy = 0; dy < thickness; ++dy)
        for (int dx = 0; dx < thickness; ++dx) dot(y + dy - thickness / 2, x + dx - thickness / 2);
    }
  }
};

void append(void* text, void* data, int size) {
  static_cast<std::string*>(text)->append(static_cast<const char*>(data), static_cast<std::size_t>(size));
}

}  // namespace

bool is_image(std::span<const std::uint8_t> bytes) {
  const auto starts = [&](std::initializer_list<std::uint8_t> magic) {
    return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
  };
  return starts({0x89, 'P', 'N', 'G'}) || starts({0xFF, 0xD8, 0xFF});
}

std::string draw_boxes(std::span<const std::uint8_t> bytes, const std::string& where,
                       const std::vector<results::Box>& boxes) {
  const model::Array image = parse_image(bytes, where, 3);
  const auto& planes = std::get<std::vector<std::uint8_t>>(image.values);
  Canvas canvas{static_cast<int>(image.shape[1]), static_cast<int>(image.shape[2]), {}};
  const std::size_t plane = planes.size() / 3;
  for (std::size_t i = 0; i < planes.size(); ++i) canvas.pixels.push_back(planes[i % 3 * plane + i / 3]);
  const int thickness = std::max(1, std::max(canvas.height, canvas.width) / 200);
  for (const results::Box& box : boxes) {
    std::vector<results::Point> corners = box.corners;
    if (corners.empty())
      corners = {{box.left, box.top}, {box.right, box.top}, {box.right, box.bottom}, {box.left, box.bottom}};
    for (std::size_t i = 0; i < corners.size(); ++i)
      canvas.line(corners[i], corners[(i + 1) % corners.size()], thickness);
  }
  std::string png;
  if (stbi_write_png_to_func(append, &png, canvas.width, canvas.height, 3, canvas.pixels.data(), 3 * canvas.width) == 0)
    throw Error(ErrorCode::Input, "the image cannot be written", where, {}, "give a smaller image");
  return png;
}

}  // namespace espalier::tools
