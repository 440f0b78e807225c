// Boxes around text from a map of probabilities (differentiable binarisation: Liao et al. 2020, as PP-OCR uses it).
//
//   std::vector<Box> lines = decode_text(map, 640, 640, {});
#pragma once

#include <span>
#include <vector>

#include "results/boxes.hpp"

namespace espalier::results {

struct TextOptions {
  double threshold = 0.3;    // of a pixel that belongs to text
  double least_score = 0.6;  // of a box: the mean probability of its pixels
  double unclip = 1.5;       // how far a box grows: area * unclip / perimeter on every side
  double least_side = 3;     // pixels of the shorter side, before it grows
};

/// The boxes of all components, from top to bottom by their first pixel; `corners` are those of the turned rectangle,
/// clockwise from the one with the least x + y. `map` is height x width.
std::vector<Box> decode_text(std::span<const double> map, int height, int width, const TextOptions& options);

/// The rectangle of least area around points: its corners in order around it. Fewer than three points, or points on a
/// line, give a rectangle without area.
std::vector<Point> least_rectangle(std::vector<Point> points);

}  // namespace espalier::results
