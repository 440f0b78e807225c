// The RTL of a core as one SystemVerilog file with the kernel as its top, for a packager that carries neither include
// folders nor macro definitions.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "esp_abi.hpp"
#include "machine.hpp"

namespace espalier::packaging {

/// A pin of a module: "m_axi_data_arlen", "output", 8.
struct Pin {
  std::string name;
  std::string direction;
  unsigned bits = 1;
  std::string text;  // as it is declared, without comma and comment
};

/// The pins that the header of a module declares, in order; one pin per line, widths as numbers.
/// Throws Error Input if the text has no such module.
std::vector<Pin> read_pins(const std::string& text, const std::string& module);

/// A text file. Throws Error Input.
std::string read_source(const std::filesystem::path& file);

/// The package of the contract, the modules below `root` and the top: module `espalier` with the pins that XRT's ports
/// have and the parameters of the array. Machine::Rtl: all modules of hw/rtl; multipliers are the primitive of the
/// device. Machine::Hls: the register file and the pins of hls/rtl around the module `esp_machine_core`, which is not
/// part of it. No assertions.
std::string kernel_source(const std::filesystem::path& root, const abi::Configuration& configuration, Machine machine);

}  // namespace espalier::packaging
