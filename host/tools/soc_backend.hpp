// The SystemC platform as machines of the command line; without SystemC none of it is there.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "backends.hpp"
#include "soc/platform.hpp"

namespace espalier::tools {

/// options.device is Soc or SocRtl. Throws Error (Usage) if the build has no platform.
std::unique_ptr<driver::Bus> open_soc(const BackendOptions& options);
std::unique_ptr<Cores> open_soc_cores(const BackendOptions& options, unsigned cores);
std::vector<BackendInfo> list_soc();

/// What the memory saw in the last run of a machine; none unless it is a platform.
std::optional<soc::Report> traffic_of(driver::Bus& bus);

}  // namespace espalier::tools
