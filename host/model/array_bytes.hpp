// Arrays as bytes of a file, in either byte order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "model/array.hpp"

namespace espalier::model {

enum class ByteOrder { Little, Big };

/// The values of `count` elements; `bytes` holds at least count * element_bytes(type).
Array::Values decode_elements(std::span<const std::uint8_t> bytes, std::size_t count, ElementType type,
                              ByteOrder order = ByteOrder::Little);

/// The bytes of all values, little endian.
std::vector<std::uint8_t> encode_elements(const Array::Values& values);

}  // namespace espalier::model
