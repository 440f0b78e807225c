// A constant tensor of a model: element type, shape and values in row-major order.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace espalier::model {

/// Sizes of a tensor's axes, outermost first; empty for a scalar.
using Shape = std::vector<std::int64_t>;

/// The element types that this importer understands, in the order of Array::values; Bool is stored as char.
enum class ElementType { Float, Int8, UInt8, Int32, Int64, Bool };

const char* to_string(ElementType type);
std::string to_string(const Shape& shape);

/// No tensor of a model may have more elements than this, so that sizes never overflow and memory is bounded.
inline constexpr std::int64_t MaxElements = std::int64_t{1} << 30;

/// The number of elements of a shape. Throws Error(Model) naming `where` if a size is negative or the product exceeds
/// MaxElements.
std::int64_t count_elements(const Shape& shape, const std::string& where);

struct Array {
  using Values = std::variant<std::vector<float>, std::vector<std::int8_t>, std::vector<std::uint8_t>,
                              std::vector<std::int32_t>, std::vector<std::int64_t>, std::vector<char>>;
  Shape shape;
  Values values;

  ElementType type() const { return static_cast<ElementType>(values.index()); }
  std::size_t size() const;
  /// The values, whatever their type, as reals.
  std::vector<float> as_floats() const;
  /// The values of an integer array. Throws Error(Model) for float arrays.
  std::vector<std::int64_t> as_integers() const;
  bool operator==(const Array&) const = default;
};

}  // namespace espalier::model
