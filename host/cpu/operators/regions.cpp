// What detectors end with: RoiAlign and NonMaxSuppression.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "cpu/operators/indexing.hpp"
#include "cpu/operators/registry.hpp"

namespace espalier::cpu::operators {
namespace {

using Results = std::vector<TypedTensor>;

/// Positions in a map and their weights for one point; none outside of the map.
std::array<std::pair<std::size_t, double>, 4> bilinear(double y, double x, std::int64_t height, std::int64_t width) {
  if (y < -1 || y > static_cast<double>(height) || x < -1 || x > static_cast<double>(width)) return {};
  y = std::clamp(y, 0.0, static_cast<double>(height - 1));
  x = std::clamp(x, 0.0, static_cast<double>(width - 1));
  const auto top = static_cast<std::int64_t>(y), left = static_cast<std::int64_t>(x);
  const std::int64_t bottom = std::min(top + 1, height - 1), right = std::min(left + 1, width - 1);
  const double dy = y - static_cast<double>(top), dx = x - static_cast<double>(left);
  const auto at = [&](std::int64_t row, std::int64_t column) { return static_cast<std::size_t>(row * width + column); };
  return {{{at(top, left), (1 - dy) * (1 - dx)},
           {at(top, right), (1 - dy) * dx},
           {at(bottom, left), dy * (1 - dx)},
           {at(bottom, right), dy * dx}}};
}

struct RoiOptions {
  std::int64_t height, width, sampling;
  double scale, offset;
  bool largest;
};

/// One bin of one region of one map.
struct Bin {
  double top, left, height, width;
  std::int64_t rows, columns;  // samples
};

double pool_bin(const Bin& bin, const double* map, std::int64_t height, std::int64_t width, bool largest) {
  double sum = 0, most = -std::numeric_limits<double>::infinity();
  for (std::int64_t r = 0; r < bin.rows; ++r)
    for (std::int64_t c = 0; c < bin.columns; ++c) {
      const double y = bin.top + (static_cast<double>(r) + 0.5) * bin.height / static_cast<double>(bin.rows);
      const double x = bin.left + (static_cast<double>(c) + 0.5) * bin.width / static_cast<double>(bin.columns);
      for (const auto& [position, weight] : bilinear(y, x, height, width)) {
        sum += weight * map[position];
        most = std::max(most, weight * map[position]);  // as defined: of the weighted neighbours
      }
    }
  return largest ? most : sum / static_cast<double>(std::max<std::int64_t>(bin.rows * bin.columns, 1));
}

RoiOptions roi_options(const Call& call) {
  RoiOptions options{call.integer("output_height", 1),
                     call.integer("output_width", 1),
                     call.integer("sampling_ratio", 0),
                     call.real("spatial_scale", 1.0),
                     0,
                     call.text("mode", "avg") == "max"};
  const char* usual = call.opset() < 16 ? "output_half_pixel" : "half_pixel";
  if (call.text("coordinate_transformation_mode", usual) == "half_pixel") options.offset = 0.5;
  constexpr std::int64_t most_samples = 1 << 10;
  call.require(options.height > 0 && options.width > 0 && options.sampling >= 0 && options.sampling <= most_samples,
               "an attribute does not fit");
  return options;
}

Results roi_align(const Call& call) {
  const TypedTensor &input = call.input(0), &regions = call.input(1), &batches = call.input(2);
  const RoiOptions options = roi_options(call);
  call.require(input.shape.size() == 4 && input.shape[2] > 0 && input.shape[3] > 0, "a map is expected", input.shape);
  const std::int64_t count = regions.shape.empty() ? 0 : regions.shape[0];
  call.require(regions.shape == Shape{count, 4} && batches.shape == Shape{count}, "the regions do not fit",
               regions.shape);
  const Shape shape = {count, input.shape[1], options.height, options.width};
  call.count(shape);
  Reals values;
  for_each(shape, [&](const Shape& at, std::int64_t) {
    const std::int64_t batch = batches.integers()[static_cast<std::size_t>(at[0])];
    call.require(batch >= 0 && batch < input.shape[0], "a batch index lies outside of the input", {batch});
    std::array<double, 4> corner{};
    for (std::size_t i = 0; i < 4; ++i)
      corner[i] = regions.reals()[static_cast<std::size_t>(at[0]) * 4 + i] * options.scale - options.offset;
    double width = corner[2] - corner[0], height = corner[3] - corner[1];
    if (options.offset == 0) {
      width = std::max(width, 1.0);
      height = std::max(height, 1.0);
    }
    constexpr double most_size = 1 << 16;
    call.require(std::abs(width) <= most_size && std::abs(height) <= most_size, "a region is too large");
    Bin bin{0, 0, height / static_cast<double>(options.height), width / static_cast<double>(options.width), 0, 0};
    bin.top = corner[1] + static_cast<double>(at[2]) * bin.height;
    bin.left = corner[0] + static_cast<double>(at[3]) * bin.width;
    bin.rows = options.sampling > 0 ? options.sampling : static_cast<std::int64_t>(std::ceil(bin.height));
    bin.columns = options.sampling > 0 ? options.sampling : static_cast<std::int64_t>(std::ceil(bin.width));
    const std::int64_t map = (batch * input.shape[1] + at[1]) * input.shape[2] * input.shape[3];
    values.push_back(pool_bin(bin, input.reals().data() + map, input.shape[2], input.shape[3], options.largest));
  });
  return {model::real_tensor(input.type, shape, std::move(values))};
}

struct Box {
  double top, left, bottom, right;
  double area() const { return (bottom - top) * (right - left); }
};

Box read_box(const double* v, bool centre) {
  if (centre) return {v[1] - v[3] / 2, v[0] - v[2] / 2, v[1] + v[3] / 2, v[0] + v[2] / 2};
  return {std::min(v[0], v[2]), std::min(v[1], v[3]), std::max(v[0], v[2]), std::max(v[1], v[3])};
}

double overlap(const Box& a, const Box& b) {
  const double height = std::min(a.bottom, b.bottom) - std::max(a.top, b.top);
  const double width = std::min(a.right, b.right) - std::max(a.left, b.left);
  if (height <= 0 || width <= 0) return 0;
  const double common = height * width, all = a.area() + b.area() - common;
  return all > 0 ? common / all : 0;
}

/// Best score first; a box that overlaps a chosen one by more than the threshold is left out.
std::vector<std::int64_t> choose(const std::vector<Box>& boxes, const double* scores, std::int64_t most,
                                 double threshold, double least_score) {
  std::vector<std::int64_t> order, chosen;
  for (std::size_t i = 0; i < boxes.size(); ++i)
    if (scores[i] > least_score) order.push_back(static_cast<std::int64_t>(i));
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) { return scores[a] > scores[b]; });
  for (const std::int64_t candidate : order) {
    if (static_cast<std::int64_t>(chosen.size()) >= most) break;
    const bool free = std::none_of(chosen.begin(), chosen.end(), [&](std::int64_t other) {
      return overlap(boxes[static_cast<std::size_t>(other)], boxes[static_cast<std::size_t>(candidate)]) > threshold;
    });
    if (free) chosen.push_back(candidate);
  }
  return chosen;
}

