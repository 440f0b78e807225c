// Times, rates, factors and links as the plan command reads them: 5ms, 400kbps, 10x, up=400kbps,down=2Mbps,rtt=20ms.
#pragma once

#include <optional>
#include <string>

#include "plan/cost/problem.hpp"

namespace espalier::tools {

// All throw Error (Usage) naming `option` for a text that is not such a quantity.

/// ns, us, ms or s.
plan::Nanoseconds parse_nanoseconds(const std::string& text, const std::string& option);

/// bps, kbps, Mbps or Gbps, in bytes per second.
std::int64_t parse_rate(const std::string& text, const std::string& option);

/// "10x" or "10"; "none" is 0.
double parse_factor(const std::string& text, const std::string& option);

plan::Objective parse_objective(const std::string& text);

/// What is given of a link between home and remote devices.
struct LinkChange {
  std::optional<std::int64_t> up, down;      // bytes per second
  std::optional<plan::Nanoseconds> latency;  // one way: half of rtt
};
LinkChange parse_link(const std::string& text);

/// Changes the links between home and all remote devices.
void apply_link(const LinkChange& change, plan::Problem& problem);

}  // namespace espalier::tools
