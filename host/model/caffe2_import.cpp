#include "model/caffe2_import.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>
#include <limits>
#include <unordered_map>

#include "model/caffe2_operators.hpp"
#include "model/inference.hpp"

namespace espalier::model {
namespace {

constexpr int MostNesting = 16;
constexpr int CoercingOpset = 11;  // Softmax flattens what lies behind its axis, as in Caffe2

[[noreturn]] void damaged(const std::string& problem, const std::string& where, const std::string& value = {}) {
  throw Error(ErrorCode::Model, problem, where, value, "export the model again");
}

caffe2::NetDef parse(std::string_view bytes, const char* file, const ImportOptions& options) {
  if (bytes.size() > std::min<std::uint64_t>(options.most_bytes, std::numeric_limits<int>::max()))
    damaged("the file exceeds the memory budget", file, std::to_string(bytes.size()) + " bytes");
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  stream.SetRecursionLimit(MostNesting);
  caffe2::NetDef net;
  if (!net.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage())
    damaged("the file is truncated or not a Caffe2 network", file, std::to_string(bytes.size()) + " bytes");
  if (static_cast<std::size_t>(net.op_size()) > MostNodes)
    damaged("the network has too many operators", file, std::to_string(net.op_size()));
  return net;
}

std::string where_of(const caffe2::OperatorDef& entry, int index) {
  const std::string name = entry.name().empty() ? (entry.output_size() > 0 ? entry.output(0) : "") : entry.name();
  return "operator " + std::to_string(index) + " (" + entry.type() + ")" + (name.empty() ? "" : " '" + name + "'");
}

class Importer : public Caffe2Emitter {
 public:
  explicit Importer(const ImportOptions& options) : options_(options), budget_(options.most_bytes) {}

  void fill(const caffe2::NetDef& init) {
    for (int i = 0; i < init.op_size(); ++i) {
      const caffe2::OperatorDef& entry = init.op(i);
      const std::string where = "init_net, " + where_of(entry, i);
      if (entry.output_size() != 1) damaged("the fill does not have one output", where);
      try {
        fills_[entry.output(0)] = read_fill(entry, where);
      } catch (const Error& error) {
        if (error.code() != ErrorCode::Unsupported) throw;
        refusals_.add({entry.output(0), entry.type(), error.where(), error.summary(), error.value(), error.action()});
      }
    }
  }

  Graph run(const caffe2::NetDef& net) {
    graph_.name = net.name();
    graph_.opset = CoercingOpset;
    add_inputs(net);
    for (int i = 0; i < net.op_size(); ++i) add_operator(net.op(i), i);
    for (const std::string& name : net.external_output()) {
      for (const Port& port : graph_.outputs)
        if (port.name == name) damaged("the output is listed twice", "output '" + name + "'");
      graph_.outputs.push_back({read(name, "output '" + name + "'"), name, ElementType::Float, {}, {}, {}});
    }
    if (graph_.outputs.empty()) damaged("the network has no outputs", "network '" + graph_.name + "'");
    graph_.remove_dead_nodes();
    infer(graph_, refusals_);
    refusals_.raise("network '" + graph_.name + "'");
    for (Port& port : graph_.outputs) {
      port.type = graph_.value(port.value).type;
      port.shape = graph_.value(port.value).shape;
    }
    return std::move(graph_);
  }

  int emit(const std::string& op, std::vector<int> inputs, std::map<std::string, Attribute> attributes) override {
    const int result = graph_.add_value(name_);
    graph_.nodes.push_back({name_, op, std::move(inputs), {result}, std::move(attributes)});
    if (graph_.nodes.size() > MostNodes) damaged("the network has too many operators", name_);
    return result;
  }

  Graph& graph() override { return graph_; }

 private:
  Array read_fill(const caffe2::OperatorDef& entry, const std::string& where) {
    const Caffe2Arguments arguments(entry, where);
    Shape shape = arguments.integers("shape");
    const auto count = static_cast<std::size_t>(count_elements(shape, where));
    const auto check = [&](std::size_t given) {
      if (given != count)
        damaged("the fill does not have the number of values of its shape", where,
                std::to_string(given) + " instead of " + std::to_string(count));
    };
    budget_.take(count * sizeof(float), where);
    const std::string& type = entry.type();
    if (type == "ConstantFill") {
      if (arguments.has("dtype") && arguments.integer("dtype", 1) != 1)
        throw Error(ErrorCode::Unsupported, "only float32 can be filled with one value", where,
                    std::to_string(arguments.integer("dtype", 1)), "export float32 weights");
      return {std::move(shape), std::vector<float>(count, arguments.real("value", 0))};
    }
    if (type == "GivenTensorFill") {
      std::vector<float> values = arguments.reals("values");
      check(values.size());
      return {std::move(shape), std::move(values)};
    }
    if (type == "GivenTensorInt64Fill" || type == "GivenTensorIntFill") {
      std::vector<std::int64_t> values = arguments.integers("values");
      check(values.size());
      budget_.take(count * sizeof(float), where);
      return {std::move(shape), std::move(values)};
    }
    throw Error(ErrorCode::Unsupported, "the fill is not supported", where, type,
                "supported are ConstantFill GivenTensorFill GivenTensorIntFill GivenTensorInt64Fill");
  }

