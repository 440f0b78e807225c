// Device images of the simulated cards:
//   - the same contract gives the same bytes; other arrays give another uuid
//   - the checker names the array; any altered byte, any truncation and foreign files are errors
//   - damage that would crash a trusting reader is found without reading outside the file
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "bitstreams/xclbin_check.hpp"
#include "bitstreams/xclbin_format.hpp"
#include "bitstreams/xclbin_writer.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "random.hpp"

namespace espalier::bitstreams {
namespace {

using Image = std::vector<std::uint8_t>;

/// The summary of the error, or "" for an image that is accepted.
std::string refusal(const Image& image) {
  try {
    check_image(image, "image");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::Program);
    EXPECT_FALSE(error.action().empty());
    return error.summary();
  }
  return {};
}

Image replaced(Image image, std::string_view from, std::string_view to) {
  const auto found = std::search(image.begin(), image.end(), from.begin(), from.end());
  EXPECT_NE(found, image.end());
  std::copy(to.begin(), to.end(), found);
  return image;
}

TEST(Image, IsReproducibleAndNamesItsArray) {
  const Image image = make_image(abi::Array16x16);
  EXPECT_EQ(image, make_image(abi::Array16x16));
  const ImageInfo info = check_image(image, "image");
  EXPECT_TRUE(info.simulation);
  EXPECT_EQ(info.configuration, abi::Array16x16);
  for (const abi::NamedArray& array : abi::Arrays) {
    const ImageInfo other = check_image(make_image(array.configuration), "image");
    EXPECT_EQ(other.configuration, array.configuration) << array.name;
    EXPECT_EQ(other.uuid == info.uuid, array.name == "16x16") << array.name;
  }
}

TEST(Image, AnyAlteredByteIsFound) {
  const Image image = make_image(abi::Array8x8);
  test::Random random;
  for (std::size_t i = 0; i < image.size(); ++i) {
    Image altered = image;
    altered[i] = static_cast<std::uint8_t>(altered[i] ^ random.between(1, 255));
    EXPECT_NE(refusal(altered), "") << "byte " << i;
  }
}

TEST(Image, AnyTruncationIsFound) {
  const Image image = make_image(abi::Array8x8);
  for (std::size_t size = 0; size < image.size(); ++size) {
    EXPECT_NE(refusal({image.begin(), image.begin() + static_cast<std::ptrdiff_t>(size)}), "") << size << " bytes";
  }
  Image longer = image;
  longer.push_back(0);
  EXPECT_EQ(refusal(longer), "the image is longer than its header says");
}

TEST(Image, DamageHasItsOwnMessage) {
  const Image image = make_image(abi::Array8x8);
  EXPECT_EQ(refusal(Image(5000, 'x')), "not a device image");
  EXPECT_EQ(refusal({image.begin(), image.begin() + 1000}), "the image is truncated");
  Image outside = image;
  outside[OffsetSections + SectionOffset + 5] = 1;
  EXPECT_EQ(refusal(outside), "a section lies outside the image");
  Image sections = image;
  sections[OffsetSectionCount + 2] = 1;
  EXPECT_EQ(refusal(sections), "the image has an impossible number of sections");
  EXPECT_EQ(refusal(replaced(image, "<kernel name=\"espalier\"", "<kernel name=\"espalios\"")),
            "the image is for another design");
  EXPECT_EQ(refusal(replaced(image, "lanes 8", "lanes 9")), "the image is damaged: its digest is wrong");
}

TEST(Image, BoardImagesOfThisKernelHaveNoMarkerAndNoDigest) {
  Image image = make_image(abi::Array8x8);
  image = replaced(image, MarkerStart, "some bits from another fab");
  image = replaced(image, DigestStart, "a user's own note here");
  const ImageInfo info = check_image(image, "image");
  EXPECT_FALSE(info.simulation);
  EXPECT_FALSE(info.configuration);
}

TEST(Image, MissingFilesAreErrors) { EXPECT_THROW(check_image_file("no/such/file.xclbin"), Error); }

}  // namespace
}  // namespace espalier::bitstreams
