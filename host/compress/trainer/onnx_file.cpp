#include "onnx_file.hpp"

#include <cstring>
#include <fstream>

#include <onnx/checker.h>
#include <onnx/onnx_pb.h>
#include <onnx/shape_inference/implementation.h>

#include "esp_error.hpp"

namespace espalier::trainer {
namespace {

constexpr int OpsetVersion = 13;
constexpr int IrVersion = 7;

void set_shape(onnx::ValueInfoProto& info, const Shape& shape) {
  info.set_name(shape.name);
  onnx::TypeProto_Tensor& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t size : shape.sizes) tensor.mutable_shape()->add_dim()->set_dim_value(size);
}

Shape get_shape(const onnx::ValueInfoProto& info) {
  Shape shape{info.name(), {}};
  for (const auto& dim : info.type().tensor_type().shape().dim()) shape.sizes.push_back(dim.dim_value());
  return shape;
}

void add_node(onnx::GraphProto& proto, const Node& node) {
  onnx::NodeProto& written = *proto.add_node();
  written.set_op_type(node.op);
  written.set_name(node.name);
  for (const std::string& input : node.inputs) written.add_input(input);
  written.add_output(node.output);
  for (const Attribute& attribute : node.attributes) {
    onnx::AttributeProto& out = *written.add_attribute();
    out.set_name(attribute.name);
    if (attribute.kind == Attribute::Kind::Integer) {
      out.set_type(onnx::AttributeProto::INT);
      out.set_i(attribute.values.at(0));
    } else {
      out.set_type(onnx::AttributeProto::INTS);
      for (const std::int64_t value : attribute.values) out.add_ints(value);
    }
  }
}

Node get_node(const onnx::NodeProto& proto) {
  if (proto.output_size() != 1)
    throw Error(ErrorCode::Model, "not one output", "node " + proto.name(), std::to_string(proto.output_size()));
  Node node{proto.op_type(), proto.name(), {proto.input().begin(), proto.input().end()}, proto.output(0), {}};
  for (const auto& attribute : proto.attribute()) {
    if (attribute.type() == onnx::AttributeProto::INT)
      node.attributes.push_back({attribute.name(), Attribute::Kind::Integer, {attribute.i()}});
    else if (attribute.type() == onnx::AttributeProto::INTS)
      node.attributes.push_back(
          {attribute.name(), Attribute::Kind::Integers, {attribute.ints().begin(), attribute.ints().end()}});
    else
      throw Error(ErrorCode::Model, "attribute is not an integer", "node " + proto.name(), attribute.name());
  }
  return node;
}

void add_initializer(onnx::GraphProto& proto, const Initializer& initializer) {
  onnx::TensorProto& tensor = *proto.add_initializer();
  tensor.set_name(initializer.shape.name);
  tensor.set_data_type(onnx::TensorProto::FLOAT);
  for (const std::int64_t size : initializer.shape.sizes) tensor.add_dims(size);
  // raw_data is little-endian by definition, as the hosts this runs on are.
  tensor.set_raw_data(initializer.values.data(), initializer.values.size() * sizeof(float));
}

Initializer get_initializer(const onnx::TensorProto& tensor) {
  if (tensor.data_type() != onnx::TensorProto::FLOAT || !tensor.has_raw_data())
    throw Error(ErrorCode::Model, "not raw float data", "initializer " + tensor.name());
  Initializer initializer{{tensor.name(), {tensor.dims().begin(), tensor.dims().end()}}, {}};
  initializer.values.resize(tensor.raw_data().size() / sizeof(float));
  std::memcpy(initializer.values.data(), tensor.raw_data().data(), initializer.values.size() * sizeof(float));
  return initializer;
}

}  // namespace

void write_onnx(const std::filesystem::path& path, const Graph& graph) {
  onnx::ModelProto model;
  model.set_ir_version(IrVersion);
  model.set_producer_name("espalier_trainer");
  model.add_opset_import()->set_version(OpsetVersion);
  onnx::GraphProto& proto = *model.mutable_graph();
  proto.set_name(graph.name);
  set_shape(*proto.add_input(), graph.input);
  for (const Shape& output : graph.outputs) set_shape(*proto.add_output(), output);
  for (const Node& node : graph.nodes) add_node(proto, node);
  for (const Initializer& initializer : graph.initializers) add_initializer(proto, initializer);

  try {
    onnx::shape_inference::InferShapes(model);
    onnx::checker::check_model(model);
  } catch (const std::exception& failure) {
    throw Error(ErrorCode::Internal, "not valid ONNX", "graph " + graph.name, failure.what());
  }
  std::ofstream stream(path, std::ios::binary);
  if (!model.SerializeToOstream(&stream) || !stream.flush())
    throw Error(ErrorCode::Input, "cannot write the file", path.string());
}

Graph read_onnx(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  onnx::ModelProto model;
  if (!stream || !model.ParseFromIstream(&stream))
    throw Error(ErrorCode::Model, "not a readable ONNX file", path.string());
  const onnx::GraphProto& proto = model.graph();
  if (proto.input_size() != 1 || proto.output_size() == 0)
    throw Error(ErrorCode::Model, "not one input and at least one output", path.string());

  Graph graph{proto.name(), get_shape(proto.input(0)), {}, {}, {}};
  for (const onnx::ValueInfoProto& output : proto.output()) graph.outputs.push_back(get_shape(output));
  for (const onnx::NodeProto& node : proto.node()) graph.nodes.push_back(get_node(node));
  for (const onnx::TensorProto& tensor : proto.initializer()) graph.initializers.push_back(get_initializer(tensor));
  return graph;
}

}  // namespace espalier::trainer
