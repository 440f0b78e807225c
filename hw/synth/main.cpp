// lut_sites: the LUT sites of every module of a mapped netlist of Yosys.
//
//   lut_sites esp_lane.netlist.json     prints a line per module: LUTs, sites, name
#include <exception>
#include <fstream>
#include <iostream>

#include "esp_error.hpp"
#include "lut_sites.hpp"

int main(int argc, char** argv) try {
  using espalier::Error;
  using espalier::ErrorCode;
  if (argc != 2) {
    throw Error(ErrorCode::Usage, "one netlist is needed", "command line", {}, "lut_sites NAME.netlist.json");
  }
  std::ifstream stream(argv[1], std::ios::binary);
  if (!stream) throw Error(ErrorCode::Input, "the netlist cannot be read", argv[1], {}, "check the path");
  for (const auto& [module, luts, sites] : espalier::synth::count_lut_sites(stream, argv[1]))
    std::cout << luts << ' ' << sites << ' ' << module << '\n';
  if (!std::cout.flush()) throw Error(ErrorCode::Input, "the result cannot be written", "standard output");
  return 0;
} catch (const std::exception& error) {
  std::cerr << "lut_sites: " << error.what() << '\n';
  return 1;
}
