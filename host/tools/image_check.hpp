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

/// Whether a file of so many bytes can hold an image of so many pixels: a JPEG file takes at least a bit for a block of
/// 8 x 8, deflate packs at most 1032 to 1 with 8 pixels in a byte. Without this a few bytes ask for a long decoding of
/// nothing. Images of up to a megapixel are always believed.
bool can_hold(std::span<const std::uint8_t> file, std::int64_t width, std::int64_t height);

}  // namespace espalier::tools
