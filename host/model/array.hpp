// A tensor as a file holds it, a model's constant or a user's input: element type, shape and values in row-major order.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "esp_error.hpp"

namespace espalier::model {

/// Sizes of a tensor's axes, outermost first; empty for a scalar.
using Shape = std::vector<std::int64_t>;

/// The element types that files may have, in the order of Array::values; Bool is stored as char. Graphs hold no Double:
/// the importer turns it into Float.
enum class ElementType { Float, Int8, UInt8, Int32, Int64, Bool, Double };

/// The name in reports, e.g. "float32".
const char* to_string(ElementType type);
/// "1x3x224x224", or "scalar".
std::string to_string(const Shape& shape);
/// Bytes of one element.
std::size_t element_bytes(ElementType type);

/// No tensor may have more elements than this, so that sizes never overflow and memory is bounded.
inline constexpr std::int64_t MaxElements = std::int64_t{1} << 30;

/// The number of elements of a shape. Throws Error(code) naming `where` if a size is negative or the product exceeds
/// MaxElements.
std::int64_t count_elements(const Shape& shape, const std::string& where, ErrorCode code = ErrorCode::Model);

struct Array {
  using Values =
      std::variant<std::vector<float>, std::vector<std::int8_t>, std::vector<std::uint8_t>, std::vector<std::int32_t>,
                   std::vector<std::int64_t>, std::vector<char>, std::vector<double>>;
  Shape shape;
  Values values;

  ElementType type() const { return static_cast<ElementType>(values.index()); }
  std::size_t size() const;
  /// The values, whatever their type, as reals.
  std::vector<float> as_floats() const;
  std::vector<double> as_doubles() const;
  /// The values of an integer array. Throws Error(Model) for float arrays.
  std::vector<std::int64_t> as_integers() const;
  bool operator==(const Array&) const = default;
};

/// An array of `type` with the given values, each in the range of `type`; integers drop their fraction.
Array make_array(ElementType type, Shape shape, const std::vector<double>& values);

}  // namespace espalier::model
