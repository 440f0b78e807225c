// The data of the operator table, as text: see operator_table.hpp for its meaning.
#pragma once

#include <span>

namespace espalier::model {

/// `signature`: inputs -> outputs, each a type variable; `?` may be left out, `*` any number. `types`: the element
/// types of each variable; real, signed, unsigned, integer, number and any are sets. `attributes`: name:kind, with the
/// supported values in brackets if others exist.
struct OperatorText {
  const char* name;
  int first;
  int last;
  const char* signature;
  const char* types;
  const char* attributes;
};

/// Of ai.onnx.
std::span<const OperatorText> standard_operators();
/// Of com.microsoft; imported networks only.
std::span<const OperatorText> microsoft_operators();

}  // namespace espalier::model
