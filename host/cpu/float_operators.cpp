#include "cpu/float_operators.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "model/window.hpp"

namespace espalier::cpu {
namespace {

using model::Shape;
using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using ConstMap = Eigen::Map<const Matrix>;

std::size_t product(const Shape& shape, std::size_t first, std::size_t last) {
  std::size_t count = 1;
  for (std::size_t i = first; i < last; ++i) count *= static_cast<std::size_t>(shape[i]);
  return count;
}
std::size_t elements(const Shape& shape) { return product(shape, 0, shape.size()); }

constexpr std::int64_t UnfoldedElements = std::int64_t{1} << 18;

/// One map's sizes and window.
struct Plane {
  model::Window window;
  std::int64_t in_height, in_width, out_height, out_width;
};

/// Calls visit(input index, kernel row, kernel column) for the taps of an output position inside the map.
template <typename Visitor>
void for_valid_taps(const Plane& plane, std::int64_t y, std::int64_t x, Visitor&& visit) {
  const model::Window& w = plane.window;
  for (std::int64_t ky = 0; ky < w.kernel[0]; ++ky) {
    const std::int64_t iy = y * w.stride[0] - w.before[0] + ky * w.dilation[0];
    if (iy < 0 || iy >= plane.in_height) continue;
    for (std::int64_t kx = 0; kx < w.kernel[1]; ++kx) {
      const std::int64_t ix = x * w.stride[1] - w.before[1] + kx * w.dilation[1];
      if (ix >= 0 && ix < plane.in_width) visit(iy * plane.in_width + ix, ky, kx);
    }
  }
}

Plane make_plane(const model::Node& node, const FloatShapes& shapes) {
  const Shape &in = shapes.inputs[0], &out = shapes.output;
  return {model::read_window(node, {in[2], in[3]}, {1, 1}), in[2], in[3], out[2], out[3]};
}

/// Columns of one group for output rows first..last-1: row (channel, ky, kx), column (y, x).
Matrix unfold(const Plane& plane, const float* maps, std::int64_t channels, std::int64_t first, std::int64_t last) {
  const auto& kernel = plane.window.kernel;
  const std::int64_t map = plane.in_height * plane.in_width;
  Matrix columns = Matrix::Zero(channels * kernel[0] * kernel[1], (last - first) * plane.out_width);
  for (std::int64_t c = 0; c < channels; ++c)
    for (std::int64_t y = first; y < last; ++y)
      for (std::int64_t x = 0; x < plane.out_width; ++x)
        for_valid_taps(plane, y, x, [&](std::int64_t at, std::int64_t ky, std::int64_t kx) {
          columns((c * kernel[0] + ky) * kernel[1] + kx, (y - first) * plane.out_width + x) = maps[c * map + at];
        });
  return columns;
}

}  // namespace

FloatTensor convolution(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes) {
  const Plane plane = make_plane(node, shapes);
  const std::int64_t groups = node.integer("group", 1);
  const std::int64_t group_in = shapes.inputs[0][1] / groups, group_out = shapes.output[1] / groups;
  const std::int64_t row = group_in * plane.window.kernel[0] * plane.window.kernel[1];
  const std::int64_t in_map = plane.in_height * plane.in_width, out_map = plane.out_height * plane.out_width;
  const std::int64_t step =
      std::max<std::int64_t>(1, UnfoldedElements / std::max<std::int64_t>(1, row * plane.out_width));
  FloatTensor result(elements(shapes.output));
  for (std::int64_t n = 0; n < shapes.output[0]; ++n)
    for (std::int64_t g = 0; g < groups; ++g) {
      const ConstMap weights(in[1].data() + g * group_out * row, group_out, row);
      Eigen::Map<Matrix> out(result.data() + (n * groups + g) * group_out * out_map, group_out, out_map);
      // A few output rows at a time, so that the unfolded maps stay small.
      for (std::int64_t y = 0; y < plane.out_height; y += step) {
        const std::int64_t last = std::min(y + step, plane.out_height);
        const Matrix columns = unfold(plane, in[0].data() + (n * groups + g) * group_in * in_map, group_in, y, last);
        out.middleCols(y * plane.out_width, (last - y) * plane.out_width).noalias() = weights * columns;
      }
      if (in.size() > 2 && !in[2].empty())
        out.colwise() += Eigen::Map<const Eigen::VectorXf>(in[2].data() + g * group_out, group_out);
    }
  return result;
}

FloatTensor pool(const model::Node& node, FloatView in, const FloatShapes& shapes) {
  const Plane plane = make_plane(node, shapes);
  const bool maximum = node.op == "MaxPool", all = node.integer("count_include_pad", 0) != 0;
  const std::size_t maps = product(shapes.output, 0, 2);
  const auto taps = static_cast<float>(plane.window.kernel[0] * plane.window.kernel[1]);
  FloatTensor result;
  result.reserve(elements(shapes.output));
  for (std::size_t m = 0; m < maps; ++m) {
    const float* map = in.data() + m * static_cast<std::size_t>(plane.in_height * plane.in_width);
    for (std::int64_t y = 0; y < plane.out_height; ++y)
      for (std::int64_t x = 0; x < plane.out_width; ++x) {
        float best = std::numeric_limits<float>::lowest(), sum = 0, count = 0;
        for_valid_taps(plane, y, x, [&](std::int64_t at, std::int64_t, std::int64_t) {
          best = std::max(best, map[at]);
          sum += map[at];
          count += 1;
        });
        result.push_back(maximum ? best : sum / (all || count < 1 ? taps : count));
      }
  }
  return result;
}

FloatTensor global_pool(const model::Node& node, FloatView in, const FloatShapes& shapes) {
  const std::size_t map = product(shapes.inputs[0], 2, shapes.inputs[0].size());
  FloatTensor result;
  for (std::size_t m = 0; m < elements(shapes.output); ++m) {
    const FloatView values = in.subspan(m * map, map);
    // In float32, one after the other, as ONNX Runtime sums: behind a large map the error of such a sum is far above
    // that of any other operator, and a network may amplify the distance from a better sum to 2e-4 of its output.
    float sum = 0;
    for (const float value : values) sum += value;
    result.push_back(node.op == "GlobalMaxPool" ? *std::max_element(values.begin(), values.end())
                                                : sum / static_cast<float>(map));
  }
  return result;
}

FloatTensor gemm(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes) {
  const auto matrix = [&](std::size_t i, bool flip) -> Matrix {
    const ConstMap map(in[i].data(), shapes.inputs[i][0], shapes.inputs[i][1]);
    return flip ? Matrix(map.transpose()) : Matrix(map);
  };
  const bool plain = node.op == "MatMul";
  Matrix product =
      matrix(0, !plain && node.integer("transA", 0) != 0) * matrix(1, !plain && node.integer("transB", 0) != 0);
  product *= node.real("alpha", 1);
  FloatTensor result(product.data(), product.data() + product.size());
  if (plain || in.size() < 3 || in[2].empty()) return result;
  const Shape& bias = shapes.inputs[2];
  const std::int64_t columns = product.cols();
  const std::int64_t step_x = bias.empty() || bias.back() == 1 ? 0 : 1;
  const std::int64_t step_y = bias.size() < 2 || bias[0] == 1 ? 0 : bias[1];
  for (std::int64_t y = 0; y < product.rows(); ++y)
    for (std::int64_t x = 0; x < columns; ++x)
      result[static_cast<std::size_t>(y * columns + x)] +=
          node.real("beta", 1) * in[2][static_cast<std::size_t>(y * step_y + x * step_x)];
  return result;
}

FloatTensor arithmetic(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes) {
  const Shape& out = shapes.output;
  // The position in an operand of every output index, with broadcast axes standing still.
  const auto position = [&](std::size_t operand, std::size_t index) {
    const Shape& shape = shapes.inputs[operand];
    std::size_t result = 0, step = 1;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto size = static_cast<std::size_t>(out[out.size() - 1 - i]);
      if (i < shape.size()) {
        const auto own = static_cast<std::size_t>(shape[shape.size() - 1 - i]);
        if (own != 1) result += index % size * step;
        step *= own;
      }
      index /= size;
    }
    return result;
  };
  FloatTensor result(elements(out));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const float a = in[0][position(0, i)], b = in[1][position(1, i)];
    result[i] = node.op == "Add" ? a + b : node.op == "Sub" ? a - b : node.op == "Mul" ? a * b : a / b;
  }
  return result;
}

