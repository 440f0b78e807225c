// Where each layer runs, and why.
//
//   plan::Plan plan = plan::make_plan(compiled, "rtl");
#pragma once

#include <string>
#include <vector>

#include "compile/compile.hpp"

namespace espalier::plan {

/// One step of a network's execution, in order.
struct Step {
  enum class Place { Accelerator, Host };
  std::string layer;
  Place place = Place::Accelerator;
  std::string device;  // name of the machine
  std::string reason;
};

struct Plan {
  std::vector<Step> steps;  // one per layer of the compiled network
};

/// Every layer that compile accepted runs on the accelerator `device`: the machine holds the whole network between one
/// start and one done, and a layer elsewhere would add two transfers.
Plan make_plan(const compile::Compiled& compiled, const std::string& device);

}  // namespace espalier::plan
