#include <algorithm>

#include "random_graph.hpp"

namespace espalier::test {

std::int64_t RandomGraphBase::elements(const model::Shape& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

void RandomGraphBase::set(onnx::NodeProto& node, const std::string& key, const std::vector<std::int64_t>& values) {
  OnnxBuilder::set(node, key, {});
  auto& attribute = *node.mutable_attribute(node.attribute_size() - 1);
  for (const std::int64_t value : values) attribute.add_ints(value);
}

void RandomGraphBase::set_text(onnx::NodeProto& node, const std::string& key, const std::string& text) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(key);
  attribute.set_type(onnx::AttributeProto::STRING);
  attribute.set_s(text);
}

void RandomGraphBase::set_real(onnx::NodeProto& node, const std::string& key, float value) {
  auto& attribute = *node.add_attribute();
  attribute.set_name(key);
  attribute.set_type(onnx::AttributeProto::FLOAT);
  attribute.set_f(value);
}

onnx::NodeProto& RandomGraphBase::add(const std::string& op, const std::vector<std::string>& inputs,
                                      const std::string& result, const std::string& domain) {
  ++counts_[domain.empty() ? op : domain + "." + op];
  return b_.node(op, inputs, result, domain);
}

const RandomGraphBase::Tensor* RandomGraphBase::any(std::size_t rank) {
  std::vector<std::size_t> found;
  for (std::size_t i = 0; i < tensors_.size(); ++i)
    if (tensors_[i].shape.size() >= rank) found.push_back(i);
  if (found.empty()) return nullptr;
  const std::size_t first = random_.chance(0.7) && found.size() > 3 ? found.size() - 3 : 0;
  return &tensors_[found[first + index(found.size() - first)]];
}

const RandomGraphBase::Tensor* RandomGraphBase::any_map() {
  for (int i = 0; i < 10; ++i) {
    const Tensor* tensor = any(4);
    if (tensor == nullptr || is_map(*tensor)) return tensor;
  }
  return nullptr;
}

const RandomGraphBase::Tensor& RandomGraphBase::partner(const Tensor& like) {
  std::vector<const Tensor*> found;
  for (const Tensor& tensor : tensors_)
    if (tensor.shape == like.shape) found.push_back(&tensor);
  return *found[index(found.size())];
}

model::Shape RandomGraphBase::input_shape() {
  switch (random_.between(0, 9)) {
    case 0:
      return {1, random_.between(1, 40), 1, 1};
    case 1:
      return {1, 1, random_.between(1, 15), random_.between(1, 15)};
    case 2:
      return {1, random_.between(1, 6), 1, random_.between(2, 30)};
    case 3:
      return random_.chance(0.2) ? model::Shape{1, random_.between(1001, 1100), random_.between(1, 2), 1}
                                 : model::Shape{1, random_.between(1, 30)};
    default:
      return {1, random_.between(1, 12), random_.between(3, 14), random_.between(3, 14)};
  }
}

RandomGraphBase::Window RandomGraphBase::window(const model::Shape& map, bool pool) {
  for (int tries = 0;; ++tries) {
    Window w;
    std::int64_t out[2];
    bool fits = true;
    w.pads.assign(4, 0);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const std::int64_t size = map[axis + 2];
      const std::int64_t kernel = tries > 20 ? 1 : random_.between(1, random_.chance(0.8) ? 3 : 5);
      const std::int64_t stride = random_.chance(0.6) ? 1 : random_.between(1, 4);
      const std::int64_t dilation = pool || random_.chance(0.7) ? 1 : random_.between(1, 3);
      const std::int64_t extent = (kernel - 1) * dilation + 1;
      const int most = static_cast<int>(pool ? extent - 1 : extent + 1);
      const bool padded = tries <= 20 && random_.chance(0.6);
      w.pads[axis] = padded ? random_.between(0, most) : 0;
      w.pads[axis + 2] = padded ? (random_.chance(0.6) ? w.pads[axis] : random_.between(0, most)) : 0;
      const std::int64_t room = size + w.pads[axis] + w.pads[axis + 2] - extent;
      fits = fits && room >= 0;
      out[axis] = room < 0 ? 0 : room / stride + 1;
      if (pool) fits = fits && (out[axis] - 1) * stride < size + w.pads[axis];
      w.kernel.push_back(kernel);
      w.stride.push_back(stride);
      w.dilation.push_back(dilation);
    }
    w.out_height = out[0];
    w.out_width = out[1];
    if (fits) return w;
  }
}

void RandomGraphBase::write_window(onnx::NodeProto& node, const Window& window, bool dilated) {
  set(node, "kernel_shape", window.kernel);
  set(node, "strides", window.stride);
  set(node, "pads", window.pads);
  if (dilated) set(node, "dilations", window.dilation);
}

std::int64_t RandomGraphBase::groups(std::int64_t channels) {
  if (random_.chance(0.6)) return 1;
  if (random_.chance(0.6)) return channels;
  std::vector<std::int64_t> divisors;
  for (std::int64_t i = 1; i <= channels; ++i)
    if (channels % i == 0) divisors.push_back(i);
  return divisors[index(divisors.size())];
}

}  // namespace espalier::test
