#include "cpu/onednn/integer_convolution.hpp"

#include <algorithm>

namespace espalier::cpu::onednn {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;
using Type = memory::data_type;

memory::dims dims_of(const model::Feature& feature) { return {1, feature.channels, feature.height, feature.width}; }

memory::dims weight_dims(const model::Layer& layer, const model::Feature& in, const model::Feature& out) {
  memory::dims dims{out.channels / layer.groups, in.channels / layer.groups, layer.kernel_h, layer.kernel_w};
  if (layer.groups > 1) dims.insert(dims.begin(), layer.groups);
  return dims;
}

}  // namespace

IntegerConvolution::IntegerConvolution(const model::Layer& layer, const model::Feature& in, const model::Feature& out,
                                       const dnnl::engine& engine, dnnl::stream& stream) {
  const memory::desc source(dims_of(in), Type::u8, Tag::nhwc), sums(dims_of(out), Type::s32, Tag::nhwc);
  const memory::desc bias({out.channels}, Type::s32, Tag::x);
  const memory::dims shape = weight_dims(layer, in, out);
  dnnl::primitive_attr attributes;
  if (in.zero != 0) attributes.set_zero_points(DNNL_ARG_SRC, 0, {in.zero});
  const auto windows = [](int size, int before, int kernel, int dilation, int stride, int outputs) {
    return std::max(0, (outputs - 1) * stride + (kernel - 1) * dilation + 1 - size - before);
  };
  const dnnl::convolution_forward::desc desc(
      dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, source,
      memory::desc(shape, Type::s8, Tag::any), bias, sums, {layer.stride_h, layer.stride_w},
      {layer.dilation_h - 1, layer.dilation_w - 1}, {layer.pad_top, layer.pad_left},
      {windows(in.height, layer.pad_top, layer.kernel_h, layer.dilation_h, layer.stride_h, out.height),
       windows(in.width, layer.pad_left, layer.kernel_w, layer.dilation_w, layer.stride_w, out.width)});
  const dnnl::convolution_forward::primitive_desc chosen(desc, attributes, engine);
  primitive_ = dnnl::convolution_forward(chosen);
  source_ = memory(source, engine, DNNL_MEMORY_NONE);
  sums_ = memory(sums, engine, DNNL_MEMORY_NONE);
  bias_ = memory(bias, engine);
  std::copy(layer.bias.begin(), layer.bias.end(), static_cast<std::int32_t*>(bias_.get_data_handle()));
  memory given(memory::desc(shape, Type::s8, layer.groups > 1 ? Tag::goihw : Tag::oihw), engine);
  std::copy(layer.weights.begin(), layer.weights.end(), static_cast<std::int8_t*>(given.get_data_handle()));
  weights_ = memory(chosen.weights_desc(), engine);
  dnnl::reorder(given, weights_).execute(stream, given, weights_);
  stream.wait();
}

void IntegerConvolution::run(const std::uint8_t* source, std::int32_t* sums, dnnl::stream& stream) {
  source_.set_data_handle(const_cast<std::uint8_t*>(source));  // it is only read
  sums_.set_data_handle(sums);
  primitive_.execute(
      stream, {{DNNL_ARG_SRC, source_}, {DNNL_ARG_WEIGHTS, weights_}, {DNNL_ARG_BIAS, bias_}, {DNNL_ARG_DST, sums_}});
}

}  // namespace espalier::cpu::onednn
