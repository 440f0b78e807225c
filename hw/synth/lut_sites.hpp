// How many LUT sites of a slice the LUTs of a netlist take, when they are paired as well as can be.
//
//   std::ifstream stream("esp_lane.netlist.json");  // of Yosys, mapped by synth_xilinx
//   for (const auto& [module, luts, sites] : espalier::synth::count_lut_sites(stream, "esp_lane.netlist.json")) ...
//
// A site of UltraScale+ (AMD UG574) is one LUT of 6 inputs, or two LUTs of at most 5 different inputs together.
#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <vector>

namespace espalier::synth {

struct ModuleSites {
  std::string module;     // as Yosys names it
  std::size_t luts = 0;   // cells LUT1..LUT6 and INV; LUTs of memories and shift registers are not among them
  std::size_t sites = 0;  // luts less the pairs

  bool operator==(const ModuleSites&) const = default;
};

/// The modules of the netlist in the order of their names, each for itself; cells of the library are left out. Throws
/// Error Input, naming `file`, if it is not a mapped netlist of Yosys.
std::vector<ModuleSites> count_lut_sites(std::istream& netlist, const std::string& file);

}  // namespace espalier::synth
