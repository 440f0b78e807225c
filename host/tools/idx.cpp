#include "idx.hpp"

#include "bytes.hpp"
#include "esp_error.hpp"

namespace espalier::tools {
namespace {

[[noreturn]] void fail(const std::string& summary, const std::string& where, const std::string& value) {
  throw Error(ErrorCode::Input, summary, where, value, "give an IDX file with one complete array");
}

std::vector<double> decode_int16(std::span<const std::uint8_t> bytes, std::size_t count) {
  std::vector<double> values(count);
  for (std::size_t i = 0; i < count; ++i)
    values[i] = static_cast<double>(static_cast<std::int16_t>((bytes[2 * i] << 8) | bytes[2 * i + 1]));
  return values;
}

}  // namespace

Tensor parse_idx(std::span<const std::uint8_t> bytes, const std::string& where) {
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0) fail("not an IDX file", where, {});
  const unsigned code = bytes[2];
  const std::size_t rank = bytes[3];
  if (rank < 1 || rank > 8) fail("IDX file with an impossible number of dimensions", where, std::to_string(rank));
  if (bytes.size() < 4 + 4 * rank) fail("the IDX file ends inside its header", where, std::to_string(bytes.size()));

  Tensor tensor;
  tensor.name = where;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::uint32_t dimension = 0;
    for (std::size_t i = 0; i < 4; ++i) dimension = (dimension << 8) | bytes[4 + 4 * axis + i];
    tensor.shape.push_back(dimension);
  }
  std::size_t width = 0;
  switch (code) {
    case 0x08:
      tensor.type = ElementType::UInt8;
      width = 1;
      break;
    case 0x09:
      tensor.type = ElementType::Int8;
      width = 1;
      break;
    case 0x0B:
      tensor.type = ElementType::Int32;
      width = 2;
      break;
    case 0x0C:
      tensor.type = ElementType::Int32;
      width = 4;
      break;
    case 0x0D:
      tensor.type = ElementType::Float32;
      width = 4;
      break;
    case 0x0E:
      tensor.type = ElementType::Float64;
      width = 8;
      break;
    default:
      fail("unknown element type of an IDX file", where, std::to_string(code));
  }
  tensor.image = tensor.type == ElementType::UInt8 && rank >= 3;

  const std::size_t count = element_count(tensor.shape, where);
  const std::span<const std::uint8_t> data = bytes.subspan(4 + 4 * rank);
  if (data.size() != count * width)
    fail(data.size() < count * width ? "the IDX file is truncated" : "the IDX file is longer than its header says",
         where, std::to_string(data.size()) + " bytes of data, " + std::to_string(count * width) + " expected");
  tensor.values =
      width == 2 ? decode_int16(data, count) : decode_elements(data, count, tensor.type, ByteOrder::Big, where);
  return tensor;
}

}  // namespace espalier::tools
