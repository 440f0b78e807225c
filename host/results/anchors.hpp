// Boxes from regressors and scores at anchors, as the detectors after SSD have them.
//
//   std::vector<Box> boxes = suppress(decode_anchors(outputs, {128, 128, {}}), 0.3, Suppression::Weighted);
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "results/boxes.hpp"

namespace espalier::results {

/// An output of a network, in C order.
struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const double> values;
};

/// Cells of `stride` pixels, with `count` anchors in the centre of each.
struct Grid {
  int stride = 1;
  int count = 1;
  bool operator==(const Grid&) const = default;
};

/// Reads "8:2,16:6". Throws Error (Usage).
std::vector<Grid> parse_grids(const std::string& text);

/// The centres of all anchors, in pixels of the input.
std::vector<Point> make_anchors(int height, int width, std::span<const Grid> grids);

struct AnchorOptions {
  int height = 0, width = 0;   // of the network's input
  std::vector<Grid> grids;     // none: those of the published networks, by the number of anchors
  double least_score = 0.5;    // of the sigmoid of a score
  double pixels_per_step = 1;  // of the regressors
};

/// All boxes of at least the least score, in the order of the anchors. Outputs are pairs: regressors [.., N, 4 or more]
/// and scores [.., N, classes]; pairs are told apart by N, the regressors of a pair by having 4 values and an even
/// number of more. Pairs of more anchors come first. Throws Error (Usage) for outputs that are no such pairs, and for
/// grids that do not give as many anchors.
std::vector<Box> decode_anchors(std::span<const Tensor> outputs, const AnchorOptions& options);

}  // namespace espalier::results
