#include "model/array_bytes.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <type_traits>

namespace espalier::model {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are copied as they lie in memory");

template <typename Element>
std::vector<Element> decode(std::span<const std::uint8_t> bytes, std::size_t count, ByteOrder order) {
  std::vector<Element> values(count);
  std::array<std::uint8_t, sizeof(Element)> raw{};
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(i * raw.size()), raw.size(), raw.begin());
    if (order == ByteOrder::Big) std::reverse(raw.begin(), raw.end());
    values[i] = std::bit_cast<Element>(raw);
  }
  return values;
}

}  // namespace

Array::Values decode_elements(std::span<const std::uint8_t> bytes, std::size_t count, ElementType type,
                              ByteOrder order) {
  switch (type) {
    case ElementType::Float:
      return decode<float>(bytes, count, order);
    case ElementType::Int8:
      return decode<std::int8_t>(bytes, count, order);
    case ElementType::UInt8:
      return decode<std::uint8_t>(bytes, count, order);
    case ElementType::Int32:
      return decode<std::int32_t>(bytes, count, order);
    case ElementType::Int64:
      return decode<std::int64_t>(bytes, count, order);
    case ElementType::Bool:
      return decode<char>(bytes, count, order);
    case ElementType::Double:
      return decode<double>(bytes, count, order);
  }
  return {};
}

std::vector<std::uint8_t> encode_elements(const Array::Values& values) {
  return std::visit(
      [](const auto& v) {
        using Element = typename std::decay_t<decltype(v)>::value_type;
        std::vector<std::uint8_t> bytes(v.size() * sizeof(Element));
        if (!bytes.empty()) std::memcpy(bytes.data(), v.data(), bytes.size());
        return bytes;
      },
      values);
}

}  // namespace espalier::model
