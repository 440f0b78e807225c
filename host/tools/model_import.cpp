#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <random>

#include "compress/quantise.hpp"
#include "esp_error.hpp"
#include "import_options.hpp"
#include "model/model_import.hpp"
#include "model/rewrites.hpp"
#include "model_loader.hpp"
#include "run/executable_file.hpp"
#include "run_inputs.hpp"

namespace espalier::tools {
namespace {

constexpr std::size_t SyntheticSamples = 8;  // of each kind

// Uniform in [0, 1) from the upper bits, which every library computes alike.
float uniform(std::mt19937_64& engine) { return static_cast<float>(engine() >> 40) / 16777216.0F; }

// Normal (0, 1) within [-3, 3] as a sum of twelve uniform numbers, for the same reason.
float normal(std::mt19937_64& engine) {
  float sum = -6.0F;
  for (int i = 0; i < 12; ++i) sum += uniform(engine);
  return std::clamp(sum, -3.0F, 3.0F);
}

std::vector<compress::Sample> synthetic_samples(const model::Graph& graph) {
  std::mt19937_64 engine(1);
  std::vector<compress::Sample> samples(2 * SyntheticSamples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    for (const model::Port& port : graph.inputs) {
      std::vector<float> values(static_cast<std::size_t>(model::count_elements(port.shape, port.name)));
      for (float& value : values) value = i < SyntheticSamples ? uniform(engine) : normal(engine);
      samples[i].push_back(std::move(values));
    }
  }
  return samples;
}

run::Ports input_ports(const model::Graph& graph) {
  run::Ports ports;
  for (const model::Port& port : graph.inputs) ports.inputs.push_back({port.name, port.type, port.shape, 1.0F, 0});
  return ports;
}

std::vector<compress::Sample> calibration_samples(const model::Graph& graph, const std::vector<std::string>& files,
                                                  InputOptions options) {
  if (files.empty()) return synthetic_samples(graph);
  options.all_items = true;
  options.index.reset();
  options.count.reset();
  std::vector<compress::Sample> samples;
  for (RunInput& run : read_run_inputs(files, input_shapes(input_ports(graph)), options, "--calibrate"))
    samples.push_back(std::move(run.values));
  return samples;
}

}  // namespace

QuantisedModel import_model(const ModelOptions& options, const InputOptions& inputs, Console& console) {
  console.progress("reading " + options.path);
  const std::vector<std::string>& calibrate = options.calibrate;
  const model::RewriteOptions rewrites = parse_rewrite_options(options.import_texts);
  const model::Graph graph = model::import_model(options.path, parse_import_options(options.import_texts)).graph;
  compress::Quantised quantised;
  if (model::is_quantised(graph)) {
    if (!calibrate.empty()) console.progress("--calibrate is not used: the network is quantised already");
    quantised = compress::lower_quantised(graph, rewrites);
  } else {
    const std::vector<compress::Sample> samples = calibration_samples(graph, calibrate, inputs);
    console.progress(
        fmt::format("quantising with {} {} samples", samples.size(), calibrate.empty() ? "synthetic" : "given"));
    if (model::is_dynamic(graph) && !rewrites.without.contains("static-quantisation"))
      console.progress(
          "the file finds the ranges of activations anew for every input; here they are those of the samples");
    quantised = compress::quantise(graph, samples, {.rewrites = rewrites});
  }
  if (quantised.network.name.empty()) quantised.network.name = std::filesystem::path(options.path).stem().string();
  return {std::move(quantised.network), {std::move(quantised.inputs), std::move(quantised.outputs)}};
}

bool is_compiled_file(const std::string& path) {
  return std::filesystem::path(path).extension() == ".esp" || run::is_executable(path);
}

LoadedModel load_model(const ModelOptions& options, const InputOptions& inputs, Console& console) {
  const CompileSettings settings = parse_compile_settings(options);
  if (is_compiled_file(options.path)) {
    if (!options.calibrate.empty()) console.progress("--calibrate is not used: the file is compiled already");
    return {run::load(options.path, settings.array), {}};
  }
  QuantisedModel model = import_model(options, inputs, console);
  run::Executable executable = compile_model(model, settings, console);
  return {std::move(executable), std::move(model.network)};
}

}  // namespace espalier::tools