Results non_max_suppression(const Call& call) {
  const TypedTensor &boxes = call.input(0), &scores = call.input(1);
  call.require(boxes.shape.size() == 3 && boxes.shape[2] == 4 && scores.shape.size() == 3 &&
                   scores.shape[0] == boxes.shape[0] && scores.shape[2] == boxes.shape[1],
               "boxes and scores do not fit", scores.shape);
  const std::int64_t most = call.integer_scalar(2, 0);
  const double threshold = call.scalar(3, 0), least = call.scalar(4, -std::numeric_limits<double>::infinity());
  const bool centre = call.integer("center_point_box", 0) != 0;
  for (const double score : scores.reals()) call.require(!std::isnan(score), "a score is not a number");
  Integers found;
  for (std::int64_t n = 0; n < boxes.shape[0]; ++n) {
    std::vector<Box> candidates;
    for (std::int64_t i = 0; i < boxes.shape[1]; ++i)
      candidates.push_back(read_box(boxes.reals().data() + (n * boxes.shape[1] + i) * 4, centre));
    for (std::int64_t c = 0; c < scores.shape[1]; ++c) {
      const double* row = scores.reals().data() + (n * scores.shape[1] + c) * scores.shape[2];
      for (const std::int64_t box : choose(candidates, row, most, threshold, least))
        found.insert(found.end(), {n, c, box});
    }
  }
  const auto count = static_cast<std::int64_t>(found.size() / 3);
  return {{DataType::Int64, {count, 3}, std::move(found)}};
}

}  // namespace

Kernels region_kernels() { return {{"NonMaxSuppression", non_max_suppression}, {"RoiAlign", roi_align}}; }

}  // namespace espalier::cpu::operators
