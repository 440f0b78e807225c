// Makes the device image of a simulated card: an xclbin that XRT accepts, the same bytes for the same contract.
#pragma once

#include <cstdint>
#include <vector>

#include "esp_abi.hpp"

namespace espalier::bitstreams {

/// Two memory banks, of which the kernel sees bank 0, and one kernel with the contract's argument registers. The uuid
/// is derived from the contents; there is no date.
std::vector<std::uint8_t> make_image(const abi::Configuration& configuration);

}  // namespace espalier::bitstreams
