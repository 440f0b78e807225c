// The manifest beside a device image: what the image holds, for which device and contract. Hosts find images by it.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "esp_abi.hpp"

namespace espalier::bitstreams {

inline constexpr const char* ManifestName = "manifest.json";

/// Where a core stands and which memory its masters see, as the linker calls them.
struct ManifestCore {
  std::string name;  // of the instance: "espalier_1"
  std::string region;
  std::string command, weight, data;
};

struct Manifest {
  std::filesystem::path folder;  // not in the file: where it was read
  std::string image;             // file name beside the manifest
  std::string image_digest;      // 32 hexadecimal characters; empty until the image is made and sealed
  std::string board, part, platform;
  std::vector<std::string> device_names;  // one of them is the start of the name that XRT gives the device
  unsigned contract_version = abi::AbiVersion;
  std::string contract_digest;  // SHA-256 of the files of hw/abi
  std::string kernel;
  abi::Configuration configuration;
  std::vector<ManifestCore> cores;
  unsigned clock_mhz = 0;
  unsigned bytes_per_cycle = 0;  // of the memory of a core in each direction: for --memory

  std::filesystem::path image_path() const { return folder / image; }
};

/// Of the contract that this program was built with: SHA-256 of the files of hw/abi, in hexadecimal.
std::string contract_digest();

/// The file's text (JSON).
std::string to_text(const Manifest& manifest);

/// Throws Error Program if the file cannot be read, is damaged or of another schema.
Manifest read_manifest(const std::filesystem::path& file);

/// Checks the image (xclbin_check.hpp) and that its digest is that of the manifest.
/// Throws Error Program if the image is missing, damaged, not sealed or another one.
void check_sealed(const Manifest& manifest);

/// The manifest with the digest of its image, which must be intact. Throws Error Program.
Manifest sealed(Manifest manifest);

struct ImageRequest {
  std::string device_name;                     // as XRT tells it
  abi::Configuration configuration;            // that the program was compiled for
  std::vector<std::filesystem::path> folders;  // in this order; those that do not exist are passed over
};

/// Looks into every folder for manifest.json, there and one level below, and takes the image for this device, array and
/// contract from the first folder that has one. Throws Error Program if none fits, naming what was seen, or if the one
/// that fits is damaged; Error Usage if several in one folder fit.
Manifest find_image(const ImageRequest& request);

}  // namespace espalier::bitstreams
