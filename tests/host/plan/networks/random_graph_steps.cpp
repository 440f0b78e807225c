// Arithmetic, joins and changes of shape.
#include <algorithm>
#include <set>

#include "random_graph.hpp"

namespace espalier::test {
namespace {

constexpr std::int64_t MostInputs = 3000;  // of a product or a join

}  // namespace

bool RandomGraph::add_two() {
  const Tensor a = *any(), b = partner(a);
  const std::string result = fresh("sum");
  add("Add", {a.name, b.name}, result);
  keep(result, a.shape);
  return true;
}

bool RandomGraph::subtract_two() {
  const Tensor a = *any(), b = partner(a);
  const std::string result = fresh("difference");
  add("Sub", {a.name, b.name}, result);
  keep(result, a.shape);
  return true;
}

bool RandomGraph::multiply_two() {
  const Tensor a = *any(), b = partner(a);
  const std::string result = fresh("times");
  add("Mul", {a.name, b.name}, result);
  keep(result, a.shape);
  return true;
}

/// By values that stay away from zero.
bool RandomGraph::divide_by_activation() {
  const Tensor a = *any(), b = partner(a);
  if (opset_ < 11) return false;
  const std::string result = fresh("ratio");
  add("Clip", {b.name, b_.scalar(result + ".low", 0.5F), b_.scalar(result + ".high", 3.0F)}, result + ".by");
  add("Div", {random_.chance(0.3) ? b_.scalar(result + ".one", 1.0F) : a.name, result + ".by"}, result);
  keep(result, a.shape);
  return true;
}

/// A number, or one for each channel, before or behind the activation.
bool RandomGraph::with_constant(const std::string& op) {
  const Tensor in = *any();
  const std::string result = fresh("by");
  const bool per_channel = in.shape.size() >= 2 && in.shape[0] == 1 && random_.chance(0.6);
  model::Shape shape;
  std::size_t count = 1;
  if (per_channel) {
    count = static_cast<std::size_t>(in.shape[1]);
    shape.assign(in.shape.size() - (random_.chance(0.5) ? 1 : 0), 1);
    shape[shape.size() - (in.shape.size() - 1)] = in.shape[1];
  }
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>((random_.unit() + 0.5) * (random_.chance(0.5) ? 1 : -1));
  const std::string constant = b_.floats(result + ".c", shape, values);
  const bool behind = op == "Div" || random_.chance(0.6);
  add(op, behind ? std::vector<std::string>{in.name, constant} : std::vector<std::string>{constant, in.name}, result);
  keep(result, in.shape);
  return true;
}

/// A map and one value for each of its channels, or each of its pixels.
bool RandomGraph::broadcast() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const std::string result = fresh("spread");
  add("GlobalAveragePool", {in.name}, result + ".mean");
  keep(result + ".mean", {1, in.shape[1], 1, 1});
  add("Add", {in.name, result + ".mean"}, result);
  keep(result, in.shape);
  return true;
}

bool RandomGraph::squeeze_excite() {
  const Tensor* found = any_map();
  if (found == nullptr || found->shape[1] > 64) return false;
  const Tensor in = *found;
  const std::string result = fresh("gated");
  add("GlobalAveragePool", {in.name}, result + ".mean");
  add("Conv", {result + ".mean", b_.weights(result + ".w", {in.shape[1], in.shape[1], 1, 1}, random_)},
      result + ".conv");
  std::string gate = result + ".conv";
  if (opset_ < 11) {
    add("Relu", {gate}, result + ".gate");
  } else {
    add("Clip", {gate, b_.scalar(result + ".low", 0.0F), b_.scalar(result + ".high", 1.0F)}, result + ".gate");
  }
  add("Mul", {in.name, result + ".gate"}, result);
  keep(result, in.shape);
  return true;
}

