#include "tensor_file.hpp"

#include <onnx/onnx_pb.h>

#include <climits>

#include "bytes.hpp"
#include "esp_error.hpp"

namespace espalier::tools {
namespace {

[[noreturn]] void fail(const std::string& summary, const std::string& where, const std::string& value) {
  throw Error(ErrorCode::Input, summary, where, value, "give a TensorProto file with one complete tensor");
}

ElementType element_type(int code, const std::string& where) {
  switch (code) {
    case onnx::TensorProto::FLOAT:
      return ElementType::Float32;
    case onnx::TensorProto::DOUBLE:
      return ElementType::Float64;
    case onnx::TensorProto::INT8:
      return ElementType::Int8;
    case onnx::TensorProto::UINT8:
      return ElementType::UInt8;
    case onnx::TensorProto::INT32:
      return ElementType::Int32;
    case onnx::TensorProto::INT64:
      return ElementType::Int64;
    default:
      fail("element type of the tensor is not read", where, "data_type " + std::to_string(code));
  }
}

// The typed fields: int8 and uint8 travel in int32_data.
std::vector<double> typed_values(const onnx::TensorProto& proto, ElementType type) {
  switch (type) {
    case ElementType::Float32:
      return {proto.float_data().begin(), proto.float_data().end()};
    case ElementType::Float64:
      return {proto.double_data().begin(), proto.double_data().end()};
    case ElementType::Int64: {
      std::vector<double> values;
      values.reserve(static_cast<std::size_t>(proto.int64_data_size()));
      for (const auto value : proto.int64_data()) values.push_back(static_cast<double>(value));
      return values;
    }
    case ElementType::Int8:
    case ElementType::UInt8:
    case ElementType::Int32:
      return {proto.int32_data().begin(), proto.int32_data().end()};
  }
  return {};
}

}  // namespace

Tensor parse_tensor_proto(std::span<const std::uint8_t> bytes, const std::string& where) {
  onnx::TensorProto proto;
  if (bytes.size() > INT_MAX || !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    fail("not a TensorProto", where, std::to_string(bytes.size()) + " bytes");
  if (proto.data_location() == onnx::TensorProto::EXTERNAL || proto.has_segment())
    fail("the tensor's data is in another file", where, proto.name());
  Tensor tensor;
  tensor.name = proto.name().empty() ? where : proto.name();
  tensor.type = element_type(proto.data_type(), where);
  tensor.shape.assign(proto.dims().begin(), proto.dims().end());
  const std::size_t count = element_count(tensor.shape, where);
  if (proto.has_raw_data()) {
    const std::string& raw = proto.raw_data();
    if (raw.size() != count * element_bytes(tensor.type))
      fail("data does not fit the dimensions", where,
           std::to_string(raw.size()) + " bytes for " + shape_text(tensor.shape));
    tensor.values = decode_elements({reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()}, count, tensor.type,
                                    ByteOrder::Little, where);
  } else {
    tensor.values = typed_values(proto, tensor.type);
    if (tensor.values.size() != count)
      fail("data does not fit the dimensions", where,
           std::to_string(tensor.values.size()) + " values for " + shape_text(tensor.shape));
  }
  return tensor;
}

}  // namespace espalier::tools
