// What `espalier compile` says about quantisation: the noise of every layer and the layers that hurt.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "compress/noise.hpp"
#include "report_json.hpp"

namespace espalier::tools {

/// How a network came to its integers.
struct QuantisationSummary {
  std::string calibration;   // name of the method; empty if the file was quantised already
  std::size_t samples = 0;   // of the calibration
  bool generated = false;    // they were made, not given
  bool compensated = false;  // rounding of the weights
  bool bias_correction = false;
  std::vector<compress::WeightChoice> weights;
  std::vector<compress::Equalised> equalised;
  std::optional<compress::NoiseReport> noise;
};

/// The member `quantisation` of a document.
Json quantisation_json(const QuantisationSummary& summary);

/// The same as a table, and as a section of the HTML page.
std::string quantisation_text(const QuantisationSummary& summary);
std::string quantisation_html(const QuantisationSummary& summary);

}  // namespace espalier::tools
