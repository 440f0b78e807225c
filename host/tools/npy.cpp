#include "npy.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <string_view>

#include "esp_error.hpp"
#include "model/array_bytes.hpp"

namespace espalier::tools {
namespace {

using model::ByteOrder;
using model::ElementType;

constexpr std::string_view Magic = "\x93NUMPY";
constexpr std::size_t MaxHeaderBytes = 65536;
constexpr std::size_t MaxRank = 32;

struct KnownType {
  std::string_view code;
  ElementType type;
};
constexpr std::array<KnownType, 6> KnownTypes{{{"f4", ElementType::Float},
                                               {"f8", ElementType::Double},
                                               {"i1", ElementType::Int8},
                                               {"u1", ElementType::UInt8},
                                               {"i4", ElementType::Int32},
                                               {"i8", ElementType::Int64}}};

[[noreturn]] void fail(const std::string& summary, const std::string& where, const std::string& value) {
  throw Error(ErrorCode::Input, summary, where, value, "write the array again with numpy.save");
}

struct Header {
  std::optional<std::string> type;
  std::optional<bool> fortran;
  std::optional<std::vector<std::int64_t>> shape;
};

// Reads the header's dictionary literal: {'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }.
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  Header parse() {
    Header header;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !header.type) {
        header.type = quoted();
      } else if (key == "fortran_order" && !header.fortran) {
        header.fortran = boolean();
      } else if (key == "shape" && !header.shape) {
        header.shape = tuple();
      } else {
        fail("unexpected or repeated key in the header of a .npy file", where_, key);
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_space();
    if (position_ != text_.size()) fail("text after the header's dictionary", where_, {});
    if (!header.type || !header.fortran || !header.shape)
      fail("header of a .npy file lacks descr, fortran_order or shape", where_, std::string(text_));
    return header;
  }

 private:
  void skip_space() {
    while (position_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[position_])) != 0) ++position_;
  }
  bool accept(char wanted) {
    skip_space();
    if (position_ >= text_.size() || text_[position_] != wanted) return false;
    ++position_;
    return true;
  }
  void expect(char wanted) {
    if (!accept(wanted))
      fail("header of a .npy file is damaged", where_,
           "expected " + std::string(1, wanted) + " at character " + std::to_string(position_));
  }
  std::string quoted() {
    skip_space();
    const char quote = accept('"') ? '"' : (expect('\''), '\'');
    const std::size_t end = text_.find(quote, position_);
    if (end == std::string_view::npos) fail("string without end in the header of a .npy file", where_, {});
    std::string value(text_.substr(position_, end - position_));
    position_ = end + 1;
    return value;
  }
  bool boolean() {
    skip_space();
    for (const auto& [word, value] : {std::pair{std::string_view("True"), true}, {std::string_view("False"), false}}) {
      if (text_.substr(position_).starts_with(word)) {
        position_ += word.size();
        return value;
      }
    }
    fail("fortran_order is neither True nor False", where_, {});
  }
  std::int64_t integer() {
    skip_space();
    std::int64_t value = 0;
    const std::size_t begin = position_;
    while (position_ < text_.size() && std::isdigit(static_cast<unsigned char>(text_[position_])) != 0) {
      if (position_ - begin >= 15) fail("dimension is too large", where_, std::string(text_.substr(begin, 20)));
      value = value * 10 + (text_[position_++] - '0');
    }
    if (position_ == begin) fail("shape holds something that is not a dimension", where_, std::string(text_));
    return value;
  }
  std::vector<std::int64_t> tuple() {
    std::vector<std::int64_t> shape;
    expect('(');
    while (!accept(')')) {
      shape.push_back(integer());
      if (shape.size() > MaxRank) fail("too many dimensions", where_, std::to_string(shape.size()));
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t position_ = 0;
};

struct TypeCode {
  ElementType type;
  ByteOrder order;
};

TypeCode parse_type(const std::string& text, const std::string& where) {
  const bool marked = !text.empty() && std::string_view("<>=|").find(text[0]) != std::string_view::npos;
  const std::string_view code = std::string_view(text).substr(marked ? 1 : 0);
  for (const KnownType& candidate : KnownTypes)
    if (candidate.code == code) return {candidate.type, text[0] == '>' ? ByteOrder::Big : ByteOrder::Little};
  throw Error(ErrorCode::Input, "element type of the .npy file is not read", where, text,
              "save it as float32, float64, int8, uint8, int32 or int64");
}

// Element i of the result is the C-order index; Fortran order has the first index innermost.
template <typename Element>
std::vector<Element> to_c_order(const std::vector<Element>& source, const model::Shape& shape) {
  std::vector<Element> result(source.size());
  std::vector<std::size_t> index(shape.size(), 0);
  for (Element& value : result) {
    std::size_t from = 0;
    for (std::size_t axis = shape.size(); axis-- > 0;)
      from = from * static_cast<std::size_t>(shape[axis]) + index[axis];
    value = source[from];
    for (std::size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < static_cast<std::size_t>(shape[axis])) break;
      index[axis] = 0;
    }
  }
  return result;
}

}  // namespace

