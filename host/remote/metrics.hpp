// What a server has done, as Prometheus reads it.
#pragma once

#include <string>

#include "remote/engine.hpp"

namespace espalier::remote {

/// The text exposition format, version 0.0.4.
std::string metrics_text(const Counts& counts);

}  // namespace espalier::remote
