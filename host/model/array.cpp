#include "model/array.hpp"

#include <type_traits>

#include "esp_error.hpp"

namespace espalier::model {

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
  }
  return "unknown";
}

std::string to_string(const Shape& shape) {
  std::string text = "[";
  for (const std::int64_t size : shape) {
    if (text.size() > 1) text.append(", ");
    text.append(std::to_string(size));
  }
  return text.append("]");
}

std::int64_t count_elements(const Shape& shape, const std::string& where) {
  std::int64_t count = 1;
  bool empty = false;
  for (const std::int64_t size : shape) {
    if (size < 0)
      throw Error(ErrorCode::Model, "a size is negative", where, to_string(shape), "export the model again");
    if (size == 0) {
      empty = true;
      continue;
    }
    if (size > MaxElements / count)
      throw Error(ErrorCode::Model, "the tensor is too large", where, to_string(shape),
                  "tensors may have " + std::to_string(MaxElements) + " elements");
    count *= size;
  }
  return empty ? 0 : count;
}

std::size_t Array::size() const {
  return std::visit([](const auto& v) { return v.size(); }, values);
}

std::vector<float> Array::as_floats() const {
  return std::visit(
      [](const auto& v) {
        std::vector<float> result;
        result.reserve(v.size());
        for (const auto value : v) result.push_back(static_cast<float>(value));
        return result;
      },
      values);
}

std::vector<std::int64_t> Array::as_integers() const {
  return std::visit(
      [](const auto& v) {
        using Element = typename std::decay_t<decltype(v)>::value_type;
        if constexpr (std::is_same_v<Element, float>) {
          throw Error(ErrorCode::Model, "integers are expected", "constant tensor", "float32",
                      "export the model again");
          return std::vector<std::int64_t>{};
        } else {
          return std::vector<std::int64_t>(v.begin(), v.end());
        }
      },
      values);
}

}  // namespace espalier::model
