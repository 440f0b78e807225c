// Conv, ConvTranspose, Gemm and MatMul, with the nodes behind them that they compute in the same pass.
#include <algorithm>
#include <cmath>
#include <string_view>

#include "cpu/onednn/builder.hpp"

namespace espalier::cpu::onednn {
namespace {

using dnnl::prop_kind;

/// Of a constant that has one number per channel of a result of `axes` axes: [c], [c, 1, 1], [1, c, 1, 1], or one
/// number for all. Empty if it is not such a constant.
std::vector<float> per_channel(const std::vector<float>& values, const model::Shape& shape, std::size_t channels,
                               std::size_t axes) {
  if (values.size() == 1) return std::vector<float>(channels, values[0]);
  if (values.size() != channels || shape.size() > axes) return {};
  const std::size_t channel_axis = axes == 2 ? 1 : axes - 3 >= 1 ? 1 : 0;
  const std::size_t missing = axes - shape.size();
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 1 && i + missing != channel_axis) return {};
  }
  return values;
}

Dims with_groups(const Dims& weights, std::int64_t groups) {
  Dims dims = weights;
  dims[0] /= groups;
  dims.insert(dims.begin(), groups);
  return dims;
}

Dims dims_of_pair(const std::array<std::int64_t, 2>& pair) { return {pair[0], pair[1]}; }

/// oneDNN counts the elements that are left out between taps.
Dims dilations_of(const model::Window& window) { return {window.dilation[0] - 1, window.dilation[1] - 1}; }

/// oneDNN's convolution by matrix products adds one value of another map to all pixels of a channel if the channels
/// come last.
bool is_gemm(const dnnl::convolution_forward::primitive_desc& primitive) {
  return std::string_view(primitive.impl_info_str()).find("gemm") != std::string_view::npos;
}

}  // namespace

bool Builder::fuse_channels(const model::Node& node, int from, Fused& fused, std::size_t per_channel_weights) const {
  const std::size_t channels = fused.bias.size();
  std::vector<float> factor(channels, 1.0F), sum(channels, 0.0F);
  if (node.op == "BatchNormalization") {
    const auto scale = floats(node.inputs[1]), shift = floats(node.inputs[2]), mean = floats(node.inputs[3]),
               variance = floats(node.inputs[4]);
    for (std::size_t c = 0; c < channels; ++c) {
      factor[c] = scale[c] / std::sqrt(variance[c] + node.real("epsilon", 1e-5F));
      sum[c] = shift[c] - mean[c] * factor[c];
    }
  } else if (node.op == "Add" || node.op == "Mul") {
    const int other = node.inputs[0] == from ? node.inputs[1] : node.inputs[0];
    if (!graph_.is_constant(other)) return false;
    const auto numbers =
        per_channel(floats(other), graph_.value(other).shape, channels, graph_.value(from).shape.size());
    if (numbers.empty()) return false;
    (node.op == "Add" ? sum : factor) = numbers;
  } else {
    return false;
  }
  for (std::size_t c = 0; c < channels; ++c) {
    for (std::size_t i = 0; i < per_channel_weights; ++i) fused.weights[c * per_channel_weights + i] *= factor[c];
    fused.bias[c] = fused.bias[c] * factor[c] + sum[c];
  }
  return true;
}

Fused Builder::fuse(std::size_t position, std::vector<float> weights, std::vector<float> bias,
                    std::size_t per_channel_weights, bool may_add) {
  Fused fused{std::move(weights), std::move(bias), {}, {}, graph_.nodes[position].outputs[0]};
  dnnl::post_ops operations;
  for (auto next = only_reader(fused.result); next; next = only_reader(fused.result)) {
    const model::Node& node = graph_.nodes[*next];
    const bool linear = operations.len() == 0;
    if (linear && per_channel_weights > 0 && fuse_channels(node, fused.result, fused, per_channel_weights)) {
    } else if (linear && node.op == "Add" && !fused.added && may_add) {
      const int other = node.inputs[0] == fused.result ? node.inputs[1] : node.inputs[0];
      const bool made = !graph_.is_constant(other) && values_[static_cast<std::size_t>(other)].has_value();
      if (!made || graph_.value(other).shape != graph_.value(fused.result).shape) break;
      fused.added = other;
      operations.append_binary(dnnl::algorithm::binary_add, channels_last(shape(other)));
    } else if (!append_activation(node, operations)) {
      break;
    }
    done_[*next] = 1;
    fused.result = node.outputs[0];
  }
  fused.attributes.set_post_ops(operations);
  return fused;
}

