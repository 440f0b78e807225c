// The one exception of the trainer: what failed, where, and the value.
#pragma once

#include <stdexcept>
#include <string>

namespace espalier::trainer {

class Error : public std::runtime_error {
public:
  explicit Error(const std::string& what) : std::runtime_error("trainer: " + what) {}
};

}  // namespace espalier::trainer
