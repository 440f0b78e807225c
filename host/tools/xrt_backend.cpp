#include "xrt_backend.hpp"

#include "xrt/xrt_bus.hpp"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "esp_error.hpp"
#include "executable_path.hpp"
#include "image_choice.hpp"

namespace espalier::tools {
namespace {

// XRT looks for its driver in $XILINX_XRT/lib when the first device is opened. A value that the user has set stands.
void prefer_simulated_card() {
  const std::filesystem::path card = program_folder().parent_path() / "xrt";
  if (std::filesystem::exists(card / "lib" / "libxrt_core.so.2")) setenv("XILINX_XRT", card.c_str(), 0);
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

ImageChoice image_choice(std::string device_name) {
  return {.option = {},
          .environment = environment("ESPALIER_XCLBIN"),
          .folders = environment("ESPALIER_IMAGES"),
          .device_name = std::move(device_name),
          .configuration = {},
          .program_folder = program_folder()};
}

std::string image_of(const BackendOptions& options) {
  ImageChoice choice = image_choice({});
  choice.option = options.xclbin;
  choice.configuration = options.configuration;
  if (choice.option.empty() && choice.environment.empty()) {
    const std::vector<std::string> names = xrt::devices();
    if (options.device.index < names.size()) choice.device_name = names[options.device.index];
  }
  return choose_image(choice).string();
}

// ESPALIER_XCLBIN names one image, of whichever array; what could be loaded besides is listed.
std::vector<std::string> arrays_of(const std::string& device_name) {
  ImageChoice choice = image_choice(device_name);
  choice.environment.clear();
  return arrays_with_image(std::move(choice));
}

}  // namespace

std::unique_ptr<driver::Bus> open_xrt(const BackendOptions& options) {
  prefer_simulated_card();
  // The simulated card takes its memory from the environment, and must have the one that cycles are predicted for;
  // boards do not look.
  const std::string memory =
      options.dram != nullptr
          ? std::string(options.dram->name) + "@" + std::to_string(options.mhz)
          : "bytes=" + std::to_string(options.memory.bytes) + ",latency=" + std::to_string(options.memory.latency);
  setenv("ESPALIER_CARD_MEMORY", memory.c_str(), 1);
  return std::make_unique<xrt::XrtBus>(
      xrt::XrtOptions{.index = options.device.index, .image = image_of(options), .core = options.device.core});
}

std::vector<BackendInfo> list_xrt_cards() {
  prefer_simulated_card();
  std::vector<BackendInfo> cards;
  try {
    for (const std::string& name : xrt::devices())
      cards.push_back({"xrt:" + std::to_string(cards.size()), arrays_of(name), name});
  } catch (const Error&) {
    // A machine without XRT driver has no cards.
  }
  return cards;
}

}  // namespace espalier::tools
