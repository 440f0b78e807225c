#include "model/operator_graph.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "model/onnx_typed_tensor.hpp"
#include "model/operator_types.hpp"

namespace espalier::model {
namespace {

constexpr int MostNesting = 64;

[[noreturn]] void damaged(const std::string& problem, const std::string& where, const std::string& value = {}) {
  throw Error(ErrorCode::Model, problem, where, value, "export the model again");
}

class Reader {
 public:
  Reader(const std::filesystem::path& folder, const ImportOptions& options)
      : folder_(folder), budget_(options.most_bytes) {}

  OperatorGraph run(const onnx::ModelProto& model) {
    if (!model.has_graph()) damaged("the file holds no graph", "model");
    const onnx::GraphProto& proto = model.graph();
    if (static_cast<std::size_t>(proto.node_size()) > MostNodes)
      damaged("the graph has too many nodes", "graph", std::to_string(proto.node_size()));
    read_opset(model);
    if (proto.sparse_initializer_size() > 0) refuse("graph", "sparse initialisers are not supported");
    for (const auto& tensor : proto.initializer()) add_initialiser(tensor);
    for (const auto& input : proto.input())
      if (!index_.contains(input.name())) add_input(input);
    for (const auto& node : proto.node())
      for (const auto& output : node.output())
        if (!output.empty()) declare(output, "node '" + node.name() + "' (" + node.op_type() + ")");
    for (const auto& node : proto.node()) add_node(node);
    for (const auto& output : proto.output()) graph_.outputs.push_back(find(output.name(), "output"));
    if (graph_.outputs.empty()) damaged("the graph has no outputs", "graph");
    sort();
    return std::move(graph_);
  }

 private:
  void refuse(const std::string& where, const std::string& reason) { graph_.refusals.push_back({where, reason}); }

  void read_opset(const onnx::ModelProto& model) {
    for (const auto& set : model.opset_import())
      if (set.domain().empty() || set.domain() == "ai.onnx")
        graph_.opset = static_cast<int>(std::clamp<std::int64_t>(set.version(), 0, std::numeric_limits<int>::max()));
  }

  int declare(const std::string& name, const std::string& where) {
    if (name.empty()) damaged("a value has no name", where);
    const auto index = static_cast<int>(graph_.values.size());
    if (!index_.emplace(name, index).second) damaged("the value is defined twice", where, name);
    graph_.values.push_back({name, {}, {}});
    return index;
  }

  int find(const std::string& name, const std::string& where) const {
    const auto found = index_.find(name);
    if (found == index_.end()) damaged("a value is read that nothing defines", where, name);
    return found->second;
  }

  void add_initialiser(const onnx::TensorProto& tensor) {
    const auto index = static_cast<std::size_t>(declare(tensor.name(), "initialiser"));
    try {
      graph_.values[index].constant = read_typed_tensor(tensor, folder_, budget_);
      graph_.values[index].type = graph_.values[index].constant->type;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unsupported) throw;
      refuse(error.where(), error.summary() + " (" + error.value() + ")");
    }
  }

  void add_input(const onnx::ValueInfoProto& info) {
    const std::string where = "input '" + info.name() + "'";
    const int index = declare(info.name(), where);
    graph_.inputs.push_back(index);
    if (!info.type().has_tensor_type()) return refuse(where, "only tensors are supported");
    const int number = info.type().tensor_type().elem_type();
    const std::optional<DataType> type = data_type(std::int64_t{number});
    if (!type) return refuse(where, "the element type is not supported (ONNX type " + std::to_string(number) + ")");
    graph_.values[static_cast<std::size_t>(index)].type = type;
  }

  /// The attribute, or none if its type is not supported.
  std::optional<OperatorAttribute> read_attribute(const onnx::AttributeProto& attribute) {
    switch (attribute.type()) {
      case onnx::AttributeProto::INT:
        return attribute.i();
      case onnx::AttributeProto::FLOAT:
        return attribute.f();
      case onnx::AttributeProto::STRING:
        return attribute.s();
      case onnx::AttributeProto::INTS:
        return std::vector<std::int64_t>(attribute.ints().begin(), attribute.ints().end());
      case onnx::AttributeProto::FLOATS:
        return std::vector<float>(attribute.floats().begin(), attribute.floats().end());
      case onnx::AttributeProto::TENSOR:
        if (!data_type(std::int64_t{attribute.t().data_type()})) return {};
        return read_typed_tensor(attribute.t(), folder_, budget_);
      default:
        return {};
    }
  }