void Builder::convolution(std::size_t position) {
  const model::Node& node = graph_.nodes[position];
  const Dims in = shape(node.inputs[0]), out = shape(node.outputs[0]), kernel = shape(node.inputs[1]);
  if (!graph_.is_constant(node.inputs[1])) refuse(node, "the weights are not constant", "");
  if (in.size() != 4) refuse(node, "only maps of two directions", std::to_string(in.size()) + " axes");
  model::Window window = model::read_window(node, {in[2], in[3]}, {kernel[2], kernel[3]});
  int source = node.inputs[0];
  if (deferred_pad_[static_cast<std::size_t>(source)]) {
    const model::Node& pad = graph_.nodes[static_cast<std::size_t>(graph_.producer(source))];
    const auto pads = pad.integers("pads", {});
    source = pad.inputs[0];
    for (std::size_t axis : {0U, 1U}) {
      window.before[axis] += pads[axis + 2];
      window.after[axis] += pads[axis + 6];
    }
  }
  const std::int64_t groups = node.integer("group", 1);
  const auto channels = static_cast<std::size_t>(out[1]);
  const std::vector<float> weights = floats(node.inputs[1]);
  const std::vector<float> bias = node.has_input(2) ? floats(node.inputs[2]) : std::vector<float>(channels);
  const std::vector<char> done = done_;
  Fused fused = fuse(position, weights, bias, weights.size() / channels);

  const Dims weight_dims = groups > 1 ? with_groups(kernel, groups) : kernel;
  const Desc bias_desc = row_major({out[1]});
  const Desc to = channels_last(out);
  const dnnl::convolution_forward::desc desc(prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                             channels_last(shape(source)), any_layout(weight_dims), bias_desc, to,
                                             dims_of_pair(window.stride), dilations_of(window),
                                             dims_of_pair(window.before), dims_of_pair(window.after));
  dnnl::convolution_forward::primitive_desc primitive(desc, fused.attributes, program_.engine());
  if (fused.added && is_gemm(primitive)) {
    done_ = done;
    fused = fuse(position, weights, bias, weights.size() / channels, false);
    primitive = {desc, fused.attributes, program_.engine()};
  }
  const Operand result = program_.temporary(to);
  std::map<int, Operand> arguments{{DNNL_ARG_SRC, maps(source)},
                                   {DNNL_ARG_WEIGHTS, program_.constant(primitive.weights_desc(), fused.weights)},
                                   {DNNL_ARG_BIAS, program_.constant(bias_desc, fused.bias)},
                                   {DNNL_ARG_DST, result}};
  if (fused.added) arguments[DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1] = maps(*fused.added);
  program_.add(dnnl::convolution_forward(primitive), arguments);
  set(fused.result, result);
}