bool RandomGraph::concat() {
  const Tensor first = *any(2);
  const std::size_t axis = random_.chance(0.8) || first.shape.size() < 3 ? 1 : first.shape.size() - 1;
  std::vector<std::string> inputs{first.name};
  model::Shape shape = first.shape;
  for (int i = random_.between(0, 2); i >= 0; --i) {
    std::vector<const Tensor*> fitting;
    for (const Tensor& tensor : tensors_) {
      model::Shape like = tensor.shape;
      if (like.size() != first.shape.size()) continue;
      like[axis] = first.shape[axis];
      if (like == first.shape) fitting.push_back(&tensor);
    }
    const Tensor& other = *fitting[index(fitting.size())];
    inputs.push_back(other.name);
    shape[axis] += other.shape[axis];
  }
  if (elements(shape) > MostInputs) return false;
  const std::string result = fresh("joined");
  set(add("Concat", inputs, result), "axis",
      static_cast<std::int64_t>(axis) - (random_.chance(0.2) ? static_cast<std::int64_t>(shape.size()) : 0));
  keep(result, shape);
  return true;
}

bool RandomGraph::unary(const std::string& op) {
  const Tensor in = *any();
  const std::string result = fresh("same");
  add(op, {in.name}, result);
  keep(result, in.shape);
  return true;
}

bool RandomGraph::float_unary() {
  const std::vector<std::string>& names = accepted_unary();
  if (names.empty()) return false;
  const std::string* chosen = &names[index(names.size())];
  for (const std::string& name : names)
    if (counts_[name] < counts_[*chosen]) chosen = &name;
  // This step is as rare as the rarest of them.
  counts_["(unary)"] = counts_[*chosen];
  if (opset_ < 14) return false;
  static const std::set<std::string> Bounded{"Cos", "Exp", "Sin"};
  return Bounded.contains(*chosen) ? bounded_unary(*chosen) : unary(*chosen);
}

/// What float32 rounds of a large argument is a large error of the result, whichever order sums are taken in: angles of
/// thousands are any angle.
bool RandomGraph::bounded_unary(const std::string& op) {
  const Tensor in = *any();
  const std::string result = fresh("same");
  add("Clip", {in.name, b_.scalar(result + ".low", -8.0F), b_.scalar(result + ".high", 8.0F)}, result + ".within");
  add(op, {result + ".within"}, result);
  keep(result, in.shape);
  return true;
}

bool RandomGraph::cast() {
  const Tensor in = *any();
  const std::string result = fresh("cast");
  set(add("Cast", {in.name}, result), "to", onnx::TensorProto::FLOAT);
  keep(result, in.shape);
  return true;
}

bool RandomGraph::softmax() {
  const Tensor* found = any(2);
  if (found == nullptr || opset_ < 13) return false;
  const Tensor in = *found;
  const std::string result = fresh("soft");
  set(add("Softmax", {in.name}, result), "axis", random_.chance(0.5) ? 1 : -1);
  keep(result, in.shape);
  return true;
}

bool RandomGraph::clip() {
  const Tensor in = *any();
  const std::string result = fresh("clip");
  const float low = static_cast<float>(-random_.unit()), high = static_cast<float>(random_.unit() * 6 + 0.1);
  if (opset_ < 11) {
    auto& node = add("Clip", {in.name}, result);
    set_real(node, "min", low);
    set_real(node, "max", high);
  } else {
    add("Clip", {in.name, b_.scalar(result + ".low", low), b_.scalar(result + ".high", high)}, result);
  }
  keep(result, in.shape);
  return true;
}

bool RandomGraph::pad() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const std::string result = fresh("pad");
  std::vector<std::int64_t> pads(8, 0);
  model::Shape shape = in.shape;
  for (const std::size_t i : {2U, 3U, 6U, 7U}) {
    pads[i] = random_.between(0, 2);
    shape[i % 4] += pads[i];
  }
  if (elements(shape) > MostInputs) return false;
  if (opset_ < 11) {
    set(add("Pad", {in.name}, result), "pads", pads);
  } else {
    add("Pad", {in.name, shape_constant(pads)}, result);
  }
  keep(result, shape);
  return true;
}

bool RandomGraph::flatten() {
  const Tensor in = *any();
  const std::string result = fresh("flat");
  set(add("Flatten", {in.name}, result), "axis", 1);
  keep(result, {in.shape[0], elements(in.shape) / in.shape[0]});
  return true;
}

