// What is checked of PNG and JPEG files before the decoder sees them, because it trusts it.
#pragma once

#include <cstdint>
#include <span>

namespace espalier::tools {

/// Whether all chunks of a PNG file lie inside it: the decoder asks for the memory that a length says. True for files
/// that are no PNG.
bool has_whole_chunks(std::span<const std::uint8_t> png);

/// Whether no Huffman table of a JPEG file has more than 256 codes or, for DC coefficients, sizes above 15 bits: the
/// decoder has no room for more. True for files that are no JPEG.
bool has_sound_tables(std::span<const std::uint8_t> jpeg);

}  // namespace espalier::tools
