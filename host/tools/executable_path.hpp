// Files that are shipped beside the program.
#pragma once

#include <filesystem>
#include <string>

namespace espalier::tools {

/// The folder of the running program, or the working folder if the system does not tell.
std::filesystem::path program_folder();

/// A file or folder of share/espalier next to the program's bin folder.
std::filesystem::path shipped_file(const std::string& name);

}  // namespace espalier::tools