FloatTensor batch_normalization(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes) {
  const auto channels = static_cast<std::size_t>(shapes.output[1]);
  const std::size_t inner = product(shapes.output, 2, shapes.output.size());
  FloatTensor result(in[0].begin(), in[0].end());
  for (std::size_t i = 0; i < result.size(); ++i) {
    const std::size_t c = i / inner % channels;
    result[i] = (result[i] - in[3][c]) / std::sqrt(in[4][c] + node.real("epsilon", 1e-5F)) * in[1][c] + in[2][c];
  }
  return result;
}

FloatTensor concat(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes) {
  const auto axis = static_cast<std::size_t>(node.integer("axis", 1));
  const std::size_t outer = product(shapes.output, 0, axis);
  FloatTensor result;
  result.reserve(elements(shapes.output));
  for (std::size_t o = 0; o < outer; ++o)
    for (std::size_t i = 0; i < in.size(); ++i) {
      const std::size_t run = product(shapes.inputs[i], axis, shapes.inputs[i].size());
      const FloatView part = in[i].subspan(o * run, run);
      result.insert(result.end(), part.begin(), part.end());
    }
  return result;
}

FloatTensor pad(const model::Node& node, FloatView in, const FloatShapes& shapes) {
  const auto pads = node.integers("pads", {});
  const Shape &from = shapes.inputs[0], &to = shapes.output;
  FloatTensor result(elements(to), node.real("value", 0));
  for (std::size_t i = 0; i < in.size(); ++i) {
    std::size_t rest = i, position = 0, step = 1;
    for (std::size_t axis = from.size(); axis-- > 0;) {
      const auto size = static_cast<std::size_t>(from[axis]);
      position += (rest % size + static_cast<std::size_t>(pads[axis])) * step;
      step *= static_cast<std::size_t>(to[axis]);
      rest /= size;
    }
    result[position] = in[i];
  }
  return result;
}

