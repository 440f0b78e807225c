// Manifests and the search for images, with files in a folder of the test's own:
//   - what is written is read
//   - an image is taken for its device, array and contract, from the first folder that has one
//   - images that were altered, not sealed or are missing, damaged manifests and ambiguity are errors
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "bitstreams/manifest.hpp"
#include "bitstreams/xclbin_writer.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "temporary_folder.hpp"

namespace espalier::bitstreams {
namespace {

namespace filesystem = std::filesystem;

Manifest sample() {
  Manifest manifest;
  manifest.image = "espalier_u50_16x16.xclbin";
  manifest.board = "u50";
  manifest.device_names = {"xilinx_u50_"};
  manifest.contract_digest = contract_digest();
  manifest.kernel = "espalier";
  manifest.configuration = abi::Array16x16;
  manifest.cores = {{"espalier_1", "SLR0", "HBM[0:3]", "HBM[0:3]", "HBM[0:3]"}};
  manifest.clock_mhz = 300;
  manifest.bytes_per_cycle = 32;
  return manifest;
}

void write(const filesystem::path& path, const std::string& text) {
  filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

/// Puts an image and its manifest into a folder and seals them.
void install(const filesystem::path& folder, Manifest manifest) {
  const auto image = make_image(manifest.configuration);
  write(folder / manifest.image, {image.begin(), image.end()});
  manifest.folder = folder;
  write(folder / ManifestName, to_text(sealed(manifest)));
}

ImageRequest request(const std::vector<filesystem::path>& folders) {
  return {"xilinx_u50_gen3x16_xdma_base_5", abi::Array16x16, folders};
}

std::string refusal(const ImageRequest& request) {
  try {
    find_image(request);
  } catch (const Error& error) {
    EXPECT_FALSE(error.action().empty());
    return error.what();
  }
  return {};
}

TEST(Manifest, WhatIsWrittenIsRead) {
  const test::TemporaryFolder folder;
  Manifest manifest = sample();
  manifest.image_digest = std::string(32, 'a');
  write(folder.path() / ManifestName, to_text(manifest));
  const Manifest read = read_manifest(folder.path() / ManifestName);
  EXPECT_EQ(to_text(read), to_text(manifest));
  EXPECT_EQ(read.image_path(), folder.path() / "espalier_u50_16x16.xclbin");
  EXPECT_EQ(read.contract_version, +abi::AbiVersion);
  EXPECT_EQ(read.contract_digest.size(), 64U);
}

TEST(Manifest, HasEverySizeOfTheArray) {
  const test::TemporaryFolder folder;
  for (const abi::NamedArray& array : abi::Arrays) {
    Manifest manifest = sample();
    manifest.configuration = array.configuration;
    write(folder.path() / ManifestName, to_text(manifest));
    EXPECT_EQ(read_manifest(folder.path() / ManifestName).configuration, array.configuration) << array.name;
  }
}

TEST(Manifest, DamageIsOneClearError) {
  const test::TemporaryFolder folder;
  const std::string text = to_text(sample());
  for (const std::string& damaged :
       {std::string("{"), std::string("[]"), text.substr(0, text.size() / 2), std::string("{\"schema\": 1}"),
        std::string(text).replace(text.find("espalier_u50"), 1, "/"),
        std::string(text).replace(text.find("\"lanes\""), 7, "\"lines\"")}) {
    write(folder.path() / ManifestName, damaged);
    EXPECT_THROW(read_manifest(folder.path() / ManifestName), Error) << damaged;
  }
  EXPECT_THROW(read_manifest(folder.path() / "nothing.json"), Error);
}

TEST(FindImage, TakesTheFirstFolderThatHasOne) {
  const test::TemporaryFolder folder;
  install(folder.path() / "b" / "app", sample());
  install(folder.path() / "c", sample());
  const std::vector<filesystem::path> folders{folder.path() / "a", folder.path() / "b", folder.path() / "c"};
  EXPECT_EQ(find_image(request(folders)).folder, folder.path() / "b" / "app");
  EXPECT_EQ(find_image(request({folder.path() / "c"})).folder, folder.path() / "c");
}

TEST(FindImage, WhatDoesNotFitIsPassedOverAndNamed) {
  const test::TemporaryFolder folder;
  Manifest array = sample(), device = sample(), contract = sample();
  array.configuration = abi::Array8x8;
  device.device_names = {"edge"};
  contract.contract_version = abi::AbiVersion + 1;
  install(folder.path() / "array", array);
  install(folder.path() / "device", device);
  install(folder.path() / "contract", contract);
  write(folder.path() / "damaged" / ManifestName, "{");
  const std::string text = refusal(request({folder.path()}));
  const std::string other = "contract " + std::to_string(abi::AbiVersion + 1);
  for (const std::string& part : {std::string("array 8x8"), std::string("device: u50"), other, std::string("damaged")})
    EXPECT_THAT(text, testing::HasSubstr(part));
  install(folder.path() / "right", sample());
  EXPECT_EQ(find_image(request({folder.path()})).folder, folder.path() / "right");
  ImageRequest compact = request({folder.path()});
  compact.configuration = abi::Array16x16Compact;
  EXPECT_THAT(refusal(compact), testing::HasSubstr("array 16x16_compact"));
  EXPECT_THAT(refusal(request({folder.path() / "nowhere"})), testing::HasSubstr("no manifest"));
}

TEST(FindImage, TwoThatFitAreAmbiguous) {
  const test::TemporaryFolder folder;
  install(folder.path() / "one", sample());
  install(folder.path() / "two", sample());
  EXPECT_THAT(refusal(request({folder.path()})), testing::HasSubstr("several images fit"));
}

TEST(FindImage, TheImageMustBeTheOneThatWasSealed) {
  const test::TemporaryFolder folder;
  install(folder.path(), sample());
  const auto other = make_image(abi::Array8x8);
  write(folder.path() / sample().image, {other.begin(), other.end()});
  EXPECT_THAT(refusal(request({folder.path()})), testing::HasSubstr("not that of the manifest"));
  write(folder.path() / ManifestName, to_text(sample()));
  EXPECT_THAT(refusal(request({folder.path()})), testing::HasSubstr("has not been sealed"));
  filesystem::remove(folder.path() / sample().image);
  EXPECT_THAT(refusal(request({folder.path()})), testing::HasSubstr("missing"));
  write(folder.path() / sample().image, "not an image");
  EXPECT_THAT(refusal(request({folder.path()})), testing::HasSubstr("not a device image"));
}

}  // namespace
}  // namespace espalier::bitstreams
