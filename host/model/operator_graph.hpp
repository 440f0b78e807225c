// An ONNX graph as the CPU operators execute it: typed values, nodes with their row of the operator table, any number
// of results. Nothing is folded, fused or converted. What is refused is known once the graph is read.
//
//   model::OperatorGraph graph = model::read_operator_graph(bytes, {});
//   if (!graph.refusals.empty()) ...
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model/import_options.hpp"
#include "model/operator_table.hpp"
#include "model/typed_tensor.hpp"

namespace espalier::model {

using OperatorAttribute =
    std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>, std::vector<float>, TypedTensor>;

struct OperatorNode {
  std::string name;
  std::string op;
  const OperatorRow* row = nullptr;
  std::vector<int> inputs;   // indices into OperatorGraph::values; -1: left out
  std::vector<int> outputs;  // the same; -1: nobody reads it
  std::map<std::string, OperatorAttribute> attributes;

  /// "node 'y' (Conv)".
  std::string where() const { return "node '" + name + "' (" + op + ")"; }
};

struct OperatorValue {
  std::string name;
  std::optional<DataType> type;  // unknown only where the graph is refused
  std::optional<TypedTensor> constant;
};

/// Why a node is not executed, found before anything runs.
struct OperatorRefusal {
  std::string where;
  std::string reason;
};

struct OperatorGraph {
  int opset = 0;
  std::vector<OperatorValue> values;
  std::vector<OperatorNode> nodes;  // in topological order
  std::vector<int> inputs;          // of values that are no constants
  std::vector<int> outputs;
  std::vector<OperatorRefusal> refusals;  // empty: all nodes are executed
};

/// A tensor of a file, of any type of the table. External data lies inside `folder`. Throws Error(Model), or
/// Error(Unsupported) for other types.
TypedTensor read_typed_tensor(std::string_view proto, const std::filesystem::path& folder = {});

/// Reads a graph and checks every node against the operator table. Throws Error(Model) for a damaged file; everything
/// that is not supported becomes a refusal.
OperatorGraph read_operator_graph(std::string_view bytes, const std::filesystem::path& folder,
                                  const ImportOptions& options = {});

/// Makes the `index`-th input a constant; the input stays listed. Throws Error(Input) if it has another type.
void bind_input(OperatorGraph& graph, std::size_t index, TypedTensor tensor);

}  // namespace espalier::model