void Builder::transposed_convolution(std::size_t position) {
  const model::Node& node = graph_.nodes[position];
  const Dims in = shape(node.inputs[0]), out = shape(node.outputs[0]), kernel = shape(node.inputs[1]);
  if (!graph_.is_constant(node.inputs[1])) refuse(node, "the weights are not constant", "");
  if (in.size() != 4) refuse(node, "only maps of two directions", std::to_string(in.size()) + " axes");
  if (node.integer("group", 1) != 1) refuse(node, "groups", std::to_string(node.integer("group", 1)));
  const auto strides = node.integers("strides", {1, 1}), dilations = node.integers("dilations", {1, 1});
  const auto pads = node.integers("pads", {0, 0, 0, 0});
  if (node.text("auto_pad", "NOTSET") != "NOTSET" || node.attributes.contains("output_shape"))
    refuse(node, "only explicit padding", node.text("auto_pad", "output_shape"));
  Dims before(2), after(2);
  for (std::size_t axis = 0; axis < 2; ++axis) {
    const std::int64_t full = (in[axis + 2] - 1) * strides[axis] + (kernel[axis + 2] - 1) * dilations[axis] + 1;
    before[axis] = pads[axis];
    after[axis] = full - before[axis] - out[axis + 2];
  }
  const auto channels = static_cast<std::size_t>(out[1]);
  const auto inputs = static_cast<std::size_t>(in[1]);
  const std::vector<float> stored = floats(node.inputs[1]);  // input channel, output channel, kernel
  const std::size_t taps = stored.size() / channels / inputs;
  std::vector<float> weights(stored.size());
  for (std::size_t i = 0; i < inputs; ++i)
    for (std::size_t o = 0; o < channels; ++o)
      std::copy_n(&stored[(i * channels + o) * taps], taps, &weights[(o * inputs + i) * taps]);
  // Kernels that do not overlap are a convolution of one tap, whose results only change their place.
  const bool apart = strides[0] == kernel[2] && strides[1] == kernel[3] && dilations[0] * dilations[1] == 1 &&
                     out[2] == in[2] * strides[0] && out[3] == in[3] * strides[1] && before[0] == 0 && before[1] == 0;
  Fused fused = fuse(position, std::move(weights),
                     node.has_input(2) ? floats(node.inputs[2]) : std::vector<float>(channels), inputs * taps, !apart);
  if (apart) return scattered(node, std::move(fused));

  const Desc bias_desc = row_major({out[1]}), to = channels_last(out);
  const dnnl::deconvolution_forward::desc desc(prop_kind::forward_inference, dnnl::algorithm::deconvolution_direct,
                                               channels_last(in), any_layout({out[1], in[1], kernel[2], kernel[3]}),
                                               bias_desc, to, {strides[0], strides[1]},
                                               {dilations[0] - 1, dilations[1] - 1}, before, after);
  const dnnl::deconvolution_forward::primitive_desc primitive(desc, fused.attributes, program_.engine());
  const Operand result = program_.temporary(to);
  std::map<int, Operand> arguments{{DNNL_ARG_SRC, maps(node.inputs[0])},
                                   {DNNL_ARG_WEIGHTS, program_.constant(primitive.weights_desc(), fused.weights)},
                                   {DNNL_ARG_BIAS, program_.constant(bias_desc, fused.bias)},
                                   {DNNL_ARG_DST, result}};
  if (fused.added) arguments[DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1] = maps(*fused.added);
  program_.add(dnnl::deconvolution_forward(primitive), arguments);
  set(fused.result, result);
}

