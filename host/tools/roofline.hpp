// The roofline plot of a report: what the array and the memory allow, and where each layer is.
//
//   html += roofline_section(report, memory);
#pragma once

#include <string>

#include "compile/timing/predict.hpp"
#include "run/report.hpp"

namespace espalier::tools {

/// MACs (of the dense network) per byte that a layer moves through the busier of the two directions of the memory
/// port; reads and writes have channels of their own, so that one alone can fill its share. Infinite without bytes.
double intensity(const run::LayerRow& row);

/// A section of the page: MACs per cycle over MACs per byte, both logarithmic, as inline SVG with its legend. Roofs are
/// the multipliers of the array and the bytes per cycle of `memory`. Every layer with MACs and cycles is a full point
/// (all MACs of the dense network) above a hollow one (non-zero MACs); layers that move no bytes stand at the right
/// edge, those without MACs are listed below. Empty if no layer has MACs.
/// Source: Williams, Waterman, Patterson: Roofline, CACM 52(4), 2009.
std::string roofline_section(const run::RunReport& report, const compile::MemoryParameters& memory);

}  // namespace espalier::tools