  void add_node(const onnx::NodeProto& proto) {
    OperatorNode node;
    node.op = proto.op_type();
    for (const auto& output : proto.output()) {
      node.outputs.push_back(output.empty() ? -1 : index_.at(output));
      if (node.name.empty()) node.name = proto.name().empty() ? output : proto.name();
    }
    if (std::all_of(node.outputs.begin(), node.outputs.end(), [](int output) { return output < 0; }))
      damaged("the node has no output", node.where());
    connections_ += static_cast<std::size_t>(proto.input_size());
    if (connections_ > MostConnections) damaged("the nodes of the graph have too many inputs", node.where());
    for (const auto& input : proto.input()) node.inputs.push_back(input.empty() ? -1 : find(input, node.where()));
    while (!node.inputs.empty() && node.inputs.back() < 0) node.inputs.pop_back();  // the same as inputs not listed
    node.row = find_row(node.op, proto.domain(), graph_.opset);
    if (node.row == nullptr || !node.row->executed) {
      refuse(node.where(), missing_row(node.op, proto.domain(), graph_.opset));
      node.row = nullptr;
    }
    for (const auto& attribute : proto.attribute()) {
      std::optional<OperatorAttribute> value = read_attribute(attribute);
      if (!value && node.row != nullptr) {
        refuse(node.where(), "the type of attribute '" + attribute.name() + "' is not supported");
        node.row = nullptr;
      }
      if (value && !node.attributes.emplace(attribute.name(), std::move(*value)).second)
        damaged("an attribute is given twice", node.where(), attribute.name());
    }
    graph_.nodes.push_back(std::move(node));
  }

  /// Topological order; a node that never becomes ready is part of a cycle.
  void sort() {
    std::vector<std::vector<std::size_t>> readers(graph_.values.size());
    std::vector<std::size_t> missing(graph_.nodes.size(), 0), order;
    std::vector<char> written(graph_.values.size(), 0);
    for (const OperatorNode& node : graph_.nodes)
      for (const int output : node.outputs)
        if (output >= 0) written[static_cast<std::size_t>(output)] = 1;
    for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
      for (const int input : graph_.nodes[i].inputs)
        if (input >= 0 && written[static_cast<std::size_t>(input)] != 0) {
          readers[static_cast<std::size_t>(input)].push_back(i);
          ++missing[i];
        }
      if (missing[i] == 0) order.push_back(i);
    }
    for (std::size_t at = 0; at < order.size(); ++at)
      for (const int output : graph_.nodes[order[at]].outputs)
        if (output >= 0)
          for (const std::size_t reader : readers[static_cast<std::size_t>(output)])
            if (--missing[reader] == 0) order.push_back(reader);
    if (order.size() != graph_.nodes.size()) {
      const auto stuck = std::find_if(missing.begin(), missing.end(), [](std::size_t count) { return count > 0; });
      damaged("the graph has a cycle", graph_.nodes[static_cast<std::size_t>(stuck - missing.begin())].where());
    }
    std::vector<OperatorNode> sorted;
    sorted.reserve(order.size());
    for (const std::size_t index : order) sorted.push_back(std::move(graph_.nodes[index]));
    graph_.nodes = std::move(sorted);
  }

  std::filesystem::path folder_;
  Budget budget_;
  OperatorGraph graph_;
  std::size_t connections_ = 0;
  std::unordered_map<std::string, int> index_;
};

}  // namespace

OperatorGraph read_operator_graph(std::string_view bytes, const std::filesystem::path& folder,
                                  const ImportOptions& options) {
  if (bytes.empty()) damaged("the file is empty", "file");
  if (bytes.size() > std::min<std::uint64_t>(options.most_bytes, std::numeric_limits<int>::max()))
    damaged("the file exceeds the memory budget", "file", std::to_string(bytes.size()) + " bytes");
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(MostNesting);
  onnx::ModelProto model;
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    damaged("the file is truncated or not an ONNX model", "file", std::to_string(bytes.size()) + " bytes");
  OperatorGraph graph = Reader(folder, options).run(model);
  check_operators(graph);
  return graph;
}

void bind_input(OperatorGraph& graph, std::size_t index, TypedTensor tensor) {
  OperatorValue& value = graph.values.at(static_cast<std::size_t>(graph.inputs.at(index)));
  if (value.type && *value.type != tensor.type)
    throw Error(ErrorCode::Input, "the tensor has another element type than the input", "input '" + value.name + "'",
                to_string(tensor.type), std::string("give a tensor of ") + to_string(*value.type));
  value.constant = std::move(tensor);
}

}  // namespace espalier::model
