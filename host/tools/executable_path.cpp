#include "executable_path.hpp"

#include <system_error>

namespace espalier::tools {

std::filesystem::path program_folder() {
  std::error_code failure;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", failure);
  return failure ? std::filesystem::current_path() : program.parent_path();
}

std::filesystem::path shipped_file(const std::string& name) {
  return program_folder().parent_path() / "share" / "espalier" / name;
}

}  // namespace espalier::tools
