#include "model/tflite_file.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "model/array_bytes.hpp"
#include "model/half.hpp"
#include "model/tflite_sparsity.hpp"

namespace espalier::model {
namespace {

constexpr int MostNesting = 32;
constexpr int MostTables = 1000000;
constexpr std::size_t MostTensors = 100000;
constexpr std::uint32_t FileVersion = 3;

[[noreturn]] void damaged(const std::string& problem, const std::string& where, const std::string& value = {}) {
  throw Error(ErrorCode::Model, problem, where, value, "export the model again");
}

[[noreturn]] void unsupported(const std::string& problem, const std::string& where, const std::string& value,
                              const std::string& action) {
  throw Error(ErrorCode::Unsupported, problem, where, value, action);
}

/// Bytes of one element in the file.
std::size_t file_bytes(const tflite::Tensor& tensor, ElementType type) {
  return tensor.type() == tflite::TensorType_Float16 ? 2 : element_bytes(type);
}

Array::Values decode(std::span<const std::uint8_t> bytes, std::size_t count, const tflite::Tensor& tensor,
                     ElementType type) {
  if (tensor.type() != tflite::TensorType_Float16) return decode_elements(bytes, count, type);
  std::vector<float> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = half_to_float(static_cast<std::uint16_t>(bytes[2 * i] | bytes[2 * i + 1] << 8));
  return values;
}

}  // namespace

TfliteFile::TfliteFile(std::string_view bytes, const ImportOptions& options)
    : storage_((std::min<std::uint64_t>(bytes.size(), options.most_bytes) + 7) / 8), budget_(options.most_bytes) {
  budget_.take(bytes.size(), "file");
  if (!bytes.empty()) std::memcpy(storage_.data(), bytes.data(), bytes.size());
  bytes_ = {reinterpret_cast<const std::uint8_t*>(storage_.data()), bytes.size()};
  if (bytes_.size() < 8 || bytes_.size() >= FLATBUFFERS_MAX_BUFFER_SIZE ||
      !tflite::ModelBufferHasIdentifier(bytes_.data()))
    damaged("this is not a TensorFlow Lite file", "file", std::to_string(bytes.size()) + " bytes");
  flatbuffers::Verifier verifier(bytes_.data(), bytes_.size(), MostNesting, MostTables);
  if (!tflite::VerifyModelBuffer(verifier))
    damaged("the file is truncated or its structure is damaged", "file", std::to_string(bytes.size()) + " bytes");
  model_ = tflite::GetModel(bytes_.data());
  if (model_->version() != FileVersion)
    unsupported("the version of the file format is not supported", "file", std::to_string(model_->version()),
                "convert the model to version 3");
  const std::size_t graphs = model_->subgraphs() == nullptr ? 0 : model_->subgraphs()->size();
  if (graphs == 0) damaged("the file holds no graph", "file");
  if (graphs > 1)
    unsupported("only one graph is supported", "file", std::to_string(graphs), "export a model without control flow");
  graph_ = model_->subgraphs()->Get(0);
  tensors_ = graph_->tensors() == nullptr ? 0 : graph_->tensors()->size();
  if (tensors_ > MostTensors) damaged("the graph has too many tensors", "graph", std::to_string(tensors_));
  if (operators() > MostNodes) damaged("the graph has too many operators", "graph", std::to_string(operators()));
  // Several tensors may point to one name.
  for (std::size_t i = 0; i < tensors_; ++i)
    budget_.take(tensor(i).name() == nullptr ? 0 : tensor(i).name()->size(), "tensor " + std::to_string(i));
}

TfliteFile::OperatorName TfliteFile::operator_name(const tflite::Operator& entry, const std::string& where) const {
  const auto* codes = model_->operator_codes();
  if (codes == nullptr || entry.opcode_index() >= codes->size())
    damaged("the operator code does not exist", where, std::to_string(entry.opcode_index()));
  const tflite::OperatorCode& code = *codes->Get(entry.opcode_index());
  // Files of before operator 127 only have the older field, later ones have both or a large number in the newer one.
  const std::int32_t builtin = std::max<std::int32_t>(code.deprecated_builtin_code(), code.builtin_code());
  return {builtin, code.custom_code() == nullptr ? "" : code.custom_code()->str().substr(0, 80)};
}

const tflite::Tensor& TfliteFile::tensor(std::size_t index) const {
  return *graph_->tensors()->Get(static_cast<flatbuffers::uoffset_t>(index));
}

std::string TfliteFile::name(std::size_t index) const {
  const auto* text = tensor(index).name();
  return text == nullptr || text->size() == 0 ? "#" + std::to_string(index) : text->str();
}

Shape TfliteFile::shape(std::size_t index) const {
  const auto* sizes = tensor(index).shape();
  if (sizes == nullptr) return {};
  if (sizes->size() > MostRank)
    unsupported("the rank is too large", where(index), std::to_string(sizes->size()), "use at most 4 axes");
  Shape shape(sizes->begin(), sizes->end());
  count_elements(shape, where(index));
  return shape;
}

ElementType TfliteFile::type(std::size_t index) const {
  switch (tensor(index).type()) {
    case tflite::TensorType_Float16:
    case tflite::TensorType_Float32:
      return ElementType::Float;
    case tflite::TensorType_Float64:
      return ElementType::Double;
    case tflite::TensorType_Int8:
      return ElementType::Int8;
    case tflite::TensorType_UInt8:
      return ElementType::UInt8;
    case tflite::TensorType_Int32:
      return ElementType::Int32;
    case tflite::TensorType_Int64:
      return ElementType::Int64;
    case tflite::TensorType_Bool:
      return ElementType::Bool;
    default:
      break;
  }
  unsupported("the element type is not supported", where(index),
              "TensorFlow Lite type " + std::to_string(static_cast<int>(tensor(index).type())),
              "use float32, float16, int8, uint8, int32 or int64 tensors");
}

std::span<const std::uint8_t> TfliteFile::data(std::size_t index) const {
  const auto* buffers = model_->buffers();
  const std::uint32_t number = tensor(index).buffer();
  if (number == 0 && (buffers == nullptr || buffers->size() == 0)) return {};
  if (buffers == nullptr || number >= buffers->size())
    damaged("the buffer of the tensor does not exist", where(index), std::to_string(number));
  const tflite::Buffer& buffer = *buffers->Get(number);
  if (buffer.offset() > 1) {
    if (buffer.offset() > bytes_.size() || buffer.size() > bytes_.size() - buffer.offset())
      damaged("the buffer lies outside of the file", where(index), std::to_string(buffer.offset()));
    return bytes_.subspan(buffer.offset(), buffer.size());
  }
  if (buffer.data() == nullptr) return {};
  return {buffer.data()->data(), buffer.data()->size()};
}

Array TfliteFile::constant(std::size_t index) {
  const tflite::Tensor& entry = tensor(index);
  const ElementType element = type(index);
  Array array{shape(index), {}};
  const auto count = static_cast<std::size_t>(count_elements(array.shape, where(index)));
  budget_.take(count * std::max<std::size_t>(element_bytes(element), 4), where(index));
  const std::span<const std::uint8_t> bytes = data(index);
  const std::size_t unit = file_bytes(entry, element);
  const bool sparse = entry.sparsity() != nullptr;
  const std::size_t stored = sparse ? bytes.size() / unit : count;
  if (bytes.size() != stored * unit || stored > count)
    damaged("the buffer does not have the size of the tensor", where(index),
            std::to_string(bytes.size()) + " bytes for " + to_string(array.shape));
  array.values = decode(bytes, stored, entry, element);
  if (sparse) array = make_dense(array, *entry.sparsity(), where(index));
  if (array.type() == ElementType::Double) array.values = array.as_floats();
  return array;
}

std::optional<TfliteQuantisation> TfliteFile::quantisation(std::size_t index) const {
  const auto* given = tensor(index).quantization();
  if (given == nullptr || type(index) == ElementType::Float) return {};
  if (given->details_type() != 0)
    unsupported("custom quantisation is not supported", where(index), std::to_string(given->details_type()),
                "quantise with scales and zero points");
  if (given->scale() == nullptr || given->scale()->size() == 0) return {};
  TfliteQuantisation result;
  result.scale.assign(given->scale()->begin(), given->scale()->end());
  for (const float scale : result.scale)
    if (!(scale > 0) || std::isinf(scale)) damaged("a scale is not positive", where(index), std::to_string(scale));
  // Elements of 8 bytes: the verifier does not say that they are aligned.
  if (const auto* zero = given->zero_point(); zero != nullptr)
    result.zero = std::get<std::vector<std::int64_t>>(
        decode_elements({zero->Data(), zero->size() * sizeof(std::int64_t)}, zero->size(), ElementType::Int64));
  if (result.zero.empty()) result.zero.assign(result.scale.size(), 0);
  if (result.zero.size() != result.scale.size())
    damaged("scale and zero point differ in size", where(index), std::to_string(result.zero.size()));
  const bool is_unsigned = type(index) == ElementType::UInt8;
  for (const std::int64_t zero : result.zero)
    if (zero < (is_unsigned ? 0 : -128) || zero > (is_unsigned ? 255 : 127))
      damaged("the zero point is out of range", where(index), std::to_string(zero));
  if (result.scale.size() == 1) return result;
  const Shape sizes = shape(index);
  const std::int64_t axis = given->quantized_dimension();
  if (axis < 0 || axis >= static_cast<std::int64_t>(sizes.size()) ||
      sizes[static_cast<std::size_t>(axis)] != static_cast<std::int64_t>(result.scale.size()))
    damaged("the scales do not fit the axis", where(index), std::to_string(axis));
  result.axis = static_cast<std::size_t>(axis);
  return result;
}

}  // namespace espalier::model
