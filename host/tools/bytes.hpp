// Reading files whole, and numbers from bytes whatever the byte order of the file.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor.hpp"

namespace espalier::tools {

/// The contents of a file. Throws Error (Input) if it is missing, a folder, unreadable or larger than 4 GiB.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path);

/// Writes a file whole. Throws Error (Usage) if that is not possible.
void write_file(const std::filesystem::path& path, std::string_view text);

enum class ByteOrder { Little, Big };

/// Decodes `count` elements; `bytes` holds at least count * element_bytes(type). Throws Error (Input) naming `where`
/// for an int64 that double cannot hold exactly.
std::vector<double> decode_elements(std::span<const std::uint8_t> bytes, std::size_t count, ElementType type,
                                    ByteOrder order, const std::string& where);

}  // namespace espalier::tools
