// The built-in operators of TensorFlow Lite files and how they become operators of the graph.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace espalier::model {

class TfliteBuilder;
struct TfliteOperation;

struct TfliteOperator {
  std::int32_t number;  // in the file
  std::string_view name;
  std::size_t least_inputs;
  std::size_t most_inputs;
  /// Adds the nodes of one operator and says which value is its result.
  void (*convert)(TfliteBuilder& builder, const TfliteOperation& operation);
  bool many_outputs = false;
};

/// The operator, or nullptr if it is not supported.
const TfliteOperator* find_tflite_operator(std::int32_t number);

/// The name of any operator, supported or not; `custom` is that of a custom one.
std::string tflite_operator_name(std::int32_t number, const std::string& custom);

/// All supported operator names, separated by blanks, for messages.
std::string supported_tflite_operators();

}  // namespace espalier::model