  /// External inputs that nothing fills, or that options name; without any the first one.
  void add_inputs(const caffe2::NetDef& net) {
    for (const auto& [name, shape] : options_.shapes) {
      const auto& listed = net.external_input();
      if (std::find(listed.begin(), listed.end(), name) == listed.end())
        throw Error(ErrorCode::Usage, "the shape is of no input", "--shape", name, "name an input of the network");
    }
    for (const std::string& name : net.external_input()) {
      const auto shape = options_.shapes.find(name);
      if (shape != options_.shapes.end()) {
        add_input(name, shape->second);
      } else if (!fills_.contains(name) && is_read(net, name)) {
        throw Error(ErrorCode::Usage, "the shape is not given", "input '" + name + "'", {},
                    "give it with --shape " + name + "=1,3,224,224, and the weights with --init-net");
      }
    }
    if (!graph_.inputs.empty()) return;
    if (net.external_input_size() == 0) damaged("the network has no inputs", "network '" + graph_.name + "'");
    const std::string& first = net.external_input(0);
    const auto filled = fills_.find(first);
    if (filled == fills_.end()) damaged("the network has no inputs that are read", "network '" + graph_.name + "'");
    add_input(first, filled->second.shape);
  }

  static bool is_read(const caffe2::NetDef& net, const std::string& name) {
    return std::any_of(net.op().begin(), net.op().end(), [&](const caffe2::OperatorDef& entry) {
      return std::find(entry.input().begin(), entry.input().end(), name) != entry.input().end();
    });
  }

  void add_input(const std::string& name, const Shape& shape) {
    const std::string where = "input '" + name + "'";
    if (value_of_.contains(name)) damaged("the input is listed twice", where);
    if (count_elements(shape, where) < 1) damaged("the input has no elements", where, to_string(shape));
    const int value = graph_.add_value(name, ElementType::Float, shape);
    value_of_[name] = value;
    graph_.inputs.push_back({value, name, ElementType::Float, shape, {}, {}});
  }

  /// The latest value of a blob; a fill becomes a constant when it is read first.
  int read(const std::string& name, const std::string& where) {
    if (const auto found = value_of_.find(name); found != value_of_.end()) return found->second;
    const auto filled = fills_.find(name);
    if (filled == fills_.end()) {
      if (refusals_.empty()) damaged("a blob is read that nothing defines", where, name);
      return value_of_[name] = graph_.add_value(name);
    }
    return value_of_[name] = graph_.add_constant(name, filled->second);
  }

  void add_operator(const caffe2::OperatorDef& entry, int index) {
    const std::string where = where_of(entry, index);
    if (entry.output_size() == 0) damaged("the operator has no output", where);
    name_ = entry.name().empty() ? entry.output(0) : entry.name();
    connections_ += static_cast<std::size_t>(entry.input_size());
    if (connections_ > MostConnections)
      damaged("the operators of the network have too many inputs", where, std::to_string(connections_));
    std::vector<int> inputs;
    for (const std::string& input : entry.input()) inputs.push_back(read(input, where));
    const Caffe2Operator* kind = find_caffe2_operator(entry.type());
    int result = -1;
    try {
      if (kind == nullptr)
        throw Error(ErrorCode::Unsupported, "the operator is not supported", where, entry.type(),
                    "supported are " + supported_caffe2_operators());
      if (inputs.size() < kind->least_inputs || inputs.size() > kind->most_inputs)
        damaged("the operator has a wrong number of inputs", where, std::to_string(inputs.size()));
      result = kind->convert(*this, inputs, Caffe2Arguments(entry, where));
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unsupported) throw;
      refusals_.add({name_, entry.type(), error.where(), error.summary(), error.value(), error.action()});
      result = graph_.add_value(name_);
    }
    // The second results of Concat, Reshape and Dropout describe the first; nothing of an inference reads them.
    for (const std::string& output : entry.output()) value_of_.erase(output);
    for (const std::string& output : entry.output()) fills_.erase(output);
    value_of_[entry.output(0)] = result;
  }

  const ImportOptions& options_;
  Budget budget_;
  Graph graph_;
  RefusalList refusals_;
  std::string name_;  // of the operator that is being converted
  std::size_t connections_ = 0;
  std::unordered_map<std::string, Array> fills_;
  std::unordered_map<std::string, int> value_of_;
};

}  // namespace

Graph import_caffe2_bytes(std::string_view predict_net, std::string_view init_net, const ImportOptions& options) {
  const caffe2::NetDef net = parse(predict_net, "predict_net", options);
  const caffe2::NetDef init = parse(init_net, "init_net", options);
  Importer importer(options);
  importer.fill(init);
  return importer.run(net);
}

}  // namespace espalier::model
