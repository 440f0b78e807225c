// Properties:
//   - uint8 images and big-endian numbers are read
//   - every truncation and impossible header is refused
#include "tools/idx.hpp"

#include <gtest/gtest.h>

#include "esp_error.hpp"

namespace espalier::tools {
namespace {

const std::vector<std::uint8_t> TwoImages{0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4, 5, 255};

TEST(Idx, ReadsImages) {
  EXPECT_EQ(parse_idx(TwoImages, "t"), (model::Array{{2, 1, 3}, std::vector<std::uint8_t>{1, 2, 3, 4, 5, 255}}));
}

TEST(Idx, ReadsWideTypesBigEndian) {
  EXPECT_EQ(parse_idx(std::vector<std::uint8_t>{0, 0, 0x0B, 1, 0, 0, 0, 1, 0xFF, 0xFE}, "t").values,
            model::Array::Values(std::vector<std::int32_t>{-2}));
  EXPECT_EQ(parse_idx(std::vector<std::uint8_t>{0, 0, 0x0D, 1, 0, 0, 0, 1, 0x3F, 0x80, 0, 0}, "t").values,
            model::Array::Values(std::vector<float>{1}));
}

TEST(Idx, RefusesDamagedFiles) {
  for (std::size_t size = 0; size < TwoImages.size(); ++size)
    EXPECT_THROW(parse_idx(std::span(TwoImages).first(size), "t"), Error) << size;
  std::vector<std::uint8_t> bytes = TwoImages;
  bytes.push_back(0);
  EXPECT_THROW(parse_idx(bytes, "t"), Error);
  bytes = TwoImages;
  bytes[2] = 0x0A;
  EXPECT_THROW(parse_idx(bytes, "t"), Error);
  EXPECT_THROW(parse_idx(std::vector<std::uint8_t>{0, 0, 8, 2, 255, 255, 255, 255, 255, 255, 255, 255}, "t"), Error);
}

}  // namespace
}  // namespace espalier::tools
