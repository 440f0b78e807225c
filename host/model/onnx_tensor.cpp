#include "model/onnx_tensor.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <type_traits>

#include "esp_error.hpp"
#include "model/array_bytes.hpp"

namespace espalier::model {
namespace {

[[noreturn]] void damaged(const std::string& problem, const std::string& where, const std::string& value) {
  throw Error(ErrorCode::Model, problem, where, value, "export the model again");
}

Array::Values from_raw(std::string_view raw, std::size_t count, ElementType type, const std::string& where) {
  const std::size_t bytes = count * element_bytes(type);
  if (raw.size() != bytes)
    damaged("raw data does not have the size of the tensor", where,
            std::to_string(raw.size()) + " bytes instead of " + std::to_string(bytes));
  return decode_elements({reinterpret_cast<const std::uint8_t*>(raw.data()), raw.size()}, count, type);
}

/// Elements of a repeated field, which must be in the range of Element.
template <typename Element, typename Field>
std::vector<Element> from_field(const Field& field, std::size_t count, const std::string& where) {
  if (static_cast<std::size_t>(field.size()) != count)
    damaged("the tensor does not have the number of values of its dimensions", where,
            std::to_string(field.size()) + " instead of " + std::to_string(count));
  std::vector<Element> values;
  values.reserve(count);
  for (const auto value : field) {
    const auto element = static_cast<Element>(value);
    if constexpr (std::is_integral_v<Element>)
      if (static_cast<std::int64_t>(element) != static_cast<std::int64_t>(value))
        damaged("a value does not fit the type of the tensor", where, std::to_string(value));
    values.push_back(element);
  }
  return values;
}

std::uint64_t to_number(const std::string& text, const std::string& where) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    damaged("external data has a wrong offset or length", where, text);
  return value;
}

/// A file inside `folder`, links followed.
std::filesystem::path external_path(const std::string& location, const std::filesystem::path& folder,
                                    const std::string& where) {
  const auto refuse = [&](const char* problem) {
    throw Error(ErrorCode::Model, problem, where, location, "keep external data beside the model file");
  };
  if (folder.empty()) refuse("external data cannot be read without a model file");
  if (location.empty() || location.find('\0') != std::string::npos) refuse("external data has no location");
  std::error_code error;
  const auto root = std::filesystem::canonical(folder, error);
  if (error) refuse("the folder of the model cannot be read");
  auto path = std::filesystem::canonical(root / location, error);
  if (error) refuse("external data does not exist");
  const auto relative = path.lexically_relative(root);
  if (std::filesystem::path(location).is_absolute() || relative.empty() || *relative.begin() == "..")
    refuse("external data lies outside of the folder of the model");
  if (!std::filesystem::is_regular_file(path, error)) refuse("external data is not a file");
  return path;
}

std::string read_external(const onnx::TensorProto& tensor, const std::filesystem::path& folder, std::uint64_t bytes,
                          const std::string& where) {
  std::string location;
  std::uint64_t offset = 0, length = bytes;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") offset = to_number(entry.value(), where);
    if (entry.key() == "length") length = to_number(entry.value(), where);
  }
  const auto path = external_path(location, folder, where);
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(path, error);
  if (error || length != bytes || offset > size || size - offset < bytes)
    damaged("external data does not have the size of the tensor", where, location);
  std::ifstream stream(path, std::ios::binary);
  std::string data(bytes, '\0');
  stream.seekg(static_cast<std::streamoff>(offset));
  stream.read(data.data(), static_cast<std::streamsize>(bytes));
  if (!stream) damaged("external data cannot be read", where, location);
  return data;
}

Array::Values from_fields(const onnx::TensorProto& tensor, std::size_t count, ElementType type,
                          const std::string& where) {
  switch (type) {
    case ElementType::Float:
      return from_field<float>(tensor.float_data(), count, where);
    case ElementType::Double:
      return from_field<double>(tensor.double_data(), count, where);
    case ElementType::Int64:
      return from_field<std::int64_t>(tensor.int64_data(), count, where);
    case ElementType::Int32:
      return from_field<std::int32_t>(tensor.int32_data(), count, where);
    case ElementType::Int8:
      return from_field<std::int8_t>(tensor.int32_data(), count, where);
    case ElementType::UInt8:
      return from_field<std::uint8_t>(tensor.int32_data(), count, where);
    case ElementType::Bool:
      return from_field<char>(tensor.int32_data(), count, where);
  }
  return {};
}

}  // namespace

ElementType element_type(int type, const std::string& where) {
  switch (type) {
    case onnx::TensorProto::FLOAT:
      return ElementType::Float;
    case onnx::TensorProto::DOUBLE:
      return ElementType::Double;
    case onnx::TensorProto::INT8:
      return ElementType::Int8;
    case onnx::TensorProto::UINT8:
      return ElementType::UInt8;
    case onnx::TensorProto::INT32:
      return ElementType::Int32;
    case onnx::TensorProto::INT64:
      return ElementType::Int64;
    case onnx::TensorProto::BOOL:
      return ElementType::Bool;
    default:
      break;
  }
  throw Error(ErrorCode::Unsupported, "the element type is not supported", where, "ONNX type " + std::to_string(type),
              "use float32, int8, uint8, int32 or int64 tensors");
}

int onnx_type(ElementType type) {
  switch (type) {
    case ElementType::Float:
      return onnx::TensorProto::FLOAT;
    case ElementType::Int8:
      return onnx::TensorProto::INT8;
    case ElementType::UInt8:
      return onnx::TensorProto::UINT8;
    case ElementType::Int32:
      return onnx::TensorProto::INT32;
    case ElementType::Int64:
      return onnx::TensorProto::INT64;
    case ElementType::Bool:
      return onnx::TensorProto::BOOL;
    case ElementType::Double:
      return onnx::TensorProto::DOUBLE;
  }
  return onnx::TensorProto::UNDEFINED;
}

Array read_tensor(const onnx::TensorProto& tensor, const std::filesystem::path& folder, Budget& budget) {
  const std::string where = "tensor '" + tensor.name() + "'";
  if (tensor.has_segment())
    throw Error(ErrorCode::Unsupported, "segmented tensors are not supported", where, {}, "export the model again");
  Array array;
  array.shape.assign(tensor.dims().begin(), tensor.dims().end());
  const auto count = static_cast<std::size_t>(count_elements(array.shape, where));
  const ElementType type = element_type(tensor.data_type(), where);
  const std::size_t bytes = count * element_bytes(type);
  budget.take(std::max(bytes, 4 * count), where);
  if (tensor.data_location() == onnx::TensorProto::EXTERNAL) {
    array.values = from_raw(read_external(tensor, folder, bytes, where), count, type, where);
  } else if (tensor.has_raw_data()) {
    array.values = from_raw(tensor.raw_data(), count, type, where);
  } else {
    array.values = from_fields(tensor, count, type, where);
  }
  return array;
}

onnx::TensorProto write_tensor(const Array& array, const std::string& name) {
  onnx::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(onnx_type(array.type()));
  for (const std::int64_t size : array.shape) tensor.add_dims(size);
  const std::vector<std::uint8_t> raw = encode_elements(array.values);
  tensor.set_raw_data(raw.data(), raw.size());
  return tensor;
}

}  // namespace espalier::model
