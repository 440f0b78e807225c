#include "zoo/magnitudes.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace espalier::zoo {
namespace {

constexpr double RowSpread = 0.35;
constexpr double ChannelSpread = 0.35;
constexpr double EdgeFall = 0.25;

}  // namespace

std::vector<float> make_magnitudes(const model::WeightShape& shape, Random& random) {
  std::vector<double> rows, channels, taps;
  for (int i = 0; i < shape.outputs; ++i) rows.push_back(std::exp(RowSpread * random.normal()));
  for (int i = 0; i < shape.inputs; ++i) channels.push_back(std::exp(ChannelSpread * random.normal()));
  const double half = std::max({shape.kernel_h, shape.kernel_w, 2}) / 2.0;
  for (int y = 0; y < shape.kernel_h; ++y) {
    for (int x = 0; x < shape.kernel_w; ++x) {
      const double dy = y - (shape.kernel_h - 1) / 2.0, dx = x - (shape.kernel_w - 1) / 2.0;
      taps.push_back(std::exp(-EdgeFall * std::sqrt(dy * dy + dx * dx) / half));
    }
  }
  std::vector<float> magnitudes;
  magnitudes.reserve(shape.count());
  for (const double row : rows) {
    for (const double channel : channels) {
      for (const double tap : taps)
        magnitudes.push_back(static_cast<float>(std::abs(random.normal()) * row * channel * tap));
    }
  }
  return magnitudes;
}

}  // namespace espalier::zoo
