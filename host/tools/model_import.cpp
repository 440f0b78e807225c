#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <random>

#include "compress/noise.hpp"
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

/// A level in [0, 1) as a number that the input takes: reals as they are, integers over their range.
float as_value(float level, model::ElementType type) {
  if (type == model::ElementType::Int8) return std::floor(level * 256) - 128;
  if (type == model::ElementType::UInt8) return std::floor(level * 256);
  return level;
}

std::vector<compress::Sample> synthetic_samples(const model::Graph& graph) {
  std::mt19937_64 engine(1);
  std::vector<compress::Sample> samples(2 * SyntheticSamples);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    for (const model::Port& port : graph.inputs) {
      const bool levels = i < SyntheticSamples || port.type != model::ElementType::Float;
      std::vector<float> values(static_cast<std::size_t>(model::count_elements(port.shape, port.name)));
      for (float& value : values) value = levels ? as_value(uniform(engine), port.type) : normal(engine);
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

/// As many samples as the multiply-accumulates of a few seconds allow, or as many as the options say, evenly spaced.
std::vector<compress::Sample> noise_samples(const std::vector<compress::Sample>& samples, const model::Network& network,
                                            std::size_t wanted) {
  constexpr std::int64_t MostMacs = 4'000'000'000;
  if (wanted == AutomaticNoise) {
    std::int64_t macs = 1;
    for (const model::Layer& layer : network.layers) macs += model::count_macs(network, layer).all;
    wanted = static_cast<std::size_t>(std::max<std::int64_t>(1, MostMacs / macs));
  }
  std::vector<compress::Sample> result;
  const std::size_t count = std::min(wanted, samples.size());
  for (std::size_t i = 0; i < count; ++i) result.push_back(samples[i * samples.size() / count]);
  return result;
}

compress::QuantisedGraph quantise(const model::Graph& graph, const QuantisationTexts& texts,
                                  const std::vector<compress::Sample>& samples, const model::RewriteOptions& rewrites,
                                  QuantisationSummary& summary) {
  compress::QuantiseOptions options = parse_quantisation_options(texts);
  options.rewrites = rewrites;
  compress::QuantisedGraph result = compress::quantise_graph(graph, samples, options);
  summary.calibration = texts.calibration;
  summary.samples = samples.size();
  summary.generated = texts.generated();
  summary.compensated = options.compensate;
  summary.bias_correction = options.correct_bias;
  summary.weights = result.weights;
  summary.equalised = result.equalised;
  return result;
}

}  // namespace

QuantisedModel import_model(const ModelOptions& options, const InputOptions& inputs, Console& console) {
  console.progress("reading " + options.path);
  const QuantisationTexts& texts = options.quantisation;
  const model::RewriteOptions rewrites = parse_rewrite_options(options.import_texts);
  const model::Graph graph = model::import_model(options.path, parse_import_options(options.import_texts)).graph;
  const bool quantised = model::is_quantised(graph);
  const std::size_t wanted = texts.noise_samples.value_or(0);
  if (quantised && !texts.generated())
    console.progress(wanted > 0 ? "--calibrate measures the noise alone: the network is quantised already"
                                : "--calibrate is not used: the network is quantised already");
  if (quantised && texts.changes_numbers())
    throw Error(ErrorCode::Usage, "the network is quantised already: its numbers stay as they are", options.path, {},
                "give the float network, or leave out the options of weights, ranges, equalisation, rounding and bias "
                "correction");
  std::vector<compress::Sample> samples;
  if (!quantised || wanted > 0) samples = calibration_samples(graph, calibration_files(texts), inputs);
  QuantisedModel model;
  compress::QuantisedGraph made;
  if (quantised) {
    made = compress::lower_quantised_graph(graph, rewrites);
  } else {
    console.progress(
        fmt::format("quantising with {} {} samples", samples.size(), texts.generated() ? "synthetic" : "given"));
    if (model::is_dynamic(graph) && !rewrites.without.contains("static-quantisation"))
      console.progress(
          "the file finds the ranges of activations anew for every input; here they are those of the samples");
    made = quantise(graph, texts, samples, rewrites, model.quantisation);
  }
  if (wanted > 0) {
    console.progress("measuring the noise of every layer");
    model.quantisation.noise = compress::measure_noise(made, noise_samples(samples, made.quantised.network, wanted));
  }
  model.network = std::move(made.quantised.network);
  if (model.network.name.empty()) model.network.name = std::filesystem::path(options.path).stem().string();
  model.ports = {std::move(made.quantised.inputs), std::move(made.quantised.outputs)};
  return model;
}

bool is_compiled_file(const std::string& path) {
  return std::filesystem::path(path).extension() == ".esp" || run::is_executable(path);
}

LoadedModel load_model(const ModelOptions& options, const InputOptions& inputs, Console& console) {
  const CompileSettings settings = parse_compile_settings(options);
  if (is_compiled_file(options.path)) {
    if (!options.quantisation.generated()) console.progress("--calibrate is not used: the file is compiled already");
    LoadedModel loaded{run::load(options.path, settings.array), {}};
    if (!loaded.executable.compiled.stages.empty() && !options.exits)
      throw Error(ErrorCode::Usage, "the file is compiled with exits and is run exit by exit", options.path,
                  fmt::format("{} stages", loaded.executable.compiled.stages.size()),
                  "use espalier run --exits, or compile without --exits");
    return loaded;
  }
  QuantisedModel model = import_model(options, inputs, console);
  run::Executable executable = compile_model(model, settings, console);
  return {std::move(executable), std::move(model.network)};
}

}  // namespace espalier::tools
