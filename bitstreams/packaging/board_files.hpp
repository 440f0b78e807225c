// The files from which the vendor's tools make the image of a board: all of them follow from the contract, the board
// and the placement of the cores.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "bitstreams/manifest.hpp"
#include "board.hpp"
#include "sizing.hpp"

namespace espalier::packaging {

/// The name of image, firmware and application: "espalier_kv260_8x8", "espalier_u50_16x16_hls".
std::string application_name(const Board& board, const Placement& placement);

/// The manifest of an image that is still to be made: without digest.
bitstreams::Manifest make_manifest(const Board& board, const Placement& placement);

/// What the linker is told (v++ --config): platform, clock, cores, their regions and memories.
std::string link_configuration(const Board& board, const Placement& placement);

/// What the committed Tcl scripts read: part, clock, ports, arguments, file names.
std::string tool_settings(const Board& board, const Placement& placement);

/// The device-tree overlay that loads the firmware and brings XRT's driver to it (Zynq).
std::string device_tree_overlay(const Board& board, const Placement& placement);

/// All files by their path below the output folder. `root`: of the source tree.
std::map<std::string, std::string> board_files(const Board& board, const Placement& placement,
                                               const std::filesystem::path& root);

}  // namespace espalier::packaging
