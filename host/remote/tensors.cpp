#include "remote/tensors.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>

#include "esp_error.hpp"

namespace espalier::remote {
namespace {

static_assert(std::endian::native == std::endian::little, "raw contents are little-endian");

[[noreturn]] void refuse(ErrorCode code, const std::string& what, const std::string& tensor, const std::string& value) {
  throw Error(code, what, "tensor " + tensor, value, "see the model's metadata");
}

model::ElementType element_type(const std::string& name, const std::string& tensor) {
  if (name == "FP32") return model::ElementType::Float;
  if (name == "INT8") return model::ElementType::Int8;
  if (name == "UINT8") return model::ElementType::UInt8;
  refuse(ErrorCode::Input, "datatype is not one of FP32, INT8, UINT8", tensor, name);
}

template <typename Stored>
std::vector<float> from_bytes(const std::string& bytes) {
  std::vector<Stored> stored(bytes.size() / sizeof(Stored));
  std::memcpy(stored.data(), bytes.data(), stored.size() * sizeof(Stored));
  return {stored.begin(), stored.end()};
}

template <typename Stored, typename Value>
std::string to_bytes(const std::vector<Value>& values) {
  std::vector<Stored> stored(values.size());
  std::transform(values.begin(), values.end(), stored.begin(), [](Value value) { return static_cast<Stored>(value); });
  return {reinterpret_cast<const char*>(stored.data()), stored.size() * sizeof(Stored)};
}

std::vector<float> read_raw(const std::string& bytes, model::ElementType type) {
  switch (type) {
    case model::ElementType::Int8:
      return from_bytes<std::int8_t>(bytes);
    case model::ElementType::UInt8:
      return from_bytes<std::uint8_t>(bytes);
    default:
      return from_bytes<float>(bytes);
  }
}

template <typename Value>
std::string write_raw(const std::vector<Value>& values, model::ElementType type) {
  switch (type) {
    case model::ElementType::Int8:
      return to_bytes<std::int8_t>(values);
    case model::ElementType::UInt8:
      return to_bytes<std::uint8_t>(values);
    default:
      return to_bytes<float>(values);
  }
}

std::vector<float> read_typed(const inference::InferTensorContents& contents, model::ElementType type) {
  switch (type) {
    case model::ElementType::Int8:
      return {contents.int_contents().begin(), contents.int_contents().end()};
    case model::ElementType::UInt8:
      return {contents.uint_contents().begin(), contents.uint_contents().end()};
    default:
      return {contents.fp32_contents().begin(), contents.fp32_contents().end()};
  }
}

/// What a tensor message must be, and the values found in it.
struct Wanted {
  const std::string& name;
  model::ElementType type;
  const model::Shape& shape;
};

/// The values of a tensor, raw or typed. Throws Error(code) unless datatype, shape and size are as wanted.
template <typename Tensor>
std::vector<float> values_of(const Tensor& tensor, const std::string* raw, const Wanted& wanted, ErrorCode code) {
  if (tensor.datatype() != datatype(wanted.type))
    refuse(code, std::string("datatype is not ") + datatype(wanted.type), wanted.name, tensor.datatype());
  const model::Shape shape(tensor.shape().begin(), tensor.shape().end());
  if (shape != wanted.shape)
    refuse(code, "shape is not " + model::to_string(wanted.shape), wanted.name, model::to_string(shape));
  const auto elements = static_cast<std::size_t>(model::count_elements(wanted.shape, wanted.name));
  if (raw != nullptr && raw->size() != elements * model::element_bytes(wanted.type))
    refuse(code, "wrong number of bytes", wanted.name, std::to_string(raw->size()));
  std::vector<float> values = raw != nullptr ? read_raw(*raw, wanted.type) : read_typed(tensor.contents(), wanted.type);
  if (values.size() != elements) refuse(code, "wrong number of values", wanted.name, std::to_string(values.size()));
  if (!std::all_of(values.begin(), values.end(), [](float value) { return std::isfinite(value); }))
    refuse(code, "a value is not finite", wanted.name, "NaN or infinity");
  return values;
}

template <typename Port>
std::size_t index_of(const std::vector<Port>& ports, const std::string& name, ErrorCode code) {
  const auto found = std::find_if(ports.begin(), ports.end(), [&](const Port& port) { return port.name == name; });
  if (found == ports.end()) refuse(code, "the model has no such tensor", name, {});
  return static_cast<std::size_t>(found - ports.begin());
}

model::ElementType type_of(const run::Output& output) {
  if (output.type == "int8") return model::ElementType::Int8;
  return output.type == "uint8" ? model::ElementType::UInt8 : model::ElementType::Float;
}

}  // namespace

const char* datatype(model::ElementType type) {
  switch (type) {
    case model::ElementType::Int8:
      return "INT8";
    case model::ElementType::UInt8:
      return "UINT8";
    default:
      return "FP32";
  }
}

std::vector<std::vector<float>> read_inputs(const inference::ModelInferRequest& request, const run::Ports& ports) {
  const bool raw = request.raw_input_contents_size() != 0;
  if (raw && request.raw_input_contents_size() != request.inputs_size())
    throw Error(ErrorCode::Input, "raw contents are not one per input", "request",
                std::to_string(request.raw_input_contents_size()), "give " + std::to_string(request.inputs_size()));
  if (static_cast<std::size_t>(request.inputs_size()) != ports.inputs.size())
    throw Error(ErrorCode::Input, "wrong number of inputs", "request", std::to_string(request.inputs_size()),
                "give " + std::to_string(ports.inputs.size()));
  std::vector<std::vector<float>> values(ports.inputs.size());
  for (int i = 0; i < request.inputs_size(); ++i) {
    const auto& tensor = request.inputs(i);
    const std::size_t index = index_of(ports.inputs, tensor.name(), ErrorCode::Input);
    const compress::Input& port = ports.inputs[index];
    if (!values[index].empty()) refuse(ErrorCode::Input, "tensor given twice", tensor.name(), {});
    if (raw && tensor.has_contents())
      refuse(ErrorCode::Input, "both raw and typed contents", tensor.name(), "raw_input_contents is set");
    const std::string* bytes = raw ? &request.raw_input_contents(i) : nullptr;
    values[index] = values_of(tensor, bytes, {port.name, port.type, port.shape}, ErrorCode::Input);
  }
  return values;
}

void write_inputs(const std::vector<std::vector<float>>& values, const run::Ports& ports,
                  inference::ModelInferRequest& request) {
  for (std::size_t i = 0; i < ports.inputs.size(); ++i) {
    const compress::Input& port = ports.inputs[i];
    auto* tensor = request.add_inputs();
    tensor->set_name(port.name);
    tensor->set_datatype(datatype(port.type));
    for (const std::int64_t size : port.shape) tensor->add_shape(size);
    request.add_raw_input_contents(write_raw(values.at(i), port.type));
  }
}

void write_output(const run::Output& output, Contents contents, inference::ModelInferResponse& response) {
  const model::ElementType type = type_of(output);
  auto* tensor = response.add_outputs();
  tensor->set_name(output.name);
  tensor->set_datatype(datatype(type));
  for (const std::int64_t size : output.shape) tensor->add_shape(size);
  if (contents == Contents::Raw) {
    response.add_raw_output_contents(write_raw(output.values, type));
    return;
  }
  auto* typed = tensor->mutable_contents();
  for (const double value : output.values) {
    if (type == model::ElementType::Int8) {
      typed->add_int_contents(static_cast<std::int32_t>(value));
    } else if (type == model::ElementType::UInt8) {
      typed->add_uint_contents(static_cast<std::uint32_t>(value));
    } else {
      typed->add_fp32_contents(static_cast<float>(value));
    }
  }
}

std::vector<run::Output> read_outputs(const inference::ModelInferResponse& response, const run::Ports& ports,
                                      const std::vector<std::size_t>& outputs) {
  std::vector<std::size_t> wanted = outputs;
  for (std::size_t i = 0; outputs.empty() && i < ports.outputs.size(); ++i) wanted.push_back(i);
  const bool raw = response.raw_output_contents_size() != 0;
  const auto count = static_cast<std::size_t>(response.outputs_size());
  if (count != wanted.size() || (raw && response.raw_output_contents_size() != response.outputs_size()))
    throw Error(ErrorCode::Mismatch, "wrong number of outputs in the answer", "server", std::to_string(count),
                "check that the server has the same model");
  std::map<std::size_t, run::Output> found;
  for (int i = 0; i < response.outputs_size(); ++i) {
    const auto& tensor = response.outputs(i);
    const std::size_t index = index_of(ports.outputs, tensor.name(), ErrorCode::Mismatch);
    const compress::Output& port = ports.outputs[index];
    const std::string* bytes = raw ? &response.raw_output_contents(i) : nullptr;
    const std::vector<float> values = values_of(tensor, bytes, {port.name, port.type, port.shape}, ErrorCode::Mismatch);
    found[index] = {port.name, run::type_name(port.type), port.shape, {values.begin(), values.end()}};
  }
  std::vector<run::Output> result;
  for (const std::size_t index : wanted) {
    if (!found.contains(index))
      refuse(ErrorCode::Mismatch, "output missing in the answer", ports.outputs[index].name, {});
    result.push_back(found[index]);
  }
  return result;
}

run::Ports read_ports(const inference::ModelMetadataResponse& metadata) {
  run::Ports ports;
  for (const auto& tensor : metadata.inputs()) {
    compress::Input port;
    port.name = tensor.name();
    port.type = element_type(tensor.datatype(), tensor.name());
    port.shape.assign(tensor.shape().begin(), tensor.shape().end());
    ports.inputs.push_back(std::move(port));
  }
  for (const auto& tensor : metadata.outputs()) {
    compress::Output port;
    port.name = tensor.name();
    port.type = element_type(tensor.datatype(), tensor.name());
    port.shape.assign(tensor.shape().begin(), tensor.shape().end());
    ports.outputs.push_back(std::move(port));
  }
  return ports;
}

std::optional<std::int64_t> integer_parameter(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  if (found == parameters.end()) return {};
  if (found->second.has_int64_param()) return found->second.int64_param();
  if (found->second.has_uint64_param()) return static_cast<std::int64_t>(found->second.uint64_param());
  return {};
}

std::optional<std::string> text_parameter(const Parameters& parameters, const std::string& name) {
  const auto found = parameters.find(name);
  if (found == parameters.end() || !found->second.has_string_param()) return {};
  return found->second.string_param();
}

}  // namespace espalier::remote
