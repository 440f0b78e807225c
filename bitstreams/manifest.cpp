#include "bitstreams/manifest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "bitstreams/digest.hpp"
#include "bitstreams/xclbin_check.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "esp_kernel.hpp"

namespace espalier::bitstreams {

namespace {

using Json = nlohmann::ordered_json;
namespace filesystem = std::filesystem;

constexpr unsigned Schema = 2;

abi::Configuration read_configuration(const Json& json) {
  return {json.at("lanes").get<unsigned>(),         json.at("pixels").get<unsigned>(),
          json.at("bank_rows").get<unsigned>(),     json.at("line_depth").get<unsigned>(),
          json.at("writers").get<unsigned>(),       json.at("coded").get<bool>(),
          json.at("program_depth").get<unsigned>(), json.at("staging_beats").get<unsigned>()};
}

Manifest parse(const Json& json) {
  if (json.at("schema").get<unsigned>() != Schema) throw std::invalid_argument("schema is not 2");
  Manifest manifest;
  json.at("image").get_to(manifest.image);
  json.at("image_digest").get_to(manifest.image_digest);
  json.at("board").get_to(manifest.board);
  json.at("part").get_to(manifest.part);
  json.at("platform").get_to(manifest.platform);
  json.at("device_names").get_to(manifest.device_names);
  json.at("contract").at("version").get_to(manifest.contract_version);
  json.at("contract").at("digest").get_to(manifest.contract_digest);
  json.at("kernel").get_to(manifest.kernel);
  manifest.configuration = read_configuration(json.at("array"));
  for (const Json& core : json.at("cores")) {
    manifest.cores.push_back({core.at("name").get<std::string>(), core.at("region").get<std::string>(),
                              core.at("m_axi_command").get<std::string>(), core.at("m_axi_weight").get<std::string>(),
                              core.at("m_axi_data").get<std::string>()});
  }
  json.at("clock_mhz").get_to(manifest.clock_mhz);
  json.at("bytes_per_cycle").get_to(manifest.bytes_per_cycle);
  if (manifest.image.find('/') != std::string::npos) throw std::invalid_argument("image is not a file name");
  return manifest;
}

std::vector<std::uint8_t> read_image(const Manifest& manifest) {
  std::ifstream file(manifest.image_path(), std::ios::binary);
  std::vector<std::uint8_t> bytes;
  if (file) bytes.assign(std::istreambuf_iterator<char>(file), {});
  if (!file || bytes.empty()) {
    throw Error(ErrorCode::Program, "the image of a manifest is missing", manifest.image_path().string(), {},
                "make the image, or copy it beside its manifest");
  }
  return bytes;
}

bool fits(const Manifest& manifest, const ImageRequest& request) {
  const auto names = [&](const std::string& start) { return request.device_name.starts_with(start); };
  return manifest.kernel == abi::KernelName && manifest.contract_version == abi::AbiVersion &&
         manifest.configuration == request.configuration &&
         std::any_of(manifest.device_names.begin(), manifest.device_names.end(), names);
}

std::string describe(const Manifest& manifest) {
  return fmt::format("{}: {}, array {}, contract {}", manifest.folder.string(), manifest.board,
                     abi::array_name(manifest.configuration), manifest.contract_version);
}

/// The folder itself and those in it that hold a manifest, in the order of their names.
std::vector<filesystem::path> manifests_in(const filesystem::path& folder) {
  std::vector<filesystem::path> found;
  std::error_code failure;
  if (filesystem::exists(folder / ManifestName, failure)) found.push_back(folder / ManifestName);
  for (const auto& entry : filesystem::directory_iterator(folder, failure)) {
    if (filesystem::exists(entry.path() / ManifestName, failure)) found.push_back(entry.path() / ManifestName);
  }
  std::sort(found.begin(), found.end());
  return found;
}

[[noreturn]] void refuse(const ImageRequest& request, const std::string& seen) {
  std::string folders;
  for (const filesystem::path& folder : request.folders) folders += (folders.empty() ? "" : ", ") + folder.string();
  throw Error(ErrorCode::Program, "there is no image for this device, array and contract",
              fmt::format("{}, array {}, contract {}, looked in {}", request.device_name,
                          abi::array_name(request.configuration), +abi::AbiVersion, folders),
              seen.empty() ? "no manifest" : seen, "give --xclbin, or put image and manifest into one of the folders");
}

}  // namespace

std::string contract_digest() { return ESPALIER_CONTRACT_DIGEST; }

std::string to_text(const Manifest& manifest) {
  const abi::Configuration& array = manifest.configuration;
  Json json{{"schema", Schema},
            {"image", manifest.image},
            {"image_digest", manifest.image_digest},
            {"board", manifest.board},
            {"part", manifest.part},
            {"platform", manifest.platform},
            {"device_names", manifest.device_names},
            {"contract", {{"version", manifest.contract_version}, {"digest", manifest.contract_digest}}},
            {"kernel", manifest.kernel},
            {"array",
             {{"lanes", array.lanes},
              {"pixels", array.pixels},
              {"bank_rows", array.bank_rows},
              {"line_depth", array.line_depth},
              {"writers", array.writers},
              {"coded", array.coded},
              {"program_depth", array.program_depth},
              {"staging_beats", array.staging_beats}}},
            {"clock_mhz", manifest.clock_mhz},
            {"bytes_per_cycle", manifest.bytes_per_cycle},
            {"cores", Json::array()}};
  for (const ManifestCore& core : manifest.cores) {
    json["cores"].push_back({{"name", core.name},
                             {"region", core.region},
                             {"m_axi_command", core.command},
                             {"m_axi_weight", core.weight},
                             {"m_axi_data", core.data}});
  }
  return json.dump(2) + "\n";
}

Manifest read_manifest(const filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw Error(ErrorCode::Program, "the manifest cannot be read", file.string(), {}, "check the path");
  try {
    Manifest manifest = parse(Json::parse(stream));
    manifest.folder = file.parent_path();
    return manifest;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::Program, "not a manifest of this version", file.string(), error.what(),
                "make it again with espalier_board");
  }
}

