// IDX files (the format of the MNIST distribution): a big-endian header and one array; the first dimension counts
// items.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "model/array.hpp"

namespace espalier::tools {

/// Decodes a file's bytes: uint8, int8, int16, int32, float32, float64 (int16 is widened to int32). Throws Error
/// (Input) naming `where` for damaged headers and for files shorter or longer than their header says.
model::Array parse_idx(std::span<const std::uint8_t> bytes, const std::string& where);

}  // namespace espalier::tools
