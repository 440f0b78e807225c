// Runs the `espalier` program as a user does: a process with arguments, standard output and error, an exit code.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace espalier::test {

struct Outcome {
  int code = -1;  // exit code, or -signal if the process was killed
  std::string out;
  std::string err;

  /// Standard output as one JSON document.
  nlohmann::json json() const { return nlohmann::json::parse(out); }
};

/// Runs the program and waits for its end.
Outcome run_program(const std::vector<std::string>& arguments);

/// A folder for the files of the running test, removed with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string path(const std::string& name) const { return (path_ / name).string(); }
  /// Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& bytes) const;

 private:
  std::filesystem::path path_;
};

/// The bytes of a file.
std::string read_bytes(const std::string& path);

}  // namespace espalier::test
