// What the memory of a platform saw in a run: bandwidth and latency of every master, and what the DRAM did.
#pragma once

#include <string>

#include "report_json.hpp"
#include "soc/platform.hpp"

namespace espalier::tools {

/// {cycles, clock_mhz, memory, masters[], dram}.
Json traffic_json(const soc::Report& report);

/// A row per core, master and direction that moved something, and a line about the DRAM.
std::string traffic_table(const soc::Report& report);

}  // namespace espalier::tools
