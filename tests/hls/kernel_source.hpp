// HLS kernels as text: their words without comments, their functions, loops and pragmas. It understands the C++ that
// the kernels are written in, no more.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace espalier::test {

/// Identifiers, numbers and single characters of a source without its comments; a line of the preprocessor is one word.
std::vector<std::string> source_words(const std::string& text);

/// A `for` or `while` with braces.
struct Loop {
  std::string function;
  std::vector<std::string> pragmas;  // that its body begins with, "PIPELINE II = 1"
  std::size_t inner = 0;             // loops inside, in the same function
  bool in_pipeline = false;          // inside a loop of the same function that is pipelined
  std::set<std::string> calls;       // names that are called inside

  bool begins_with(const std::string& pragma) const;
};

/// What the functions of several sources do, by name: templates and overloads of a name count as one.
struct KernelFunctions {
  std::map<std::string, std::set<std::string>> calls;
  std::vector<Loop> loops;
  std::vector<std::string> misplaced;  // pragmas of loops that stand elsewhere, loops without braces
  std::vector<std::string> dataflow;   // functions that begin with DATAFLOW

  void add(const std::vector<std::string>& words);
  /// The function and all that it calls, directly or not.
  std::set<std::string> reached(const std::string& function) const;
};

/// The sources of kernels below `folder`: hls/kernels, and hls/include without the compatibility headers.
std::vector<std::filesystem::path> kernel_sources(const std::filesystem::path& folder);

}  // namespace espalier::test
