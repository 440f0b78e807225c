#include "model/onnx_import.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <limits>
#include <set>
#include <unordered_map>

#include "esp_error.hpp"
#include "model/inference.hpp"
#include "model/onnx_tensor.hpp"
#include "model/operators.hpp"

namespace espalier::model {
namespace {

constexpr int MostNesting = 64;

[[noreturn]] void damaged(const std::string& problem, const std::string& where, const std::string& value = {}) {
  throw Error(ErrorCode::Model, problem, where, value, "export the model again");
}

[[noreturn]] void unsupported(const std::string& problem, const std::string& where, const std::string& value,
                              const std::string& action) {
  throw Error(ErrorCode::Unsupported, problem, where, value, action);
}

/// Builds a Graph from a GraphProto; every name becomes an index on the way.
class Importer {
 public:
  Importer(const std::filesystem::path& folder, const ImportOptions& options)
      : folder_(folder), options_(options), budget_(options.most_bytes) {}

  /// The graph, with operators that nothing here executes among its nodes; `refusals` holds those that are read.
  Graph run(const onnx::ModelProto& model, RefusalList& refusals) {
    check_opset(model);
    if (!model.has_graph()) damaged("the file holds no graph", "model");
    const onnx::GraphProto& proto = model.graph();
    if (proto.sparse_initializer_size() > 0)
      unsupported("sparse initialisers are not supported", "graph '" + proto.name() + "'", {}, "export dense tensors");
    if (static_cast<std::size_t>(proto.node_size()) > MostNodes)
      damaged("the graph has too many nodes", "graph", std::to_string(proto.node_size()));
    graph_.name = proto.name();
    for (const auto& tensor : proto.initializer()) add_initialiser(tensor);
    for (const auto& input : proto.input())
      if (!index_.contains(input.name())) add_input(input);
    for (const auto& [name, shape] : options_.shapes)
      if (!used_shapes_.contains(name))
        throw Error(ErrorCode::Usage, "the shape is of no input", "--shape", name, "name an input of the network");
    for (const auto& node : proto.node()) declare_outputs(node);
    for (const auto& node : proto.node()) add_node(node);
    for (const auto& output : proto.output()) add_output(output);
    if (graph_.outputs.empty()) damaged("the graph has no outputs", "graph '" + graph_.name + "'");
    graph_.sort();
    graph_.remove_dead_nodes();
    for (const Node& node : graph_.nodes)
      if (const auto refused = refused_.find(node.outputs[0]); refused != refused_.end())
        refusals.add(node, refused->second);
    return std::move(graph_);
  }

 private:
  void check_opset(const onnx::ModelProto& model) {
    if (model.opset_import_size() == 0 && !model.has_graph()) damaged("this is not an ONNX model", "file");
    graph_.opset = 0;
    for (const auto& set : model.opset_import()) {
      if (set.domain().empty() || set.domain() == "ai.onnx") {
        if (set.version() < OldestOpset || set.version() > NewestOpset)
          unsupported(
              "the operator set is not supported", "model", "opset " + std::to_string(set.version()),
              "export with an opset from " + std::to_string(OldestOpset) + " to " + std::to_string(NewestOpset));
        graph_.opset = static_cast<int>(set.version());
      }
    }
    if (graph_.opset < OldestOpset)
      unsupported("the model names no operator set of ai.onnx", "model", {}, "export with opset 13");
  }

  int declare(const std::string& name, const std::string& where) {
    if (name.empty()) damaged("a value has no name", where);
    if (index_.contains(name)) damaged("the value is defined twice", where, name);
    const int index = graph_.add_value(name);
    index_[name] = index;
    return index;
  }

  static ElementType in_graph(ElementType type) { return type == ElementType::Double ? ElementType::Float : type; }

  Array read_constant(const onnx::TensorProto& tensor) {
    Array array = read_tensor(tensor, folder_, budget_);
    if (array.type() == ElementType::Double) array.values = array.as_floats();
    return array;
  }

  void add_initialiser(const onnx::TensorProto& tensor) {
    const int index = declare(tensor.name(), "initialiser '" + tensor.name() + "'");
    Array array = read_constant(tensor);
    Value& value = graph_.value(index);
    value.type = array.type();
    value.shape = array.shape;
    value.known = true;
    value.constant = std::move(array);
  }

