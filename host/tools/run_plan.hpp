// `espalier run --plan`: the plan of espalier plan on this device, the CPU and servers.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "espalier/driver/bus.hpp"
#include "run_remote.hpp"

namespace espalier::tools {

struct PlanRunOptions {
  std::string file;     // of espalier plan
  std::string planner;  // empty: the only one
  std::size_t in_flight = 4;
  std::string timeline;  // file for a Chrome trace; empty: none
};

struct PlanRun {
  const QuantisedModel& model;
  const std::vector<RunInput>& inputs;
  const CompileSettings& settings;
  run::Settings device;
  std::function<std::unique_ptr<driver::Bus>()> open;  // of the accelerator here, called if it is needed
};

/// Runs every input and reports. Without a deadline frames overlap and a failure of a server is an error; with one,
/// each frame is answered in time, by the plan or by the device alone. Throws Error (Usage, Input, Unsupported, Device,
/// Timeout).
void run_plan(const PlanRunOptions& options, const RemoteOptions& remote, const PlanRun& run, Console& console);

}  // namespace espalier::tools