void check_sealed(const Manifest& manifest) {
  const std::vector<std::uint8_t> image = read_image(manifest);
  check_image(image, manifest.image_path().string());
  const std::string found = to_hex(digest(image));
  if (manifest.image_digest == found) return;
  throw Error(ErrorCode::Program,
              manifest.image_digest.empty() ? "the image has not been sealed" : "the image is not that of the manifest",
              manifest.image_path().string(), "digest " + found,
              "espalier_board seal " + manifest.folder.string() + " seals an image that was just made");
}

Manifest sealed(Manifest manifest) {
  const std::vector<std::uint8_t> image = read_image(manifest);
  check_image(image, manifest.image_path().string());
  manifest.image_digest = to_hex(digest(image));
  return manifest;
}

Manifest find_image(const ImageRequest& request) {
  std::string seen;
  for (const filesystem::path& folder : request.folders) {
    std::vector<Manifest> found;
    for (const filesystem::path& file : manifests_in(folder)) {
      Manifest manifest;
      try {
        manifest = read_manifest(file);
      } catch (const Error& error) {
        seen += (seen.empty() ? "" : "; ") + std::string(error.what());
        continue;
      }
      if (fits(manifest, request)) {
        found.push_back(std::move(manifest));
      } else {
        seen += (seen.empty() ? "" : "; ") + describe(manifest);
      }
    }
    if (found.size() > 1) {
      throw Error(ErrorCode::Usage, "several images fit this device", folder.string(),
                  describe(found[0]) + "; " + describe(found[1]), "choose one with --xclbin");
    }
    if (!found.empty()) {
      check_sealed(found.front());
      return found.front();
    }
  }
  refuse(request, seen);
}

}  // namespace espalier::bitstreams
