// Products of dense row-major matrices.
#pragma once

#include "cpu/operators/call.hpp"

namespace espalier::cpu::operators {

/// c[rows x columns] += a[rows x inner] * b[inner x columns]. Integers are exact modulo 2^64.
void multiply_add(std::span<const double> a, std::span<const double> b, std::span<double> c, std::int64_t rows,
                  std::int64_t inner, std::int64_t columns);
void multiply_add(std::span<const std::int64_t> a, std::span<const std::int64_t> b, std::span<std::int64_t> c,
                  std::int64_t rows, std::int64_t inner, std::int64_t columns);

/// NumPy's matmul: the last two axes are matrices, those before broadcast, an operand of one axis is a vector.
TypedTensor matrix_product(const Call& call, const TypedTensor& a, const TypedTensor& b, DataType type);

}  // namespace espalier::cpu::operators
