// Cards behind XRT, and the simulated card of the build.
#pragma once

#include <memory>
#include <vector>

#include "backends.hpp"

namespace espalier::tools {

/// Opens a card with the image for the array. If XILINX_XRT is not set and the simulated card stands beside the program
/// (../xrt), that one is used. Throws Error (Device, Program).
std::unique_ptr<driver::Bus> open_xrt(const BackendOptions& options);

/// The cards that XRT finds; empty without XRT or card.
std::vector<BackendInfo> list_xrt_cards();

}  // namespace espalier::tools
