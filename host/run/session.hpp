// Executes a compiled network on a device and reports what happened. It follows the plan it is given; it decides
// nothing.
//
//   driver::Device device(bus);
//   run::Session session(device, executable, {.device = "rtl"});
//   run::RunReport report = session.run(samples);   // one vector of values per network input
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compile/packer.hpp"
#include "compile/timing/predict.hpp"
#include "compress/quantised.hpp"
#include "espalier/driver/device.hpp"
#include "run/report.hpp"

namespace espalier::run {

/// The outer edge of a network: what the user gives and gets, one entry per input and output of the network.
struct Ports {
  std::vector<compress::Input> inputs;
  std::vector<compress::Output> outputs;
};

/// A compiled network with its outer edge.
struct Executable {
  std::string name;
  compile::Compiled compiled;
  Ports ports;
};

struct Settings {
  std::string device;                // name of the device in reports
  compile::MemoryParameters memory;  // for the prediction
  driver::Limits limits;
};

using Feature = std::vector<std::int8_t>;

/// Outputs of a network as int8 features, one per output, channels x height x width.
struct FeatureRun {
  std::vector<Feature> features;
  RunReport report;
  std::int64_t conversion_time = 0;  // nanoseconds of the processor that packed and unpacked
};

class Session {
 public:
  /// Puts the program on the device. Throws Error (Program) if it was compiled for another array, Error (Usage) if it
  /// is compiled in stages. The device and the
  /// executable must outlive the session.
  Session(driver::Device& device, const Executable& executable, Settings settings);

  /// Quantises, runs, dequantises. One vector of values in C order per network input. Throws Error
  /// (Input) for values that do not fit, Error (Device, Timeout) from the device, which stays usable.
  RunReport run(std::span<const std::vector<float>> inputs);

  /// As run(), but gives up when `stop`, asked while the device works, says true: nothing is returned then.
  std::optional<RunReport> run(std::span<const std::vector<float>> inputs, const std::function<bool()>& stop);

  /// The same between the edges: int8 features in, int8 features out; the report has no outputs.
  FeatureRun run_features(std::span<const Feature> inputs);

  /// Rows and totals of the prediction with the settings' memory; nothing measured, no outputs.
  const RunReport& predicted() const { return predicted_; }

 private:
  const Executable* executable_;
  compile::Packer packer_;
  Settings settings_;
  RunReport predicted_;
  driver::Loaded loaded_;
};

/// Puts the program on a device. Throws Error (Program) if it was compiled for another array.
driver::Loaded load(driver::Device& device, const Executable& executable, const driver::Limits& limits);

/// An output as the user sees it.
Output present(const compress::Output& port, const Feature& feature);

/// The int8 features for one vector of values per network input; `name` is the network's in errors. Throws Error(Input)
/// for another number of inputs or values that do not fit.
std::vector<Feature> quantised_inputs(const Ports& ports, std::span<const std::vector<float>> inputs,
                                      const std::string& name);

/// Rows and totals of the prediction alone: prologue, layers, epilogue; nothing measured, no outputs. `device` is the
/// name in the rows. Throws Error (Program) if the program is one that no machine would execute.
RunReport predicted_report(const Executable& executable, const std::string& device,
                           const compile::MemoryParameters& memory);

/// The same with the cycles that the compiler predicted, and no device.
RunReport compiled_report(const Executable& executable);

}  // namespace espalier::run
