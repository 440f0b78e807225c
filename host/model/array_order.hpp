// Arrays with their axes in another order.
#pragma once

#include <span>

#include "model/array.hpp"

namespace espalier::model {

/// Axis i of the result is axis order[i] of `array`; `order` is a permutation of its axes.
Array permute(const Array& array, std::span<const std::size_t> order);

/// The shape that permute() gives.
Shape permute(const Shape& shape, std::span<const std::size_t> order);

/// `order` as axes 0 to rank - 1, each once. Throws Error(Model) naming `where` otherwise.
std::vector<std::size_t> read_order(std::span<const std::int64_t> order, std::size_t rank, const std::string& where);

}  // namespace espalier::model