/// To one axis less, with a free size, or to another map of as many elements.
bool RandomGraph::reshape() {
  const Tensor in = *any();
  const std::string result = fresh("reshaped");
  model::Shape shape{1, elements(in.shape)};
  std::vector<std::int64_t> wanted{1, -1};
  if (in.shape.size() == 4 && random_.chance(0.4)) {
    shape = {1, in.shape[1] * in.shape[2], 1, in.shape[3]};
    wanted = {0, -1, 1, in.shape[3]};
  } else if (in.shape.size() == 4 && random_.chance(0.3)) {
    shape = wanted = {1, in.shape[1], in.shape[2] * in.shape[3]};
  }
  add("Reshape", {in.name, shape_constant(wanted)}, result);
  keep(result, shape);
  return true;
}

/// The batch size out of Shape by Gather, joined with a free size, as exporters flatten.
bool RandomGraph::reshape_by_shape() {
  const Tensor* found = any_map();
  if (found == nullptr) return false;
  const Tensor in = *found;
  const std::string result = fresh("view");
  add("Shape", {in.name}, result + ".shape");
  const std::string zero = b_.constant(result + ".zero", {{}, std::vector<std::int64_t>{0}});
  add("Gather", {result + ".shape", zero}, result + ".batch");
  if (opset_ < 13) {
    set(add("Unsqueeze", {result + ".batch"}, result + ".list"), "axes", std::vector<std::int64_t>{0});
  } else {
    add("Unsqueeze", {result + ".batch", b_.constant(result + ".axis", {{1}, std::vector<std::int64_t>{0}})},
        result + ".list");
  }
  const std::string rest = b_.constant(result + ".rest", {{1}, std::vector<std::int64_t>{-1}});
  set(add("Concat", {result + ".list", rest}, result + ".to"), "axis", 0);
  add("Reshape", {in.name, result + ".to"}, result);
  keep(result, {1, elements(in.shape)});
  return true;
}

bool RandomGraph::squeeze() {
  std::vector<const Tensor*> found;
  for (const Tensor& tensor : tensors_)
    if (tensor.shape.size() > 2 && tensor.shape.back() == 1) found.push_back(&tensor);
  if (found.empty()) return global_average_pool();  // makes one for the next time
  const Tensor in = *found[index(found.size())];
  const std::string result = fresh("squeezed");
  const std::vector<std::int64_t> axes{static_cast<std::int64_t>(in.shape.size()) - 1};
  if (opset_ < 13) {
    set(add("Squeeze", {in.name}, result), "axes", axes);
  } else {
    add("Squeeze", {in.name, shape_constant(axes)}, result);
  }
  keep(result, {in.shape.begin(), in.shape.end() - 1});
  return true;
}

bool RandomGraph::unsqueeze() {
  const Tensor in = *any();
  if (in.shape.size() > 3) return false;
  const std::string result = fresh("wider");
  const std::vector<std::int64_t> axes{static_cast<std::int64_t>(in.shape.size())};
  if (opset_ < 13) {
    set(add("Unsqueeze", {in.name}, result), "axes", axes);
  } else {
    add("Unsqueeze", {in.name, shape_constant(axes)}, result);
  }
  model::Shape shape = in.shape;
  shape.push_back(1);
  keep(result, shape);
  return true;
}

/// To channels last and back with an operator between, or any order.
bool RandomGraph::transpose() {
  const Tensor* found = any(2);
  if (found == nullptr) return false;
  const Tensor in = *found;
  const std::string result = fresh("turned");
  if (in.shape.size() == 4 && random_.chance(0.5)) {
    set(add("Transpose", {in.name}, result + ".last"), "perm", std::vector<std::int64_t>{0, 2, 3, 1});
    add("Relu", {result + ".last"}, result + ".relu");
    set(add("Transpose", {result + ".relu"}, result), "perm", std::vector<std::int64_t>{0, 3, 1, 2});
    keep(result, in.shape);
    return true;
  }
  std::vector<std::int64_t> order;
  for (std::size_t i = 1; i < in.shape.size(); ++i) order.push_back(static_cast<std::int64_t>(i));
  std::shuffle(order.begin(), order.end(), random_.engine());
  order.insert(order.begin(), 0);
  set(add("Transpose", {in.name}, result), "perm", order);
  model::Shape shape;
  for (const std::int64_t axis : order) shape.push_back(in.shape[static_cast<std::size_t>(axis)]);
  keep(result, shape);
  return true;
}

}  // namespace espalier::test
