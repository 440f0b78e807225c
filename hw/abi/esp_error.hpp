// The one exception type of host, driver and simulations: what went wrong, where, with which value, and what to do.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

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

/// The name used in JSON.
constexpr const char* to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::Usage:
      return "usage";
    case ErrorCode::Input:
      return "input";
    case ErrorCode::Model:
      return "model";
    case ErrorCode::Unsupported:
      return "unsupported";
    case ErrorCode::Program:
      return "program";
    case ErrorCode::Device:
      return "device";
    case ErrorCode::Timeout:
      return "timeout";
    case ErrorCode::Mismatch:
      return "mismatch";
    case ErrorCode::Internal:
      return "internal";
  }
  return "internal";
}

class Error : public std::runtime_error {
 public:
  /// `what_wrong`: one sentence; `where`: file, layer, register or command; `value`: the offending value; `action`:
  /// what the user can do. what() joins them in one line.
  Error(ErrorCode code, std::string what_wrong, std::string where, std::string value = {}, std::string action = {})
      : std::runtime_error(join(what_wrong, where, value, action)),
        code_(code),
        summary_(std::move(what_wrong)),
        where_(std::move(where)),
        value_(std::move(value)),
        action_(std::move(action)) {}

  ErrorCode code() const noexcept { return code_; }
  const std::string& summary() const noexcept { return summary_; }
  const std::string& where() const noexcept { return where_; }
  const std::string& value() const noexcept { return value_; }
  const std::string& action() const noexcept { return action_; }

 private:
  static std::string join(const std::string& what_wrong, const std::string& where, const std::string& value,
                          const std::string& action) {
    std::string text = where.empty() ? what_wrong : where + ": " + what_wrong;
    if (!value.empty()) text += " (" + value + ")";
    if (!action.empty()) text += "; " + action;
    return text;
  }

  ErrorCode code_;
  std::string summary_, where_, value_, action_;
};

}  // namespace espalier
