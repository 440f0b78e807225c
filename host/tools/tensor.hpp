// A tensor as a user's file holds it: any of the plain element types, widened to double, C order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace espalier::tools {

/// Element type of the file. Values of all of them are held as double (int64 beyond 2^53 is refused by the readers).
enum class ElementType { Float32, Float64, Int8, UInt8, Int32, Int64 };

/// The name in reports, e.g. "float32".
const char* to_string(ElementType type);

/// Bytes of one element.
std::size_t element_bytes(ElementType type);

struct Tensor {
  std::string name;  // of the file's tensor, or the file name
  ElementType type = ElementType::Float32;
  bool image = false;  // pixels 0..255 that came from an image file or IDX and still have to be scaled
  std::vector<std::int64_t> shape;
  std::vector<double> values;
};

/// "1x3x224x224".
std::string shape_text(const std::vector<std::int64_t>& shape);

/// Product of the dimensions. Throws Error (Input) naming `where` for negative dimensions or more than `MaxElements`.
std::size_t element_count(const std::vector<std::int64_t>& shape, const std::string& where);

/// Upper limit of elements that any reader accepts.
inline constexpr std::size_t MaxElements = std::size_t{1} << 28;

}  // namespace espalier::tools
