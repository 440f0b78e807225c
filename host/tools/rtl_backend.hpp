// The simulation of the RTL, in builds that have it.
#pragma once

#include <memory>
#include <vector>

#include "backends.hpp"

namespace espalier::tools {

/// Opens the simulation of one core. Throws Error (Unsupported) in a build without it.
std::unique_ptr<driver::Bus> open_rtl(const BackendOptions& options);

/// Opens cores that share a memory; the same errors.
std::unique_ptr<Cores> open_rtl_cores(const BackendOptions& options, unsigned cores);

/// Its entry for `espalier devices`; none in a build without it.
std::vector<BackendInfo> list_rtl();

}  // namespace espalier::tools
