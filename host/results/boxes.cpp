#include "results/boxes.hpp"

#include <algorithm>

namespace espalier::results {
namespace {

double area(const Box& box) { return std::max(0.0, box.right - box.left) * std::max(0.0, box.bottom - box.top); }

/// The mean of boxes weighted by their scores; label and score are those of the first, the highest.
Box mean(const std::vector<Box>& pile) {
  Box result = pile.front();
  double weight = 0;
  result.left = result.top = result.right = result.bottom = 0;
  for (const Box& box : pile) {
    weight += box.score;
    result.left += box.score * box.left;
    result.top += box.score * box.top;
    result.right += box.score * box.right;
    result.bottom += box.score * box.bottom;
  }
  if (!(weight > 0)) return pile.front();
  for (double* side : {&result.left, &result.top, &result.right, &result.bottom}) *side /= weight;
  return result;
}

}  // namespace

double overlap(const Box& a, const Box& b) {
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  if (width <= 0 || height <= 0) return 0;
  const double common = width * height;
  return common / (area(a) + area(b) - common);
}

std::vector<Box> suppress(std::vector<Box> boxes, double threshold, Suppression suppression) {
  std::stable_sort(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a.score > b.score; });
  std::vector<Box> result;
  std::vector<bool> gone(boxes.size(), false);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (gone[i]) continue;
    std::vector<Box> pile{boxes[i]};
    for (std::size_t j = i + 1; j < boxes.size(); ++j) {
      if (gone[j] || boxes[j].label != boxes[i].label || !(overlap(boxes[i], boxes[j]) > threshold)) continue;
      gone[j] = true;
      pile.push_back(boxes[j]);
    }
    result.push_back(suppression == Suppression::Weighted ? mean(pile) : boxes[i]);
  }
  return result;
}

Box moved(const Box& box, const Placement& placement, int width, int height) {
  const auto x = [&](double value) {
    return std::clamp(value * placement.scale_x + placement.offset_x, 0.0, static_cast<double>(width));
  };
  const auto y = [&](double value) {
    return std::clamp(value * placement.scale_y + placement.offset_y, 0.0, static_cast<double>(height));
  };
  Box result{x(box.left), y(box.top), x(box.right), y(box.bottom), box.score, box.label, {}};
  for (const Point& corner : box.corners) result.corners.push_back({x(corner.x), y(corner.y)});
  return result;
}

}  // namespace espalier::results
