#include "results/text_boxes.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace espalier::results {
namespace {

double cross(const Point& a, const Point& b, const Point& c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

double distance(const Point& a, const Point& b) { return std::hypot(b.x - a.x, b.y - a.y); }

/// Andrew's monotone chain; no three points of the hull are on a line.
std::vector<Point> convex_hull(std::vector<Point> points) {
  if (points.size() < 2) return points;
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return a.x < b.x || (!(b.x < a.x) && a.y < b.y); });
  std::vector<Point> hull;
  for (int side = 0; side < 2; ++side) {
    const std::size_t start = hull.size();
    for (const Point& point : points) {
      while (hull.size() >= start + 2 && cross(hull[hull.size() - 2], hull.back(), point) <= 0) hull.pop_back();
      hull.push_back(point);
    }
    hull.pop_back();  // the first of the other side
    std::reverse(points.begin(), points.end());
  }
  return hull;
}

struct Component {
  std::vector<Point> corners;  // of the outermost pixels of every row
  double sum = 0;
  std::size_t pixels = 0;
};

/// Collects the pixels that are joined to one of them, and marks them.
class Components {
 public:
  Components(std::span<const double> map, int height, int width, double threshold)
      : map_(map), height_(height), width_(width), threshold_(threshold), seen_(map.size(), false) {}

  bool starts_at(int y, int x) const { return !seen_[index(y, x)] && map_[index(y, x)] >= threshold_; }

  Component collect(int y, int x) {
    Component component;
    std::vector<std::pair<int, int>> waiting{{y, x}};
    seen_[index(y, x)] = true;
    while (!waiting.empty()) {
      const auto [row, column] = waiting.back();
      waiting.pop_back();
      component.sum += map_[index(row, column)];
      ++component.pixels;
      add_ends(component, row, column);
      for (int i = std::max(0, row - 1); i <= std::min(height_ - 1, row + 1); ++i)
        for (int j = std::max(0, column - 1); j <= std::min(width_ - 1, column + 1); ++j)
          if (starts_at(i, j)) {
            seen_[index(i, j)] = true;
            waiting.emplace_back(i, j);
          }
    }
    return component;
  }

 private:
  std::size_t index(int y, int x) const {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width_) + static_cast<std::size_t>(x);
  }
  bool inside(int y, int x) const { return x >= 0 && x < width_ && map_[index(y, x)] >= threshold_; }

  /// Pixels between two others of their row are not on the hull.
  void add_ends(Component& component, int y, int x) const {
    const bool left = !inside(y, x - 1), right = !inside(y, x + 1);
    for (const int side : {0, 1})
      if (side == 0 ? left : right)
        for (const int end : {0, 1})
          component.corners.push_back({static_cast<double>(x + side), static_cast<double>(y + end)});
  }

  std::span<const double> map_;
  int height_, width_;
  double threshold_;
  std::vector<bool> seen_;
};

/// Every side moves outwards by `by`.
void grow(std::vector<Point>& corners, double by) {
  const double width = distance(corners[0], corners[1]), height = distance(corners[1], corners[2]);
  const Point u{(corners[1].x - corners[0].x) / width, (corners[1].y - corners[0].y) / width};
  const Point v{(corners[2].x - corners[1].x) / height, (corners[2].y - corners[1].y) / height};
  const std::array<std::pair<double, double>, 4> signs{{{-1, -1}, {1, -1}, {1, 1}, {-1, 1}}};
  for (std::size_t i = 0; i < signs.size(); ++i) {
    corners[i].x += by * (signs[i].first * u.x + signs[i].second * v.x);
    corners[i].y += by * (signs[i].first * u.y + signs[i].second * v.y);
  }
}

/// Clockwise on the screen, where y points down, from the corner nearest to the upper left.
void order(std::vector<Point>& corners) {
  if (cross(corners[0], corners[1], corners[2]) < 0) std::reverse(corners.begin(), corners.end());
  const auto first = std::min_element(corners.begin(), corners.end(),
                                      [](const Point& a, const Point& b) { return a.x + a.y < b.x + b.y; });
  std::rotate(corners.begin(), first, corners.end());
}

Box make_box(std::vector<Point> corners, double score, int height, int width) {
  order(corners);
  for (Point& corner : corners)
    corner = {std::clamp(corner.x, 0.0, static_cast<double>(width)),
              std::clamp(corner.y, 0.0, static_cast<double>(height))};
  const auto [left, right] =
      std::minmax_element(corners.begin(), corners.end(), [](const Point& a, const Point& b) { return a.x < b.x; });
  const auto [top, bottom] =
      std::minmax_element(corners.begin(), corners.end(), [](const Point& a, const Point& b) { return a.y < b.y; });
  return {left->x, top->y, right->x, bottom->y, score, 0, corners};
}

}  // namespace

std::vector<Point> least_rectangle(std::vector<Point> points) {
  const std::vector<Point> hull = convex_hull(std::move(points));
  std::vector<Point> best;
  double least = std::numeric_limits<double>::infinity();
  // One side of the rectangle of least area lies on a side of the hull (Freeman and Shapira 1975).
  for (std::size_t i = 0; i < hull.size(); ++i) {
    const Point &a = hull[i], &b = hull[(i + 1) % hull.size()];
    const double length = distance(a, b);
    if (!(length > 0)) continue;
    const Point u{(b.x - a.x) / length, (b.y - a.y) / length};
    double from = 0, to = 0, height = 0;
    for (const Point& p : hull) {
      const double along = (p.x - a.x) * u.x + (p.y - a.y) * u.y, across = (p.y - a.y) * u.x - (p.x - a.x) * u.y;
      from = std::min(from, along);
      to = std::max(to, along);
      height = std::max(height, across);
    }
    if ((to - from) * height >= least) continue;
    least = (to - from) * height;
    const auto at = [&](double along, double across) {
      return Point{a.x + along * u.x - across * u.y, a.y + along * u.y + across * u.x};
    };
    best = {at(from, 0), at(to, 0), at(to, height), at(from, height)};
  }
  if (best.empty()) best.assign(4, hull.empty() ? Point{} : hull.front());
  return best;
}

std::vector<Box> decode_text(std::span<const double> map, int height, int width, const TextOptions& options) {
  Components components(map, height, width, options.threshold);
  std::vector<Box> boxes;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      if (!components.starts_at(y, x)) continue;
      const Component component = components.collect(y, x);
      const double score = component.sum / static_cast<double>(component.pixels);
      std::vector<Point> corners = least_rectangle(component.corners);
      const double first = distance(corners[0], corners[1]), second = distance(corners[1], corners[2]);
      if (std::min(first, second) < options.least_side || score < options.least_score) continue;
      grow(corners, first * second * options.unclip / (2 * (first + second)));
      boxes.push_back(make_box(std::move(corners), score, height, width));
    }
  return boxes;
}

}  // namespace espalier::results
