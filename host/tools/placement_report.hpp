// Where every layer runs and why, as JSON, as a table and as a picture.
#pragma once

#include <string>

#include "plan/placement/place.hpp"
#include "report_json.hpp"

namespace espalier::tools {

/// {objective, layers[], segments[], costs, totals}: costs are null if the plan has none.
Json placement_json(const plan::MixedPlan& plan);

/// One row per layer, and the totals.
std::string placement_table(const plan::MixedPlan& plan);

/// One line per layer that runs on the CPU though nobody asked for it; empty if there is none.
std::string fallback_text(const plan::MixedPlan& plan);

/// The graph as a picture (SVG): layers coloured by place, from the inputs at the top to the outputs; crossings between
/// CPU and accelerator are marked.
std::string placement_svg(const plan::MixedPlan& plan);

}  // namespace espalier::tools
