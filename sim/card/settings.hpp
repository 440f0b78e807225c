// What the environment says about the simulated card. The card is loaded by foreign programs, so there is no other way.
#pragma once

#include <optional>
#include <string>

#include "esp_abi.hpp"

namespace espalier::card {

/// ESPALIER_CARD=<kind>[:<lanes>x<pixels>], default "rtl": which model is on the card, and whether it takes images of
/// one array only. Without an array the card becomes what the loaded image says, as an FPGA does.
struct Settings {
  std::string kind = "rtl";
  std::optional<unsigned> lanes;
  std::optional<unsigned> pixels;
};

/// Throws espalier::Error (Usage) for text of another form.
Settings parse_settings(const std::string& text);

Settings settings_from_environment();

}  // namespace espalier::card
