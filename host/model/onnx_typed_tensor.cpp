#include "model/onnx_typed_tensor.hpp"

#include <limits>

#include "model/half.hpp"
#include "model/onnx_tensor.hpp"
#include "model/operator_graph.hpp"

namespace espalier::model {
namespace {

[[noreturn]] void damaged(const std::string& problem, const std::string& where, const std::string& value) {
  throw Error(ErrorCode::Model, problem, where, value, "export the model again");
}

/// A little-endian number of `bytes` bytes.
std::uint64_t read_little(const std::string& raw, std::size_t at, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(raw[at + i])) << (8 * i);
  return value;
}

/// The bits of every element of the types that Array does not have.
std::vector<std::uint64_t> read_bits(const onnx::TensorProto& proto, DataType type, std::size_t count,
                                     const std::string& where) {
  const auto width = static_cast<std::size_t>(bits_of(type)) / 8;
  const bool wide = type == DataType::UInt32 || type == DataType::UInt64;
  const std::size_t held = proto.has_raw_data() ? proto.raw_data().size() / width
                           : wide               ? static_cast<std::size_t>(proto.uint64_data_size())
                                                : static_cast<std::size_t>(proto.int32_data_size());
  if (held != count || (proto.has_raw_data() && proto.raw_data().size() != count * width))
    damaged("the tensor does not have the number of values of its dimensions", where,
            std::to_string(held) + " instead of " + std::to_string(count));
  std::vector<std::uint64_t> bits(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (proto.has_raw_data())
      bits[i] = read_little(proto.raw_data(), i * width, width);
    else if (wide)
      bits[i] = proto.uint64_data(static_cast<int>(i));
    else
      bits[i] = static_cast<std::uint64_t>(proto.int32_data(static_cast<int>(i)));
  }
  return bits;
}

double real_of_bits(DataType type, std::uint64_t bits) {
  if (type == DataType::Float16) return half_to_float(static_cast<std::uint16_t>(bits));
  const auto exponent = static_cast<int>((bits >> 7) & 255);
  const auto fraction = static_cast<double>(bits & 127);
  double magnitude = std::ldexp(exponent == 0 ? fraction : 128 + fraction, std::max(exponent, 1) - 134);
  if (exponent == 255)
    magnitude = fraction > 0 ? std::numeric_limits<double>::quiet_NaN() : std::numeric_limits<double>::infinity();
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

DataType data_type(ElementType type) {
  switch (type) {
    case ElementType::Float:
      return DataType::Float32;
    case ElementType::Double:
      return DataType::Float64;
    case ElementType::Int8:
      return DataType::Int8;
    case ElementType::UInt8:
      return DataType::UInt8;
    case ElementType::Int32:
      return DataType::Int32;
    case ElementType::Int64:
      return DataType::Int64;
    case ElementType::Bool:
      break;
  }
  return DataType::Bool;
}

}  // namespace

std::optional<DataType> data_type(std::int64_t onnx_type) {
  switch (onnx_type) {
    case onnx::TensorProto::FLOAT16:
      return DataType::Float16;
    case onnx::TensorProto::BFLOAT16:
      return DataType::BFloat16;
    case onnx::TensorProto::INT16:
      return DataType::Int16;
    case onnx::TensorProto::UINT16:
      return DataType::UInt16;
    case onnx::TensorProto::UINT32:
      return DataType::UInt32;
    case onnx::TensorProto::UINT64:
      return DataType::UInt64;
    case onnx::TensorProto::FLOAT:
    case onnx::TensorProto::DOUBLE:
    case onnx::TensorProto::INT8:
    case onnx::TensorProto::UINT8:
    case onnx::TensorProto::INT32:
    case onnx::TensorProto::INT64:
    case onnx::TensorProto::BOOL:
      return data_type(element_type(static_cast<int>(onnx_type), "tensor"));
    default:
      return {};
  }
}

TypedTensor read_typed_tensor(const onnx::TensorProto& proto, const std::filesystem::path& folder, Budget& budget) {
  const std::string where = "tensor '" + proto.name() + "'";
  const std::optional<DataType> type = data_type(proto.data_type());
  if (!type)
    throw Error(ErrorCode::Unsupported, "the element type is not supported", where,
                "ONNX type " + std::to_string(proto.data_type()), "use float, integer or bool tensors");
  const bool array = *type != DataType::Float16 && *type != DataType::BFloat16 && *type != DataType::Int16 &&
                     *type != DataType::UInt16 && *type != DataType::UInt32 && *type != DataType::UInt64;
  if (array) {
    const Array read = read_tensor(proto, folder, budget);
    budget.take(8 * read.size(), where);
    if (is_real(*type)) return {*type, read.shape, read.as_doubles()};
    return integer_tensor(*type, read.shape, read.as_integers());
  }
  if (proto.has_segment() || proto.data_location() == onnx::TensorProto::EXTERNAL)
    throw Error(ErrorCode::Unsupported, "external data of this type is not supported", where, to_string(*type),
                "keep it in the model");
  Shape shape(proto.dims().begin(), proto.dims().end());
  const auto count = static_cast<std::size_t>(count_elements(shape, where));
  budget.take(16 * count, where);
  const std::vector<std::uint64_t> bits = read_bits(proto, *type, count, where);
  if (!is_real(*type)) return integer_tensor(*type, std::move(shape), Integers(bits.begin(), bits.end()));
  Reals values;
  values.reserve(count);
  for (const std::uint64_t element : bits) values.push_back(real_of_bits(*type, element));
  return {*type, std::move(shape), std::move(values)};
}

TypedTensor read_typed_tensor(std::string_view bytes, const std::filesystem::path& folder) {
  onnx::TensorProto proto;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !proto.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    damaged("the file is not an ONNX tensor", "tensor file", std::to_string(bytes.size()) + " bytes");
  Budget budget(ImportOptions{}.most_bytes);
  return read_typed_tensor(proto, folder, budget);
}

}  // namespace espalier::model
