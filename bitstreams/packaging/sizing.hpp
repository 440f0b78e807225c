// How many cores of which array a board takes: from the area of a core, the free cells and the usual limits of filling.
//
//   const auto areas = read_areas("hw/synth/area.json");
//   const Placement placement = place(board, areas);
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "board.hpp"
#include "esp_abi.hpp"
#include "machine.hpp"

namespace espalier::packaging {

/// The share of a region's cells that routes with good prospects: the usual guidance of the vendor's methodology
/// guides.
double fill_limit(Resource resource);

/// The configuration of an array of the contract, such as "16x16_compact". Throws Error Usage for others.
abi::Configuration configuration_of(const std::string& array);

/// A core and its area as hw/synth/area.json tells it.
struct CoreArea {
  std::string array;  // "16x16"
  abi::Configuration configuration;
  Resources cells;
};

/// Reads the area report. Throws Error Input if it is damaged or names an array that the contract has not.
std::vector<CoreArea> read_areas(const std::filesystem::path& file);

struct Wish {
  std::optional<std::string> array;  // none: the one with the most multipliers in all
  std::optional<unsigned> cores;     // none: as many as fit
};

/// What a region holds of an array.
struct RegionFill {
  std::string region;
  unsigned cores = 0;                 // placed
  unsigned fitting = 0;               // that would fit
  std::vector<double> fill;           // share of each resource with `cores`, in the order of AllResources
  Resource limiting = Resource::Lut;  // the resource that another core would exceed first
};

struct Placement {
  Machine machine = Machine::Rtl;
  CoreArea area;
  std::vector<Site> cores;  // one for each core
  std::vector<RegionFill> regions;  // none if the area of a core is not known

  /// Multiply-accumulates per cycle of all cores.
  unsigned multipliers() const;
};

/// Every array of the report as far as it fits, without `wish.cores`; the empty ones, too.
std::vector<Placement> placements(const Board& board, const std::vector<CoreArea>& areas);

/// The placement to build. Throws Error Unsupported, naming the limiting resource, if the wish, or nothing, fits.
Placement place(const Board& board, const std::vector<CoreArea>& areas, const Wish& wish = {});

/// The placement of `wish` with cores of the block that Vitis HLS exports. Its area is known only after synthesis, so
/// it is not looked at. Throws Error Usage if the wish does not name array and cores, Unsupported if there are not as
/// many sites.
Placement place_hls(const Board& board, const Wish& wish);

/// The table that `espalier_board plan` prints.
std::string placement_table(const Board& board, const std::vector<CoreArea>& areas);

}  // namespace espalier::packaging