model::Array parse_npy(std::span<const std::uint8_t> bytes, const std::string& where) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (bytes.size() < 10 || !text.starts_with(Magic)) fail("not a .npy file", where, {});
  const unsigned version = bytes[6];
  if (version < 1 || version > 3) fail("unknown version of the .npy format", where, std::to_string(version));
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::size_t begin = 8 + length_bytes;
  if (bytes.size() < begin)
    fail("the .npy file ends inside its header", where, std::to_string(bytes.size()) + " bytes");
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i) length |= static_cast<std::size_t>(bytes[8 + i]) << (8 * i);
  if (length > MaxHeaderBytes || length > bytes.size() - begin)
    fail("the .npy file ends inside its header", where, "header of " + std::to_string(length) + " bytes");

  const Header header = HeaderParser(text.substr(begin, length), where).parse();
  const TypeCode code = parse_type(*header.type, where);
  const auto count = static_cast<std::size_t>(model::count_elements(*header.shape, where, ErrorCode::Input));
  const std::size_t wanted = count * model::element_bytes(code.type);
  const std::span<const std::uint8_t> data = bytes.subspan(begin + length);
  if (data.size() != wanted)
    fail(data.size() < wanted ? "the .npy file is truncated" : "the .npy file is longer than its header says", where,
         std::to_string(data.size()) + " bytes of data, " + std::to_string(wanted) + " expected");

  model::Array array{*header.shape, model::decode_elements(data, count, code.type, code.order)};
  if (*header.fortran && array.shape.size() > 1)
    std::visit([&](auto& values) { values = to_c_order(values, array.shape); }, array.values);
  return array;
}

std::vector<std::uint8_t> format_npy(const model::Array& array) {
  const auto known = std::find_if(KnownTypes.begin(), KnownTypes.end(),
                                  [&](const KnownType& candidate) { return candidate.type == array.type(); });
  if (known == KnownTypes.end())
    throw Error(ErrorCode::Internal, "element type of the array is not written", "format_npy", to_string(array.type()));
  std::string header = "{'descr': '<" + std::string(known->code) + "', 'fortran_order': False, 'shape': (";
  for (const std::int64_t dimension : array.shape) header += std::to_string(dimension) + ", ";
  header += "), }";
  while ((header.size() + 11) % 64 != 0) header += ' ';
  header += '\n';

  std::vector<std::uint8_t> bytes(Magic.begin(), Magic.end());
  bytes.insert(bytes.end(),
               {1, 0, static_cast<std::uint8_t>(header.size()), static_cast<std::uint8_t>(header.size() >> 8)});
  bytes.insert(bytes.end(), header.begin(), header.end());
  const std::vector<std::uint8_t> data = model::encode_elements(array.values);
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

}  // namespace espalier::tools
