#include "cpu/onednn/layout.hpp"

#include <array>

namespace espalier::cpu::onednn {
namespace {

using Tag = dnnl::memory::format_tag;
constexpr auto Float = dnnl::memory::data_type::f32;

bool is_strided(const Desc& desc) {
  return desc.data.format_kind == dnnl_blocked && desc.data.format_desc.blocking.inner_nblks == 0;
}

}  // namespace

Desc row_major(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size() - 1; i-- > 0;) strides[i] = strides[i + 1] * dims[i + 1];
  return {dims, Float, strides};
}

Desc channels_last(const Dims& dims) {
  constexpr std::array<Tag, 3> Tags{Tag::nwc, Tag::nhwc, Tag::ndhwc};
  if (dims.size() < 3 || dims.size() > 5) return row_major(dims);
  return {dims, Float, Tags[dims.size() - 3]};
}

Desc any_layout(const Dims& dims) { return {dims, Float, Tag::any}; }

Dims dims_of(const Desc& desc) { return desc.dims(); }

Dims dims_of(const model::Shape& shape) { return shape.empty() ? Dims{1} : Dims(shape.begin(), shape.end()); }

bool same_places(const Desc& a, const Desc& b) {
  if (a.dims() != b.dims()) return false;
  if (a == b) return true;
  if (!is_strided(a) || !is_strided(b)) return false;
  for (std::size_t i = 0; i < a.dims().size(); ++i) {
    if (a.dims()[i] != 1 && a.data.format_desc.blocking.strides[i] != b.data.format_desc.blocking.strides[i])
      return false;
  }
  return true;
}

}  // namespace espalier::cpu::onednn
