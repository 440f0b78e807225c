// Pools and resizing of maps.
#include <algorithm>

#include "cpu/onednn/builder.hpp"

namespace espalier::cpu::onednn {

using dnnl::algorithm;

Call repetition(const Dims& in, const Dims& out, std::int64_t pitch) {
  const std::int64_t channels = in[1], high = out[2] / in[2], wide = out[3] / in[3];
  return [=](std::span<float* const> data) {
    const float* source = data[0];
    const std::int64_t line = out[3] * pitch;
    for (std::int64_t row = 0; row < in[0] * in[2]; ++row) {
      float* const first = data[1] + row * high * line;
      float* target = first;
      for (std::int64_t pixel = 0; pixel < in[3]; ++pixel, source += channels)
        for (std::int64_t i = 0; i < wide; ++i, target += pitch) std::copy_n(source, channels, target);
      for (std::int64_t again = 1; again < high; ++again)
        for (std::int64_t pixel = 0; pixel < out[3]; ++pixel)
          std::copy_n(first + pixel * pitch, channels, first + again * line + pixel * pitch);
    }
  };
}

void Builder::pool(const model::Node& node) {
  const Dims in = shape(node.inputs[0]), out = shape(node.outputs[0]);
  if (in.size() != 4) refuse(node, "only maps of two directions", std::to_string(in.size()) + " axes");
  if (node.outputs.size() > 1) refuse(node, "indices are asked for", "output 2");
  const model::Window window = model::read_window(node, {in[2], in[3]}, {1, 1});
  const algorithm kind = node.op == "MaxPool"                        ? algorithm::pooling_max
                         : node.integer("count_include_pad", 0) != 0 ? algorithm::pooling_avg_include_padding
                                                                     : algorithm::pooling_avg_exclude_padding;
  Dims after(2);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    after[axis] = (out[axis + 2] - 1) * window.stride[axis] + window.extent(axis) - in[axis + 2] - window.before[axis];
    after[axis] = std::max<std::int64_t>(after[axis], 0);
  }
  const dnnl::pooling_v2_forward::desc desc(
      dnnl::prop_kind::forward_inference, kind, channels_last(in), channels_last(out),
      {window.stride[0], window.stride[1]}, {window.kernel[0], window.kernel[1]},
      {window.dilation[0] - 1, window.dilation[1] - 1}, {window.before[0], window.before[1]}, after);
  const Operand result = program_.temporary(channels_last(out));
  program_.add(dnnl::pooling_v2_forward({desc, program_.engine()}),
               {{DNNL_ARG_SRC, maps(node.inputs[0])}, {DNNL_ARG_DST, result}});
  set(node.outputs[0], result);
}

void Builder::global_pool(const model::Node& node) {
  const Dims in = shape(node.inputs[0]);
  if (in.size() != 4) refuse(node, "only maps of two directions", std::to_string(in.size()) + " axes");
  if (node.op == "ReduceMean") {
    auto axes = node.integers("axes", {});
    for (std::int64_t& axis : axes) axis = axis < 0 ? axis + 4 : axis;
    std::sort(axes.begin(), axes.end());
    if (axes != std::vector<std::int64_t>{2, 3}) refuse(node, "only means of whole maps", "axes");
  }
  const Dims out{in[0], in[1], 1, 1};
  const algorithm kind = node.op == "GlobalMaxPool" ? algorithm::pooling_max : algorithm::pooling_avg_exclude_padding;
  const dnnl::pooling_v2_forward::desc desc(dnnl::prop_kind::forward_inference, kind, channels_last(in),
                                            channels_last(out), {1, 1}, {in[2], in[3]}, {0, 0}, {0, 0}, {0, 0});
  const Operand result = program_.temporary(channels_last(out));
  program_.add(dnnl::pooling_v2_forward({desc, program_.engine()}),
               {{DNNL_ARG_SRC, maps(node.inputs[0])}, {DNNL_ARG_DST, result}});
  set(node.outputs[0], program_.view(result, row_major(shape(node.outputs[0]))));
}

bool Builder::is_repetition(const model::Node& node) const {
  if (node.op != "Resize" && node.op != "Upsample") return false;
  const Dims in = shape(node.inputs[0]), out = shape(node.outputs[0]);
  if (in.size() != 4 || in[0] != out[0] || in[1] != out[1] || out[2] % in[2] != 0 || out[3] % in[3] != 0) return false;
  const std::string positions = node.text("coordinate_transformation_mode",
                                          node.op == "Upsample" || graph_.opset < 11 ? "asymmetric" : "half_pixel");
  const std::string rounding =
      node.text("nearest_mode", node.op == "Upsample" || graph_.opset < 11 ? "floor" : "round_prefer_floor");
  // Whole factors: the corner of a pixel, or its middle, lies in the pixel that is repeated.
  const bool corner = positions == "asymmetric" && rounding == "floor";
  const bool middle =
      positions == "half_pixel" && (rounding == "round_prefer_floor" || rounding == "round_prefer_ceil");
  return node.text("mode", "nearest") == "nearest" && (corner || middle);
}

void Builder::resize(std::size_t position) {
  const model::Node& node = graph_.nodes[position];
  if (is_repetition(node)) {
    const auto reader = only_reader(node.outputs[0]);
    if (reader && graph_.nodes[*reader].op == "Concat" && graph_.nodes[*reader].integer("axis", 1) == 1) {
      deferred_repetition_[static_cast<std::size_t>(node.outputs[0])] = 1;
      return;
    }
    const Operand source = maps(node.inputs[0]), result = program_.temporary(channels_last(shape(node.outputs[0])));
    program_.add(repetition(shape(node.inputs[0]), shape(node.outputs[0]), shape(node.outputs[0])[1]),
                 {source, result});
    return set(node.outputs[0], result);
  }
  const Dims in = shape(node.inputs[0]), out = shape(node.outputs[0]);
  if (in.size() != 4 || in[0] != out[0] || in[1] != out[1])
    refuse(node, "only maps are resized", model::to_string(graph_.value(node.outputs[0]).shape));
  const std::string mode = node.text("mode", "nearest");
  const std::string positions = node.text("coordinate_transformation_mode",
                                          node.op == "Upsample" || graph_.opset < 11 ? "asymmetric" : "half_pixel");
  // Scales that are no ratio of sizes place the pixels elsewhere; sizes, or whole factors, do not.
  const bool exact = (out[2] % in[2] == 0 && out[3] % in[3] == 0) || (graph_.opset >= 11 && node.has_input(3));
  const bool linear = mode == "linear" && (positions == "half_pixel" || positions == "pytorch_half_pixel") &&
                      out[2] > 1 && out[3] > 1 && exact;
  if (!linear) refuse(node, "this way of resizing", mode + ", " + positions);
  const dnnl::resampling_forward::desc desc(dnnl::prop_kind::forward_inference, algorithm::resampling_linear,
                                            channels_last(in), channels_last(out));
  const Operand result = program_.temporary(channels_last(out));
  program_.add(dnnl::resampling_forward({desc, program_.engine()}),
               {{DNNL_ARG_SRC, maps(node.inputs[0])}, {DNNL_ARG_DST, result}});
  set(node.outputs[0], result);
}

}  // namespace espalier::cpu::onednn
