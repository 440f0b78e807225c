// From a model file to something a device can run.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "console.hpp"
#include "dram/parameters.hpp"
#include "model/network.hpp"
#include "model_options.hpp"
#include "quantisation_report.hpp"
#include "run/session.hpp"

namespace espalier::tools {

struct LoadedModel {
  run::Executable executable;
  std::optional<model::Network> network;  // not of compiled files
};

/// The options of compilation, understood. Throws Error (Usage).
struct CompileSettings {
  std::optional<abi::Configuration> array;  // none: 16x16, or the compiled file's
  compile::MemoryParameters memory;         // for the prediction
  const dram::Parameters* dram = nullptr;   // of the platform; none: `memory` itself
  std::optional<unsigned> mhz;              // of the machine, where the memory says it
  compile::Mode weights = compile::Mode::Auto;
  compile::WeightFormat weight_format = compile::WeightFormat::Auto;
  bool exits = false;        // in stages, one per output
  std::optional<int> split;  // channels in a computed word
};
CompileSettings parse_compile_settings(const ModelOptions& options);

/// What the settings mean to the compiler.
compile::Options compile_options(const CompileSettings& settings);

/// The memory of a report: {bytes, latency}, and for a DRAM {name, clock_mhz, pause_every, pause, one_bus}.
Json memory_json(const CompileSettings& settings);

/// The clock of the machine in MHz: as given, as the memory says, or 300. Throws Error (Usage) if the two differ.
double machine_clock(const std::optional<double>& given, const CompileSettings& settings);

/// A quantised network with its edge, before compilation.
struct QuantisedModel {
  model::Network network;
  run::Ports ports;
  QuantisationSummary quantisation = {};
};

/// For QuantisationTexts::noise_samples: as many samples as take little time.
inline constexpr std::size_t AutomaticNoise = ~std::size_t{0};

/// Imports a model file and quantises it, with the samples of --calibrate (read with `inputs`) or the synthetic set,
/// which also measure the noise if the options say with how many. Throws Error (Usage, Input, Model, Unsupported).
QuantisedModel import_model(const ModelOptions& options, const InputOptions& inputs, Console& console);

/// Compiles for the array of the settings.
run::Executable compile_model(const QuantisedModel& model, const CompileSettings& settings, Console& console);

/// Whether a path names a compiled file.
bool is_compiled_file(const std::string& path);

/// Loads a .esp, or imports and compiles a model file. Throws Error (Input, Model, Unsupported, Program).
LoadedModel load_model(const ModelOptions& options, const InputOptions& inputs, Console& console);

/// The inputs of a network as the readers of files want them.
std::vector<InputShape> input_shapes(const run::Ports& ports);

}  // namespace espalier::tools