void Builder::scattered(const model::Node& node, Fused fused) {
  const Dims in = shape(node.inputs[0]), out = shape(node.outputs[0]), kernel = shape(node.inputs[1]);
  const std::int64_t taps = kernel[2] * kernel[3], block = kernel[3] * out[1];
  const auto inputs = static_cast<std::size_t>(in[1]), outputs = static_cast<std::size_t>(out[1]);
  std::vector<float> weights(fused.weights.size()), bias;  // by tap, then output channel
  for (std::size_t tap = 0; tap < static_cast<std::size_t>(taps); ++tap) {
    for (std::size_t o = 0; o < outputs; ++o)
      for (std::size_t i = 0; i < inputs; ++i)
        weights[(tap * outputs + o) * inputs + i] =
            fused.weights[(o * inputs + i) * static_cast<std::size_t>(taps) + tap];
    bias.insert(bias.end(), fused.bias.begin(), fused.bias.end());
  }
  const Dims points{in[0], out[1] * taps, in[2], in[3]};
  const Desc bias_desc = row_major({points[1]}), to = channels_last(points);
  const dnnl::convolution_forward::desc desc(prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
                                             channels_last(in), any_layout({points[1], in[1], 1, 1}), bias_desc, to,
                                             {1, 1}, {0, 0}, {0, 0});
  const dnnl::convolution_forward::primitive_desc primitive(desc, fused.attributes, program_.engine());
  const Operand computed = program_.temporary(to), result = program_.temporary(channels_last(out));
  program_.add(dnnl::convolution_forward(primitive),
               {{DNNL_ARG_SRC, maps(node.inputs[0])},
                {DNNL_ARG_WEIGHTS, program_.constant(primitive.weights_desc(), weights)},
                {DNNL_ARG_BIAS, program_.constant(bias_desc, bias)},
                {DNNL_ARG_DST, computed}});
  // [row][pixel][tap row][block] to [row][tap row][pixel][block].
  const std::int64_t rows = in[0] * in[2], width = in[3], high = kernel[2];
  program_.add(
      [=](std::span<float* const> data) {
        const float* source = data[0];
        for (std::int64_t row = 0; row < rows; ++row)
          for (std::int64_t pixel = 0; pixel < width; ++pixel)
            for (std::int64_t tap = 0; tap < high; ++tap, source += block)
              std::copy_n(source, block, data[1] + ((row * high + tap) * width + pixel) * block);
      },
      {computed, result});
  set(fused.result, result);
}

void Builder::product(std::size_t position) {
  const model::Node& node = graph_.nodes[position];
  const Dims in = shape(node.inputs[0]), out = shape(node.outputs[0]), stored_dims = shape(node.inputs[1]);
  if (!graph_.is_constant(node.inputs[1])) refuse(node, "the right matrix is not constant", "");
  if (in.size() != 2 || stored_dims.size() != 2) refuse(node, "only matrices", std::to_string(in.size()) + " axes");
  const bool gemm = node.op == "Gemm";
  const float alpha = gemm ? node.real("alpha", 1) : 1, beta = gemm ? node.real("beta", 1) : 1;
  if (gemm && node.integer("transA", 0) != 0) refuse(node, "the left matrix is transposed", "transA");
  const bool transposed = gemm && node.integer("transB", 0) != 0;
  const auto outputs = static_cast<std::size_t>(out[1]), inputs = static_cast<std::size_t>(in[1]);
  const std::vector<float> stored = floats(node.inputs[1]);
  std::vector<float> weights(stored.size()), bias(outputs);
  for (std::size_t o = 0; o < outputs; ++o)
    for (std::size_t i = 0; i < inputs; ++i)
      weights[o * inputs + i] = alpha * stored[transposed ? o * inputs + i : i * outputs + o];
  if (gemm && node.has_input(2)) {
    if (!graph_.is_constant(node.inputs[2])) refuse(node, "the sum is not constant", "");
    bias = per_channel(floats(node.inputs[2]), graph_.value(node.inputs[2]).shape, outputs, 2);
    if (bias.empty()) refuse(node, "the sum differs from row to row", "");
    for (float& number : bias) number *= beta;
  }
  const Fused fused = fuse(position, std::move(weights), std::move(bias), inputs);
  const Desc bias_desc = row_major({out[1]}), to = row_major(out);
  const dnnl::inner_product_forward::desc desc(prop_kind::forward_inference, row_major(in), any_layout({out[1], in[1]}),
                                               bias_desc, to);
  const dnnl::inner_product_forward::primitive_desc primitive(desc, fused.attributes, program_.engine());
  const Operand result = program_.temporary(to);
  std::map<int, Operand> arguments{{DNNL_ARG_SRC, rows(node.inputs[0])},
                                   {DNNL_ARG_WEIGHTS, program_.constant(primitive.weights_desc(), fused.weights)},
                                   {DNNL_ARG_BIAS, program_.constant(bias_desc, fused.bias)},
                                   {DNNL_ARG_DST, result}};
  if (fused.added) arguments[DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1] = rows(*fused.added);
  program_.add(dnnl::inner_product_forward(primitive), arguments);
  set(fused.result, result);
}

}  // namespace espalier::cpu::onednn
