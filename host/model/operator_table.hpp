// The published table of operators: names, operator sets, types and attributes. It alone decides, before anything runs,
// what is refused; `espalier conformance --operators` prints it, the reader of operator graphs and the importer of
// networks follow it.
//
//   const model::OperatorRow* row = model::find_row("Clip", "", 13);
#pragma once

#include <bit>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/typed_tensor.hpp"

namespace espalier::model {

/// A set of element types.
class TypeSet {
 public:
  void add(DataType type) { bits_ |= bit(type); }
  bool contains(DataType type) const { return (bits_ & bit(type)) != 0; }
  /// The first type of the set; the set is not empty.
  DataType first() const { return static_cast<DataType>(std::countr_zero(bits_)); }
  /// "float32 float64".
  std::string text() const;

 private:
  static unsigned bit(DataType type) { return 1U << static_cast<unsigned>(type); }
  unsigned bits_ = 0;
};

/// One input or output. Ports of the same `variable` have the same type.
struct PortRow {
  std::string variable;  // of outputs also "@attribute": the type is what that attribute says
  bool optional = false;
  bool repeated = false;  // the last input: any number of times, at least once; of outputs likewise
};

enum class AttributeKind { Integer, Real, Text, Integers, Reals, Tensor, Type };
/// "int", "ints", "text" ...
const char* to_string(AttributeKind kind);

struct AttributeRow {
  std::string name;
  AttributeKind kind = AttributeKind::Integer;
  std::set<std::string> values;  // the only ones that are supported; empty: all
};

/// An operator as the operator sets `first` to `last` define it.
struct OperatorRow {
  std::string name;
  std::string domain;  // empty: ai.onnx
  int first = 1;
  int last = 1;
  std::vector<PortRow> inputs;
  std::vector<PortRow> outputs;
  std::vector<std::pair<std::string, TypeSet>> types;  // by variable
  std::vector<AttributeRow> attributes;
  bool executed = true;  // by the CPU operators; else only in networks that are imported

  std::size_t least_inputs() const;
  /// No limit: the largest std::size_t.
  std::size_t most_inputs() const;
  std::size_t most_outputs() const;
  const AttributeRow* attribute(std::string_view key) const;
  const TypeSet& types_of(std::string_view variable) const;
  /// "T T? -> T; T: float32 float64" and "axis:int mode:text(linear,nearest)", as in the source of the table.
  std::string signature() const;
  std::string attribute_text() const;
};

/// All rows, sorted by domain, name and operator set.
std::span<const OperatorRow> operator_rows();

/// The row of an operator set, or nullptr.
const OperatorRow* find_row(std::string_view name, std::string_view domain, int opset);
/// All rows of an operator; empty if it is unknown.
std::span<const OperatorRow> find_rows(std::string_view name, std::string_view domain);

}  // namespace espalier::model