  /// Free sizes: those of the options, else the first is the batch and becomes 1.
  Shape read_shape(const onnx::ValueInfoProto& info, const std::string& where) {
    if (!info.type().has_tensor_type()) unsupported("only tensors are supported", where, {}, "export tensors");
    const auto& tensor = info.type().tensor_type();
    const auto given = options_.shapes.find(info.name());
    const bool fixed = given != options_.shapes.end();
    if (fixed) used_shapes_.insert(info.name());
    if (!tensor.has_shape() && !fixed)
      unsupported("the shape is not given", where, {}, "give it with --shape " + info.name() + "=1,3,224,224");
    const std::size_t rank =
        tensor.has_shape() ? static_cast<std::size_t>(tensor.shape().dim_size()) : given->second.size();
    if (rank > MostRank) unsupported("the rank is too large", where, std::to_string(rank), "use at most 4 axes");
    if (fixed && given->second.size() != rank)
      throw Error(ErrorCode::Usage, "the shape has another number of axes than the input", where,
                  to_string(given->second), "give " + std::to_string(rank) + " sizes");
    Shape shape;
    for (std::size_t axis = 0; axis < rank; ++axis)
      shape.push_back(read_size(info, axis, fixed ? given->second[axis] : 0, where));
    count_elements(shape, where);
    return shape;
  }

  /// One size; `fixed` is that of the options, or 0.
  static std::int64_t read_size(const onnx::ValueInfoProto& info, std::size_t axis, std::int64_t fixed,
                                const std::string& where) {
    const auto& tensor = info.type().tensor_type();
    if (!tensor.has_shape()) return fixed;
    const auto& dim = tensor.shape().dim(static_cast<int>(axis));
    const bool known = dim.has_dim_value() && dim.dim_value() > 0;
    if (known && fixed > 0 && fixed != dim.dim_value())
      throw Error(ErrorCode::Usage, "the size is fixed in the file", where, std::to_string(fixed),
                  "give " + std::to_string(dim.dim_value()));
    if (known) return dim.dim_value();
    if (fixed > 0) return fixed;
    if (axis > 0)
      unsupported("a size other than the batch is free", where, dim.dim_param(),
                  "give it with --shape " + info.name() + "=1,3,224,224");
    return 1;
  }

  void add_input(const onnx::ValueInfoProto& info) {
    const std::string where = "input '" + info.name() + "'";
    const int index = declare(info.name(), where);
    Value& value = graph_.value(index);
    value.shape = read_shape(info, where);
    value.type = in_graph(element_type(info.type().tensor_type().elem_type(), where));
    value.known = true;
    graph_.inputs.push_back({index, value.name, value.type, value.shape, {}, {}});
  }

  void declare_outputs(const onnx::NodeProto& node) {
    const std::string where = "node '" + node.name() + "' (" + node.op_type() + ")";
    if (node.output_size() == 0 || node.output(0).empty()) damaged("the node has no output", where);
    for (const std::string& output : node.output())
      if (!output.empty()) declare(output, where);
  }

  /// The results that the operator has; the others are not computed.
  void add_outputs(const onnx::NodeProto& proto, const Operator* entry, Node& node) {
    for (int i = 0; i < proto.output_size(); ++i) {
      const std::string& name = proto.output(i);
      const bool has = entry == nullptr || static_cast<std::size_t>(i) < entry->most_outputs;
      if (has) node.outputs.push_back(name.empty() ? -1 : index_.at(name));
      if (has || name.empty()) continue;
      const int extra = index_.at(name);
      refused_.emplace(extra, Error(ErrorCode::Unsupported, "only the first output of the operator is computed",
                                    node.where(), name, "export for inference"));
      graph_.nodes.push_back({node.name, node.op, {}, {extra}, {}});
    }
  }

  int find(const std::string& name, const std::string& where) const {
    const auto found = index_.find(name);
    if (found != index_.end()) return found->second;
    damaged("a value is read that nothing defines", where, name);
  }

  Attribute read_attribute(const onnx::AttributeProto& attribute, const std::string& where) {
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
        return read_constant(attribute.t());
      default:
        break;
    }
    unsupported("the type of attribute '" + attribute.name() + "' is not supported", where,
                "ONNX attribute type " + std::to_string(attribute.type()), "export without it");
  }

