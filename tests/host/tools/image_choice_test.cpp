// Which image a card is loaded with:
//   - --xclbin before ESPALIER_XCLBIN before manifests
//   - folders in the order ESPALIER_IMAGES, beside the program, firmware
//   - the simulated card has the image of the build unless folders are given
#include "tools/image_choice.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "bitstreams/manifest.hpp"
#include "bitstreams/xclbin_writer.hpp"
#include "esp_error.hpp"
#include "temporary_folder.hpp"

namespace espalier::tools {
namespace {

namespace filesystem = std::filesystem;

/// A sealed image of the 8x8 array for devices whose name starts so.
void install(const filesystem::path& folder, const std::string& device) {
  filesystem::create_directories(folder);
  bitstreams::Manifest manifest;
  manifest.folder = folder;
  manifest.image = "image.xclbin";
  manifest.device_names = {device};
  manifest.kernel = "espalier";
  manifest.configuration = abi::Array8x8;
  const auto image = bitstreams::make_image(abi::Array8x8);
  std::ofstream(manifest.image_path(), std::ios::binary) << std::string(image.begin(), image.end());
  std::ofstream(folder / bitstreams::ManifestName) << to_text(bitstreams::sealed(manifest));
}

ImageChoice choice(const filesystem::path& root, const std::string& device) {
  return {.option = {},
          .environment = {},
          .folders = {},
          .device_name = device,
          .configuration = abi::Array8x8,
          .program_folder = root / "bin"};
}

TEST(ImageChoice, GoesFromTheOptionToTheManifests) {
  const test::TemporaryFolder folder;
  install(folder.path() / "share" / "espalier" / "images" / "u50", "xilinx_u50_");
  install(folder.path() / "mine", "xilinx_u50_");
  ImageChoice card = choice(folder.path(), "xilinx_u50_gen3x16_xdma_base_5");
  EXPECT_EQ(choose_image(card), folder.path() / "share/espalier/images/u50/image.xclbin");
  card.folders = "/nonexistent:" + (folder.path() / "mine").string();
  EXPECT_EQ(choose_image(card), folder.path() / "mine/image.xclbin");
  card.environment = "environment.xclbin";
  EXPECT_EQ(choose_image(card), "environment.xclbin");
  card.option = "option.xclbin";
  EXPECT_EQ(choose_image(card), "option.xclbin");
}

TEST(ImageChoice, ArraysAreThoseWithAnImage) {
  const test::TemporaryFolder folder;
  install(folder.path() / "share" / "espalier" / "images", "xilinx_u50_");
  EXPECT_EQ(arrays_with_image(choice(folder.path(), "xilinx_u50_gen3x16")), std::vector<std::string>{"8x8"});
  EXPECT_EQ(arrays_with_image(choice(folder.path(), "xilinx_u250_gen3x16")), std::vector<std::string>{});
}

TEST(ImageChoice, OtherDevicesAndArraysHaveNoImage) {
  const test::TemporaryFolder folder;
  install(folder.path() / "share" / "espalier" / "images", "xilinx_u50_");
  EXPECT_THROW(choose_image(choice(folder.path(), "xilinx_u250_gen3x16")), Error);
  ImageChoice other = choice(folder.path(), "xilinx_u50_gen3x16");
  for (const abi::Configuration& array : {abi::Array16x16, abi::Array16x16Compact}) {
    other.configuration = array;
    EXPECT_THROW(choose_image(other), Error);
  }
}

TEST(ImageChoice, TheSimulatedCardHasTheImageOfTheBuild) {
  const test::TemporaryFolder folder;
  ImageChoice card = choice(folder.path(), "espalier_simulation");
  EXPECT_EQ(choose_image(card), folder.path() / "xclbin/espalier_sim_8x8.xclbin");
  card.configuration = abi::Array16x16Compact;
  EXPECT_EQ(choose_image(card), folder.path() / "xclbin/espalier_sim_16x16_compact.xclbin");
  card.configuration = abi::Array8x8;
  install(folder.path() / "mine", "espalier_simulation");
  card.folders = (folder.path() / "mine").string();
  EXPECT_EQ(choose_image(card), folder.path() / "mine/image.xclbin");
  EXPECT_EQ(choose_image(choice(folder.path(), "")), folder.path() / "xclbin/espalier_sim_8x8.xclbin");
}

TEST(ImageChoice, FoldersHaveAnOrder) {
  ImageChoice card = choice("/opt/espalier", "edge");
  card.folders = "/a::/b";
  EXPECT_EQ(image_folders(card),
            (std::vector<filesystem::path>{"/a", "/b", "/opt/espalier/share/espalier/images", "/lib/firmware/xilinx"}));
}

}  // namespace
}  // namespace espalier::tools
