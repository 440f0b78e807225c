// Properties:
//   - every element type survives writing and reading
//   - Fortran order and big-endian files give the values in C order
//   - every truncation, and every altered byte of the header, is refused or read, never a crash
//   - hostile shapes are refused before memory is taken
#include "tools/npy.hpp"

#include <gtest/gtest.h>

#include <string>

#include "esp_error.hpp"
#include "random.hpp"

namespace espalier::tools {
namespace {

using model::Array;
using model::ElementType;

std::vector<std::uint8_t> file_with(const std::string& header, std::size_t data_bytes) {
  std::string text("\x93NUMPY\x01\x00", 8);
  text += static_cast<char>(header.size() & 255);
  text += static_cast<char>(header.size() >> 8);
  text += header;
  std::vector<std::uint8_t> bytes(text.begin(), text.end());
  bytes.resize(bytes.size() + data_bytes, 0);
  return bytes;
}

TEST(Npy, ReadsWhatItWrites) {
  for (const ElementType type : {ElementType::Float, ElementType::Double, ElementType::Int8, ElementType::UInt8,
                                 ElementType::Int32, ElementType::Int64}) {
    const Array array = model::make_array(type, {2, 3}, {0, 1, 2, 100, 5, 127});
    EXPECT_EQ(parse_npy(format_npy(array), "t"), array) << to_string(type);
  }
}

TEST(Npy, TurnsFortranOrderIntoCOrder) {
  auto bytes = file_with("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}", 6);
  for (std::size_t i = 0; i < 6; ++i) bytes[bytes.size() - 6 + i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(parse_npy(bytes, "t").as_doubles(), (std::vector<double>{0, 2, 4, 1, 3, 5}));
}

TEST(Npy, ReadsBigEndian) {
  auto bytes = file_with("{'descr': '>i4', 'fortran_order': False, 'shape': (1,)}", 4);
  bytes.back() = 7;
  EXPECT_EQ(parse_npy(bytes, "t").as_doubles(), std::vector<double>{7});
}

TEST(Npy, RefusesHostileHeaders) {
  for (const std::string shape : {"(99999999999999, 99999999999999)", "(1000000000, 1000000000)", "(-1,)",
                                  "(4294967296, 4294967296)", "(1.5,)", "(2,", "99999999999999999999999", "((1,),)"})
    EXPECT_THROW(parse_npy(file_with("{'descr': '<f4', 'fortran_order': False, 'shape': " + shape + "}", 4), "t"),
                 Error)
        << shape;
  for (const std::string type : {"<f2", "<c8", "|O", "|S4", "", "<", "f4f4"})
    EXPECT_THROW(parse_npy(file_with("{'descr': '" + type + "', 'fortran_order': False, 'shape': (1,)}", 4), "t"),
                 Error)
        << type;
  EXPECT_THROW(parse_npy(file_with("{'descr': '<f4', 'shape': (1,)}", 4), "t"), Error);
  EXPECT_THROW(parse_npy(file_with("{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", 5), "t"), Error);
}

TEST(Npy, SurvivesTruncationAndAlteredBytes) {
  const std::vector<std::uint8_t> good = format_npy({{3, 5}, std::vector<float>(15)});
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_THROW(parse_npy(std::span(good).first(size), "t"), Error) << size;
  test::Random random;
  for (int round = 0; round < 3000; ++round) {
    std::vector<std::uint8_t> bytes = good;
    for (int flips = random.between(1, 3); flips > 0; --flips)
      bytes[static_cast<std::size_t>(random.between(0, static_cast<int>(bytes.size()) - 1))] =
          static_cast<std::uint8_t>(random.between(0, 255));
    try {
      parse_npy(bytes, "t");
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::Input);
    }
  }
}

}  // namespace
}  // namespace espalier::tools
