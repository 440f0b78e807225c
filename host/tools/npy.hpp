// NumPy .npy files, format versions 1 to 3.
//
// Source of the format: the NumPy manual, "numpy.lib.format".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "model/array.hpp"

namespace espalier::tools {

/// Decodes a file's bytes: float32, float64, int8, uint8, int32, int64 of either byte order, C or Fortran order (the
/// result is always in C order). Throws Error (Input) naming `where` for anything else, and for files that are shorter
/// or longer than their header says.
model::Array parse_npy(std::span<const std::uint8_t> bytes, const std::string& where);

/// Encodes an array of these types in C order, little endian, version 1.
std::vector<std::uint8_t> format_npy(const model::Array& array);

}  // namespace espalier::tools
