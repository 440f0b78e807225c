#include "results/anchors.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

#include "esp_error.hpp"

namespace espalier::results {
namespace {

constexpr std::int64_t RegressedSides = 4;

[[noreturn]] void refuse(const std::string& what, const std::string& value, const std::string& action) {
  throw Error(ErrorCode::Usage, what, "the outputs as boxes", value, action);
}

/// Grids of published networks: BlazeFace for 128 and 256 pixels, and for the full range.
std::vector<Grid> known_grids(const AnchorOptions& options, std::size_t anchors) {
  const std::array<std::vector<Grid>, 3> known{{{{8, 2}, {16, 6}}, {{16, 2}, {32, 6}}, {{4, 1}}}};
  for (const std::vector<Grid>& grids : known)
    if (make_anchors(options.height, options.width, grids).size() == anchors) return grids;
  refuse("the anchors of this network are not known", std::to_string(anchors) + " anchors",
         "state stride and count of its grids, for example --anchors 8:2,16:6");
}

struct Pair {
  const Tensor* regressors = nullptr;
  const Tensor* scores = nullptr;
};

std::int64_t last(const Tensor& tensor) { return tensor.shape.back(); }
std::int64_t anchors_of(const Tensor& tensor) { return tensor.shape[tensor.shape.size() - 2]; }

/// Pairs by their number of anchors, the most first.
std::vector<Pair> pair_up(std::span<const Tensor> outputs) {
  std::map<std::int64_t, std::vector<const Tensor*>, std::greater<>> by_count;
  for (const Tensor& tensor : outputs) {
    if (tensor.shape.size() < 2)
      refuse("an output is neither regressors nor scores", tensor.name, "give --results arrays");
    by_count[anchors_of(tensor)].push_back(&tensor);
  }
  std::vector<Pair> pairs;
  for (const auto& [count, tensors] : by_count) {
    if (tensors.size() != 2)
      refuse("outputs of boxes come in pairs",
             std::to_string(tensors.size()) + " of " + std::to_string(count) + " anchors", "give --results arrays");
    const auto regresses = [](const Tensor& t) { return last(t) >= RegressedSides && last(t) % 2 == 0; };
    const bool first = regresses(*tensors[0]), second = regresses(*tensors[1]);
    if (first == second)
      refuse("regressors and scores cannot be told apart", tensors[0]->name + ", " + tensors[1]->name,
             "give --results arrays");
    pairs.push_back(first ? Pair{tensors[0], tensors[1]} : Pair{tensors[1], tensors[0]});
  }
  return pairs;
}

double sigmoid(double value) { return 1 / (1 + std::exp(-std::clamp(value, -100.0, 100.0))); }

}  // namespace

std::vector<Grid> parse_grids(const std::string& text) {
  constexpr int Most = 1 << 14;
  std::vector<Grid> grids;
  const char* at = text.data();
  const char* const end = at + text.size();
  const auto fail = [&] {
    throw Error(ErrorCode::Usage, "not a list of grids", "--anchors", text,
                "write stride:count,..., for example 8:2,16:6");
  };
  const auto number = [&](int& value) {
    const auto [rest, error] = std::from_chars(at, end, value);
    if (error != std::errc() || value < 1 || value > Most) fail();
    at = rest;
  };
  for (;;) {
    Grid& grid = grids.emplace_back();
    number(grid.stride);
    if (at == end || *at++ != ':') fail();
    number(grid.count);
    if (at == end) return grids;
    if (*at++ != ',') fail();
  }
}

std::vector<Point> make_anchors(int height, int width, std::span<const Grid> grids) {
  std::vector<Point> anchors;
  for (const Grid& grid : grids) {
    const int rows = (height + grid.stride - 1) / grid.stride, columns = (width + grid.stride - 1) / grid.stride;
    for (int y = 0; y < rows; ++y)
      for (int x = 0; x < columns; ++x)
        anchors.insert(anchors.end(), static_cast<std::size_t>(grid.count),
                       {(x + 0.5) * width / columns, (y + 0.5) * height / rows});
  }
  return anchors;
}

std::vector<Box> decode_anchors(std::span<const Tensor> outputs, const AnchorOptions& options) {
  const std::vector<Pair> pairs = pair_up(outputs);
  std::size_t count = 0;
  for (const Pair& pair : pairs) count += static_cast<std::size_t>(anchors_of(*pair.scores));
  const std::vector<Point> anchors =
      make_anchors(options.height, options.width, options.grids.empty() ? known_grids(options, count) : options.grids);
  if (anchors.size() != count)
    refuse("the grids do not give as many anchors", std::to_string(anchors.size()) + " for " + std::to_string(count),
           "correct --anchors");
  std::vector<Box> boxes;
  auto anchor = anchors.begin();
  for (const Pair& pair : pairs) {
    const auto width = static_cast<std::size_t>(last(*pair.regressors)),
               classes = static_cast<std::size_t>(last(*pair.scores));
    for (std::size_t i = 0; i < static_cast<std::size_t>(anchors_of(*pair.scores)); ++i, ++anchor) {
      const auto scores = pair.scores->values.subspan(i * classes, classes);
      const auto best = std::max_element(scores.begin(), scores.end());
      const double score = sigmoid(*best);
      if (!(score >= options.least_score)) continue;
      const auto sides = pair.regressors->values.subspan(i * width, RegressedSides);
      const double x = anchor->x + sides[0] * options.pixels_per_step,
                   y = anchor->y + sides[1] * options.pixels_per_step,
                   half_width = sides[2] * options.pixels_per_step / 2,
                   half_height = sides[3] * options.pixels_per_step / 2;
      boxes.push_back({x - half_width,
                       y - half_height,
                       x + half_width,
                       y + half_height,
                       score,
                       static_cast<int>(best - scores.begin()),
                       {}});
    }
  }
  return boxes;
}

}  // namespace espalier::results
