// Boxes with scores, their overlap, and the choice among those that lie on each other.
#pragma once

#include <array>
#include <string>
#include <vector>

namespace espalier::results {

struct Point {
  double x = 0, y = 0;
};

/// In pixels; label is the index of the class.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
  double score = 0;
  int label = 0;
  std::vector<Point> corners;  // of a rectangle that is turned; empty: left, top, right, bottom say it all
};

/// Area of the intersection over area of the union, 0 to 1; 0 for boxes without area.
double overlap(const Box& a, const Box& b);

enum class Suppression {
  Plain,     // the box of the highest score stays
  Weighted,  // the mean of the pile, weighted by score, stays with the highest score
};

/// Takes boxes in falling order of their scores. Boxes of the same label that overlap the taken one by more than
/// `threshold` vanish, or go into its mean. The result is in falling order of scores; of equal ones the first is first.
std::vector<Box> suppress(std::vector<Box> boxes, double threshold, Suppression suppression);

/// From pixels of a network's input to those of the picture that was put into it: x * scale_x + offset_x.
struct Placement {
  double scale_x = 1, scale_y = 1;
  double offset_x = 0, offset_y = 0;
};

/// The box in the picture, no larger than width x height.
Box moved(const Box& box, const Placement& placement, int width, int height);

}  // namespace espalier::results
