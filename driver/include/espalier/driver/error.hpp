// The one exception type of the project: what went wrong, where, with which value, and what to do.
#pragma once

#include <stdexcept>
#include <string>

namespace espalier {

/// Stable names of error classes; `espalier` maps them to exit codes and the JSON field `code`.
enum class ErrorCode {
  Usage,        // wrong option or argument
  Input,        // an input file or tensor does not fit
  Model,        // a model file is damaged or not understood
  Unsupported,  // valid, but not something this version executes
  Program,      // a compiled file is damaged, of another version or for another array
  Device,       // the device reported an error or disappeared
  Timeout,      // the device did not answer in time
  Mismatch,     // two executions that must agree do not
  Internal,     // a broken invariant of this program
};

/// Name as in JSON: "usage", "input", ...
const char* to_string(ErrorCode code);

class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, std::string what, std::string where, std::string value = {}, std::string action = {});

  ErrorCode code() const noexcept { return code_; }
  const std::string& summary() const noexcept { return what_; }  // what went wrong
  const std::string& where() const noexcept { return where_; }   // file, layer, register, command
  const std::string& value() const noexcept { return value_; }   // the offending value
  const std::string& action() const noexcept { return action_; } // what the user can do

 private:
  ErrorCode code_;
  std::string what_, where_, value_, action_;
};

}  // namespace espalier
