#include "model/array.hpp"

#include <type_traits>
#include <utility>

namespace espalier::model {
namespace {

template <typename Result>
std::vector<Result> convert(const Array::Values& values) {
  return std::visit(
      [](const auto& v) {
        std::vector<Result> result;
        result.reserve(v.size());
        for (const auto value : v) result.push_back(static_cast<Result>(value));
        return result;
      },
      values);
}

// No values, of the alternative that `type` names.
template <std::size_t Index = 0>
Array::Values empty_values(ElementType type) {
  if constexpr (Index + 1 < std::variant_size_v<Array::Values>)
    if (static_cast<std::size_t>(type) != Index) return empty_values<Index + 1>(type);
  return Array::Values(std::in_place_index<Index>);
}

}  // namespace

const char* to_string(ElementType type) {
  switch (type) {
    case ElementType::Float:
      return "float32";
    case ElementType::Int8:
      return "int8";
    case ElementType::UInt8:
      return "uint8";
    case ElementType::Int32:
      return "int32";
    case ElementType::Int64:
      return "int64";
    case ElementType::Bool:
      return "bool";
    case ElementType::Double:
      return "float64";
  }
  return "unknown";
}

std::string to_string(const Shape& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t size : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(size);
  }
  return text;
}

std::size_t element_bytes(ElementType type) {
  return std::visit([](const auto& v) { return sizeof(typename std::decay_t<decltype(v)>::value_type); },
                    empty_values(type));
}

std::int64_t count_elements(const Shape& shape, const std::string& where, ErrorCode code) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0) throw Error(code, "a size is negative", where, to_string(shape), "give a tensor with valid sizes");
    if (size == 0) {
      empty = true;
      continue;
    }
    if (size > MaxElements / count)
      throw Error(code, "the tensor is too large", where, to_string(shape),
                  "tensors may have " + std::to_string(MaxElements) + " elements");
    count *= size;
  }
  return empty ? 0 : count;
}

std::size_t Array::size() const {
  return std::visit([](const auto& v) { return v.size(); }, values);
}

std::vector<float> Array::as_floats() const { return convert<float>(values); }

std::vector<double> Array::as_doubles() const { return convert<double>(values); }

std::vector<std::int64_t> Array::as_integers() const {
  if (type() == ElementType::Float || type() == ElementType::Double)
    throw Error(ErrorCode::Model, "integers are expected", "constant tensor", to_string(type()),
                "export the model again");
  return convert<std::int64_t>(values);
}

Array make_array(ElementType type, Shape shape, const std::vector<double>& values) {
  Array array{std::move(shape), empty_values(type)};
  std::visit(
      [&](auto& v) {
        using Element = typename std::decay_t<decltype(v)>::value_type;
        for (const double value : values) v.push_back(static_cast<Element>(value));
      },
      array.values);
  return array;
}

}  // namespace espalier::model
