#include "sizing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <tuple>

#include "esp_arrays.hpp"
#include "esp_error.hpp"

namespace espalier::packaging {

namespace {

constexpr unsigned Schema = 1;

double allowed(const Region& region, Resource resource) { return region.total[resource] * fill_limit(resource); }

/// Cores that fit, and the resource of which one more would need too much.
RegionFill fill_region(const Region& region, const Resources& core) {
  RegionFill result{.region = region.name, .cores = 0, .fitting = 0, .fill = {}, .limiting = Resource::Lut};
  double most = -1;
  for (const Resource resource : AllResources) {
    if (core[resource] <= 0) continue;
    const double cores = std::max(0.0, (allowed(region, resource) - region.reserved[resource]) / core[resource]);
    if (most >= 0 && cores >= most) continue;
    most = cores;
    result.limiting = resource;
  }
  result.fitting = static_cast<unsigned>(std::max(0.0, most));
  return result;
}

std::vector<double> shares(const Region& region, const Resources& core, unsigned cores) {
  std::vector<double> result;
  result.reserve(AllResources.size());
  for (const Resource resource : AllResources) {
    const double used = region.reserved[resource] + cores * core[resource];
    result.push_back(region.total[resource] > 0 ? used / region.total[resource] : 0);
  }
  return result;
}

/// Takes the sites in their order, at most `wanted` of them.
Placement fill_board(const Board& board, const CoreArea& area, unsigned wanted) {
  Placement placement{Machine::Rtl, area, {}, {}};
  for (const Region& region : board.regions) placement.regions.push_back(fill_region(region, area.cells));
  for (const Site& site : board.sites) {
    const auto region = std::find_if(placement.regions.begin(), placement.regions.end(),
                                     [&](const RegionFill& fill) { return fill.region == site.region; });
    if (placement.cores.size() == wanted || region->cores == region->fitting) continue;
    ++region->cores;
    placement.cores.push_back(site);
  }
  for (std::size_t i = 0; i < board.regions.size(); ++i)
    placement.regions[i].fill = shares(board.regions[i], area.cells, placement.regions[i].cores);
  return placement;
}

unsigned all_sites(const Board& board) { return static_cast<unsigned>(board.sites.size()); }

/// What is better is greater: what the wish asks for, then more multipliers, then larger cores, then all formats of
/// weights. Where nothing fits, the smallest core says best why.
std::tuple<bool, unsigned, int, bool> rank(const Placement& placement, const Wish& wish) {
  const bool good = !placement.cores.empty() && placement.cores.size() >= wish.cores.value_or(1);
  const int lanes = static_cast<int>(placement.area.configuration.lanes);
  return {good, placement.multipliers(), good ? lanes : -lanes, placement.area.configuration.coded};
}

[[noreturn]] void refuse(const Board& board, const Placement& placement, const std::string& wanted) {
  const Region& region = board.regions.front();
  const Resource limiting = placement.regions.front().limiting;
  throw Error(ErrorCode::Unsupported, "the cores do not fit the board", board.title + ", " + wanted,
              fmt::format("{} of a core: {}, of {}: {:.0f} with {:.0f} reserved; cores that fit: {}",
                          to_string(limiting), placement.area.cells[limiting], region.name, allowed(region, limiting),
                          region.reserved[limiting], placement.cores.size()),
              "ask for a smaller array or for fewer cores; espalier_board plan shows what fits");
}

}  // namespace

double fill_limit(Resource resource) {
  switch (resource) {
    case Resource::Lut:
      return 0.70;
    case Resource::Ff:
      return 0.50;
    case Resource::Dsp:
    case Resource::Bram:
    case Resource::Uram:
      return 0.80;
  }
  return 0;
}

abi::Configuration configuration_of(const std::string& array) {
  if (const auto configuration = abi::find_array(array)) return *configuration;
  throw Error(ErrorCode::Usage, "not an array of the contract", "--array", array,
              fmt::format("give {}", abi::ArrayNames));
}

std::vector<CoreArea> read_areas(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) throw Error(ErrorCode::Input, "the area report cannot be read", file.string(), {}, "check the path");
  try {
    const nlohmann::json json = nlohmann::json::parse(stream);
    if (json.at("schema").get<unsigned>() != Schema) throw std::invalid_argument("schema is not 1");
    std::vector<CoreArea> areas;
    for (const auto& [array, cells] : json.at("arrays").items()) {
      CoreArea area{array, configuration_of(array), {}};
      for (const Resource resource : AllResources) area.cells[resource] = cells.at(to_string(resource)).get<double>();
      areas.push_back(area);
    }
    return areas;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::Input, "not an area report", file.string(), error.what(),
                "write it with hw/synth/area.cmake");
  }
}

