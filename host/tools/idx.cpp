#include "idx.hpp"

#include <algorithm>
#include <array>

#include "esp_error.hpp"
#include "model/array_bytes.hpp"

namespace espalier::tools {
namespace {

using model::ElementType;

[[noreturn]] void fail(const std::string& summary, const std::string& where, const std::string& value) {
  throw Error(ErrorCode::Input, summary, where, value, "give an IDX file with one complete array");
}

struct Kind {
  unsigned code;  // third byte of the file
  std::size_t width;
  ElementType type;
};

constexpr unsigned Int16Code = 0x0B;
constexpr std::array<Kind, 6> Kinds{{{0x08, 1, ElementType::UInt8},
                                     {0x09, 1, ElementType::Int8},
                                     {Int16Code, 2, ElementType::Int32},
                                     {0x0C, 4, ElementType::Int32},
                                     {0x0D, 4, ElementType::Float},
                                     {0x0E, 8, ElementType::Double}}};

std::vector<std::int32_t> decode_int16(std::span<const std::uint8_t> bytes, std::size_t count) {
  std::vector<std::int32_t> values(count);
  for (std::size_t i = 0; i < count; ++i) values[i] = static_cast<std::int16_t>((bytes[2 * i] << 8) | bytes[2 * i + 1]);
  return values;
}

}  // namespace

model::Array parse_idx(std::span<const std::uint8_t> bytes, const std::string& where) {
  if (bytes.size() < 4 || bytes[0] != 0 || bytes[1] != 0) fail("not an IDX file", where, {});
  const auto kind = std::find_if(Kinds.begin(), Kinds.end(), [&](const Kind& known) { return known.code == bytes[2]; });
  if (kind == Kinds.end()) fail("unknown element type of an IDX file", where, std::to_string(bytes[2]));
  const std::size_t rank = bytes[3];
  if (rank < 1 || rank > 8) fail("IDX file with an impossible number of dimensions", where, std::to_string(rank));
  if (bytes.size() < 4 + 4 * rank) fail("the IDX file ends inside its header", where, std::to_string(bytes.size()));

  model::Array array;
  for (std::size_t axis = 0; axis < rank; ++axis) {
    std::uint32_t dimension = 0;
    for (std::size_t i = 0; i < 4; ++i) dimension = (dimension << 8) | bytes[4 + 4 * axis + i];
    array.shape.push_back(dimension);
  }
  const auto count = static_cast<std::size_t>(model::count_elements(array.shape, where, ErrorCode::Input));
  const std::size_t wanted = count * kind->width;
  const std::span<const std::uint8_t> data = bytes.subspan(4 + 4 * rank);
  if (data.size() != wanted)
    fail(data.size() < wanted ? "the IDX file is truncated" : "the IDX file is longer than its header says", where,
         std::to_string(data.size()) + " bytes of data, " + std::to_string(wanted) + " expected");
  if (kind->code == Int16Code) {
    array.values = decode_int16(data, count);
  } else {
    array.values = model::decode_elements(data, count, kind->type, model::ByteOrder::Big);
  }
  return array;
}

}  // namespace espalier::tools
