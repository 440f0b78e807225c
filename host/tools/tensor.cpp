#include "tensor.hpp"

#include "esp_error.hpp"

namespace espalier::tools {

const char* to_string(ElementType type) {
  switch (type) {
    case ElementType::Float32:
      return "float32";
    case ElementType::Float64:
      return "float64";
    case ElementType::Int8:
      return "int8";
    case ElementType::UInt8:
      return "uint8";
    case ElementType::Int32:
      return "int32";
    case ElementType::Int64:
      return "int64";
  }
  return "unknown";
}

std::size_t element_bytes(ElementType type) {
  switch (type) {
    case ElementType::Float32:
    case ElementType::Int32:
      return 4;
    case ElementType::Float64:
    case ElementType::Int64:
      return 8;
    case ElementType::Int8:
    case ElementType::UInt8:
      return 1;
  }
  return 1;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  if (shape.empty()) return "scalar";
  std::string text;
  for (const std::int64_t dimension : shape) {
    if (!text.empty()) text += 'x';
    text += std::to_string(dimension);
  }
  return text;
}

std::size_t element_count(const std::vector<std::int64_t>& shape, const std::string& where) {
  std::size_t count = 1;
  for (const std::int64_t dimension : shape) {
    if (dimension < 0)
      throw Error(ErrorCode::Input, "negative dimension", where, shape_text(shape), "give a tensor with a valid shape");
    const auto size = static_cast<std::size_t>(dimension);
    if (size != 0 && count > MaxElements / size)
      throw Error(ErrorCode::Input, "tensor is too large", where, shape_text(shape),
                  "at most " + std::to_string(MaxElements) + " elements are read");
    count *= size;
  }
  return count;
}

}  // namespace espalier::tools
