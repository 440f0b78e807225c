// Checks a device image before XRT sees it, since XRT trusts section offsets and sizes.
//
//   const ImageInfo info = check_image_file("espalier_sim_16x16.xclbin");  // throws espalier::Error
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "esp_abi.hpp"

namespace espalier::bitstreams {

/// The summary of the error for an intact image of another kernel.
inline constexpr const char* AnotherDesign = "the image is for another design";

struct ImageInfo {
  std::array<std::uint8_t, 16> uuid{};
  bool simulation = false;                          // made by make_image(): marker and digest are right
  std::optional<abi::Configuration> configuration;  // of a simulation image
};

/// Checks magic, length, section bounds, the tables' counts and the description of the kernel; for simulation images
/// also contract version, array and digest, so that any altered byte is found. `where` names the image in errors.
/// Throws Error Program if it is damaged, foreign, or of another contract version.
ImageInfo check_image(std::span<const std::uint8_t> image, const std::string& where);

/// The same for a file. Throws Error Program if it cannot be read.
ImageInfo check_image_file(const std::string& path);

/// The bytes over which the digest is formed: uuid, unique id and digest text blanked.
std::vector<std::uint8_t> without_identity(std::span<const std::uint8_t> image, std::size_t digest_offset);

}  // namespace espalier::bitstreams
