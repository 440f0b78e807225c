// The operators that the importer accepts, with their arity and attributes.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::model {

/// Operator::most_inputs of operators that take any number of inputs; all of them are required.
inline constexpr std::size_t AnyNumber = std::numeric_limits<std::size_t>::max();

struct Operator {
  std::string_view name;
  std::string_view domain;  // empty: ai.onnx
  std::size_t least_inputs;
  std::size_t most_inputs;
  std::vector<std::string_view> attributes;
  std::size_t most_outputs = 1;
};

/// The operator, or nullptr if it is not supported.
const Operator* find_operator(std::string_view name, std::string_view domain);

/// All supported operator names, separated by blanks, for messages.
std::string supported_operators();

/// Operator sets of ai.onnx whose definitions the importer follows.
inline constexpr int OldestOpset = 1;
inline constexpr int NewestOpset = 20;

}  // namespace espalier::model