unsigned Placement::multipliers() const {
  return static_cast<unsigned>(cores.size()) * area.configuration.lanes * area.configuration.pixels;
}

std::vector<Placement> placements(const Board& board, const std::vector<CoreArea>& areas) {
  std::vector<Placement> result;
  result.reserve(areas.size());
  for (const CoreArea& area : areas) result.push_back(fill_board(board, area, all_sites(board)));
  return result;
}

Placement place(const Board& board, const std::vector<CoreArea>& areas, const Wish& wish) {
  std::optional<Placement> best;
  for (const CoreArea& area : areas) {
    if (wish.array && *wish.array != area.array) continue;
    Placement placement = fill_board(board, area, wish.cores.value_or(all_sites(board)));
    if (!best || rank(placement, wish) > rank(*best, wish)) best = std::move(placement);
  }
  const std::string wanted = fmt::format("{} of {}", wish.cores ? std::to_string(*wish.cores) : "any number of cores",
                                         wish.array.value_or("any array"));
  if (!best)
    throw Error(ErrorCode::Unsupported, "the area report does not have the array", board.title, wanted,
                "synthesise it with hw/synth/yosys.cmake and write the report with hw/synth/area.cmake");
  if (best->cores.empty() || (wish.cores && best->cores.size() < *wish.cores)) refuse(board, *best, wanted);
  return *best;
}

Placement place_hls(const Board& board, const Wish& wish) {
  if (!wish.array || !wish.cores) {
    throw Error(ErrorCode::Usage, "what fits is not known before Vitis HLS has synthesised the core", "--kernel", "hls",
                "name --array and --cores");
  }
  if (*wish.cores > board.sites.size()) {
    throw Error(ErrorCode::Unsupported, "the board has not as many places for cores", board.title,
                std::to_string(*wish.cores), fmt::format("ask for at most {}", board.sites.size()));
  }
  const auto sites = board.sites.begin();
  return {Machine::Hls, {*wish.array, configuration_of(*wish.array), {}}, {sites, sites + *wish.cores}, {}};
}

std::string placement_table(const Board& board, const std::vector<CoreArea>& areas) {
  std::string text =
      fmt::format("{} ({}), limits {:.0f} % LUT, {:.0f} % FF, {:.0f} % DSP, BRAM, URAM\n", board.title, board.part,
                  100 * fill_limit(Resource::Lut), 100 * fill_limit(Resource::Ff), 100 * fill_limit(Resource::Dsp));
  text += fmt::format("{:<15}{:>6}{:>14}  {:<8}{:>6}{:>6}{:>6}{:>6}{:>6}{:>6}  {}\n", "array", "cores", "MACs/cycle",
                      "region", "cores", "LUT%", "FF%", "DSP%", "BRAM%", "URAM%", "next core lacks");
  for (const Placement& placement : placements(board, areas)) {
    for (const RegionFill& region : placement.regions) {
      text += fmt::format("{:<15}{:>6}{:>14}  {:<8}{:>6}", placement.area.array, placement.cores.size(),
                          placement.multipliers(), region.region, region.cores);
      for (const double share : region.fill) text += fmt::format("{:>6.0f}", 100 * share);
      text += fmt::format("  {}\n", region.cores < region.fitting ? "a site" : to_string(region.limiting));
    }
  }
  return text;
}

}  // namespace espalier::packaging
