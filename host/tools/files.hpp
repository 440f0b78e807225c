// Reading and writing files whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

namespace espalier::tools {

/// The contents of a file. Throws Error (Input) if it is missing, a folder, unreadable or larger than 4 GiB.
std::vector<std::uint8_t> read_file(const std::filesystem::path& path);

/// The same as text.
std::string read_text(const std::filesystem::path& path);

/// Writes a file whole. Throws Error (Usage) if that is not possible.
void write_file(const std::filesystem::path& path, std::string_view text);

}  // namespace espalier::tools
