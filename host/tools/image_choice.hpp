// Which device image a card is loaded with.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "esp_abi.hpp"

namespace espalier::tools {

/// What decides, in this order.
struct ImageChoice {
  std::string option;       // --xclbin; empty: not given
  std::string environment;  // ESPALIER_XCLBIN; empty: not set
  std::string folders;      // ESPALIER_IMAGES: folders with manifests, separated by colons; empty: not set
  std::string device_name;  // as XRT tells it; empty: there is no such device
  abi::Configuration configuration;
  std::filesystem::path program_folder;  // of this program, whose ../share/espalier/images and ../xclbin are looked at
};

/// Folders that are searched for manifests: those of ESPALIER_IMAGES, ../share/espalier/images beside the program,
/// /lib/firmware/xilinx.
std::vector<std::filesystem::path> image_folders(const ImageChoice& choice);

/// The image. Simulated cards have the one of the build, unless ESPALIER_IMAGES is set. Throws Error (Program, Usage)
/// as bitstreams::find_image() does.
std::filesystem::path choose_image(const ImageChoice& choice);

/// The arrays ("8x8") that choose_image() finds an image for; the configuration of the choice is not looked at.
std::vector<std::string> arrays_with_image(ImageChoice choice);

}  // namespace espalier::tools
