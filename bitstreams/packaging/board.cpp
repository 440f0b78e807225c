#include "board.hpp"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>

#include "esp_constants.hpp"
#include "esp_error.hpp"

namespace espalier::packaging {

namespace {

using Json = nlohmann::json;

constexpr unsigned Schema = 1;

Resources read_resources(const Json& json) {
  Resources resources;
  for (const Resource resource : AllResources) resources[resource] = json.at(to_string(resource)).get<double>();
  return resources;
}

BoardKind read_kind(const std::string& text) {
  if (text == "card") return BoardKind::Card;
  if (text == "zynq") return BoardKind::Zynq;
  throw std::invalid_argument("kind is " + text + "; it must be card or zynq");
}

void check(const Board& board) {
  if (board.clock_mhz == 0) throw std::invalid_argument("clock_mhz is 0");
  if (board.bytes_per_cycle == 0 || board.bytes_per_cycle > abi::BeatBytes)
    throw std::invalid_argument("bytes_per_cycle is not 1 to 64");
  for (const Site& site : board.sites) {
    const auto of_site = [&](const Region& region) { return region.name == site.region; };
    if (std::none_of(board.regions.begin(), board.regions.end(), of_site))
      throw std::invalid_argument("a site is in the region " + site.region + ", which is not there");
  }
  if (board.sites.empty()) throw std::invalid_argument("there is no site");
}

Board parse(const Json& json) {
  if (json.at("schema").get<unsigned>() != Schema) throw std::invalid_argument("schema is not 1");
  Board board;
  board.name = json.at("board").get<std::string>();
  board.title = json.at("title").get<std::string>();
  board.kind = read_kind(json.at("kind").get<std::string>());
  board.part = json.at("part").get<std::string>();
  board.platform = json.at("platform").get<std::string>();
  board.device_names = json.at("device_names").get<std::vector<std::string>>();
  board.clock_mhz = json.at("clock_mhz").get<unsigned>();
  board.bytes_per_cycle = json.at("bytes_per_cycle").get<unsigned>();
  for (const Json& region : json.at("regions")) {
    board.regions.push_back({region.at("name").get<std::string>(), read_resources(region.at("total")),
                             read_resources(region.at("reserved"))});
  }
  for (const Json& site : json.at("sites")) {
    board.sites.push_back({site.at("region").get<std::string>(), site.at("command").get<std::string>(),
                           site.at("weight").get<std::string>(), site.at("data").get<std::string>()});
  }
  check(board);
  return board;
}

}  // namespace

const char* to_string(Resource resource) {
  switch (resource) {
    case Resource::Lut:
      return "lut";
    case Resource::Ff:
      return "ff";
    case Resource::Dsp:
      return "dsp";
    case Resource::Bram:
      return "bram";
    case Resource::Uram:
      return "uram";
  }
  return "lut";
}

Board read_board(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw Error(ErrorCode::Input, "the board cannot be read", file.string(), {}, "check the path");
  try {
    return parse(Json::parse(stream));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::Input, "not the description of a board", file.string(), error.what(),
                "compare it with bitstreams/boards/u50/board.json");
  }
}

}  // namespace espalier::packaging