namespace {

/// Calls visit(index, scale, zero) for all elements of a per-tensor or per-axis quantisation.
template <typename Visitor>
void for_each_scale(const model::Node& node, const std::vector<FloatView>& in, const Shape& shape, Visitor&& visit) {
  const auto axis = static_cast<std::size_t>(std::max<std::int64_t>(node.integer("axis", 1), 0));
  const std::size_t inner = in[1].size() == 1 ? 1 : product(shape, axis + 1, shape.size());
  for (std::size_t i = 0; i < in[0].size(); ++i) {
    const std::size_t c = in[1].size() == 1 ? 0 : i / inner % in[1].size();
    visit(i, in[1][c], in.size() > 2 && !in[2].empty() ? in[2][in[2].size() == 1 ? 0 : c] : 0.0F);
  }
}

}  // namespace

FloatTensor quantise(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes) {
  const float low = shapes.output_type == model::ElementType::Int8 ? -128.0F : 0.0F;
  FloatTensor result(in[0].size());
  for_each_scale(node, in, shapes.output, [&](std::size_t i, float scale, float zero) {
    result[i] = std::clamp(std::nearbyint(in[0][i] / scale) + zero, low, low + 255.0F);
  });
  return result;
}

FloatTensor dequantise(const model::Node& node, const std::vector<FloatView>& in, const FloatShapes& shapes) {
  FloatTensor result(in[0].size());
  for_each_scale(node, in, shapes.output,
                 [&](std::size_t i, float scale, float zero) { result[i] = (in[0][i] - zero) * scale; });
  return result;
}

FloatTensor softmax(const FloatTensor& values, const Shape& shape, std::size_t axis) {
  const std::size_t size = shape.empty() ? 1 : static_cast<std::size_t>(shape[axis]);
  const std::size_t inner = shape.empty() ? 1 : product(shape, axis + 1, shape.size());
  FloatTensor result(values.size());
  for (std::size_t start = 0; start < values.size(); ++start) {
    if (start / inner % size != 0) continue;
    float best = values[start];
    for (std::size_t i = 1; i < size; ++i) best = std::max(best, values[start + i * inner]);
    float sum = 0;
    for (std::size_t i = 0; i < size; ++i)
      sum += result[start + i * inner] = std::exp(values[start + i * inner] - best);
    for (std::size_t i = 0; i < size; ++i) result[start + i * inner] /= sum;
  }
  return result;
}

}  // namespace espalier::cpu
