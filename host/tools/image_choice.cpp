#include "image_choice.hpp"

#include <algorithm>

#include "bitstreams/manifest.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "options.hpp"

namespace espalier::tools {
namespace {

constexpr std::string_view SimulatedCard = "espalier_simulation";

}  // namespace

std::vector<std::filesystem::path> image_folders(const ImageChoice& choice) {
  std::vector<std::filesystem::path> folders;
  std::string_view rest = choice.folders;
  while (!rest.empty()) {
    const std::string_view folder = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), folder.size() + 1));
    if (!folder.empty()) folders.emplace_back(folder);
  }
  folders.push_back(choice.program_folder.parent_path() / "share" / "espalier" / "images");
  folders.emplace_back("/lib/firmware/xilinx");
  return folders;
}

std::filesystem::path choose_image(const ImageChoice& choice) {
  if (!choice.option.empty()) return choice.option;
  if (!choice.environment.empty()) return choice.environment;
  const bool simulated = choice.device_name.starts_with(SimulatedCard);
  // Without a device, XRT says so when it is opened.
  if (choice.device_name.empty() || (simulated && choice.folders.empty())) {
    return choice.program_folder.parent_path() / "xclbin" /
           ("espalier_sim_" + array_text(choice.configuration) + ".xclbin");
  }
  return bitstreams::find_image({choice.device_name, choice.configuration, image_folders(choice)}).image_path();
}

std::vector<std::string> arrays_with_image(ImageChoice choice) {
  std::vector<std::string> arrays;
  for (const auto& [name, configuration] : abi::Arrays) {
    choice.configuration = configuration;
    try {
      if (std::filesystem::exists(choose_image(choice))) arrays.emplace_back(name);
    } catch (const Error&) {
      // Nothing that fits: the device does not have this array.
    }
  }
  return arrays;
}

}  // namespace espalier::tools
