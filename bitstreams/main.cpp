// espalier_xclbin: makes and checks device images.
//
//   espalier_xclbin make --array 16x16 --output espalier_sim_16x16.xclbin
//   espalier_xclbin check espalier_sim_16x16.xclbin
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>

#include "bitstreams/digest.hpp"
#include "bitstreams/xclbin_check.hpp"
#include "bitstreams/xclbin_writer.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"

namespace {

using espalier::Error;
using espalier::ErrorCode;

std::map<std::string, espalier::abi::Configuration> arrays() {
  std::map<std::string, espalier::abi::Configuration> result;
  for (const auto& [name, configuration] : espalier::abi::Arrays) result.emplace(name, configuration);
  return result;
}

void make(const std::string& array, const std::string& output) {
  const auto image = espalier::bitstreams::make_image(arrays().at(array));
  std::ofstream file(output, std::ios::binary);
  file.write(reinterpret_cast<const char*>(image.data()), static_cast<std::streamsize>(image.size()));
  if (!file.flush()) throw Error(ErrorCode::Usage, "cannot write the image", output, {}, "check the output path");
  fmt::print("{}: array {}, {} bytes\n", output, array, image.size());
}

void check(const std::string& path) {
  const auto info = espalier::bitstreams::check_image_file(path);
  const auto uuid = espalier::bitstreams::to_hex(info.uuid);
  if (info.configuration) {
    fmt::print("{}: simulation image, array {}, uuid {}\n", path, espalier::abi::array_name(*info.configuration), uuid);
  } else {
    fmt::print("{}: board image, uuid {}\n", path, uuid);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  CLI::App app("Makes and checks device images for XRT");
  app.require_subcommand(1);
  std::string array = "16x16", output, path;
  auto* make_command = app.add_subcommand("make", "Write the image of a simulated card");
  make_command->add_option("--array", array, "Lanes x pixels")->check(CLI::IsMember(arrays()));
  make_command->add_option("--output", output, "File to write")->required();
  auto* check_command = app.add_subcommand("check", "Check an image");
  check_command->add_option("image", path, "An .xclbin file")->required();
  CLI11_PARSE(app, argc, argv);
  if (*make_command) {
    make(array, output);
  } else {
    check(path);
  }
  return 0;
} catch (const std::exception& error) {
  fmt::print(stderr, "espalier_xclbin: {}\n", error.what());
  return 1;
}