  void add_node(const onnx::NodeProto& proto) {
    Node node;
    node.name = proto.name().empty() ? proto.output(0) : proto.name();
    node.op = proto.op_type();
    const Operator* entry = find_operator(node.op, proto.domain());
    const auto inputs = static_cast<std::size_t>(proto.input_size());
    if (entry != nullptr && (inputs < entry->least_inputs || inputs > entry->most_inputs))
      damaged("the node has a wrong number of inputs", node.where(), std::to_string(inputs));
    connections_ += inputs;
    if (connections_ > MostConnections)
      damaged("the nodes of the graph have too many inputs", node.where(), std::to_string(connections_));
    for (const auto& input : proto.input()) node.inputs.push_back(input.empty() ? -1 : find(input, node.where()));
    while (!node.inputs.empty() && node.inputs.back() < 0) node.inputs.pop_back();  // the same as inputs not listed
    add_outputs(proto, entry, node);
    refuse_later(node, [&] { read_details(proto, entry, node); });
    graph_.nodes.push_back(std::move(node));
  }

  /// What is unsupported at a node becomes an error only if its result is read, together with that of other nodes.
  template <typename Step>
  void refuse_later(const Node& node, Step&& step) {
    try {
      step();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unsupported) throw;
      refused_.emplace(node.outputs[0], error);
    }
  }

  void read_details(const onnx::NodeProto& proto, const Operator* entry, Node& node) {
    if (entry == nullptr) {
      if (!proto.domain().empty()) node.op = proto.domain() + "::" + node.op;
      unsupported("the operator is not supported", node.where(), node.op, "supported are " + supported_operators());
    }
    const std::size_t required = entry->most_inputs == AnyNumber ? node.inputs.size() : entry->least_inputs;
    for (std::size_t i = 0; i < required; ++i)
      if (!node.has_input(i)) damaged("a required input is missing", node.where(), std::to_string(i));
    for (const auto& attribute : proto.attribute()) {
      const auto& known = entry->attributes;
      if (std::find(known.begin(), known.end(), attribute.name()) == known.end())
        unsupported("the attribute is not supported", node.where(), attribute.name(), "export without it");
      if (!node.attributes.emplace(attribute.name(), read_attribute(attribute, node.where())).second)
        damaged("an attribute is given twice", node.where(), attribute.name());
    }
  }

  void add_output(const onnx::ValueInfoProto& info) {
    const std::string where = "output '" + info.name() + "'";
    for (const Port& port : graph_.outputs)
      if (port.name == info.name()) damaged("the output is listed twice", where);
    graph_.outputs.push_back({find(info.name(), where), info.name(), ElementType::Float, {}, {}, {}});
  }

  std::filesystem::path folder_;
  const ImportOptions& options_;
  std::set<std::string> used_shapes_;
  Budget budget_;
  Graph graph_;
  std::size_t connections_ = 0;
  std::unordered_map<std::string, int> index_;
  std::unordered_map<int, Error> refused_;  // by the first result of the node
};

onnx::ModelProto parse(std::string_view bytes, std::uint64_t most_bytes) {
  if (bytes.empty()) damaged("the file is empty", "file");
  if (bytes.size() > std::min<std::uint64_t>(most_bytes, std::numeric_limits<int>::max()))
    damaged("the file exceeds the memory budget", "file", std::to_string(bytes.size()) + " bytes");
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(MostNesting);
  onnx::ModelProto model;
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    damaged("the file is truncated or not an ONNX model", "file", std::to_string(bytes.size()) + " bytes");
  return model;
}

}  // namespace

Graph import_onnx_bytes(std::string_view bytes, const std::filesystem::path& folder, const ImportOptions& options) {
  const onnx::ModelProto model = parse(bytes, options.most_bytes);
  RefusalList refusals;
  Graph graph = Importer(folder, options).run(model, refusals);
  infer(graph, refusals);
  refusals.raise("graph '" + graph.name + "'");
  for (Port& port : graph.outputs) {
    port.type = graph.value(port.value).type;
    port.shape = graph.value(port.value).shape;
  }
  graph.remove_dead_nodes();
  return graph;
}

}  // namespace espalier::model
