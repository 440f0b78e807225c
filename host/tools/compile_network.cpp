#include "model_loader.hpp"

#include <fmt/format.h>

#include "esp_error.hpp"
#include "model/stages.hpp"
#include "options.hpp"
#include "table.hpp"

namespace espalier::tools {

CompileSettings parse_compile_settings(const ModelOptions& options) {
  CompileSettings settings;
  if (!options.array.empty()) settings.array = parse_array(options.array);
  const MemoryChoice memory = parse_memory_choice(options.memory);
  settings.memory = memory.parameters;
  settings.dram = memory.dram;
  if (memory.dram != nullptr) settings.mhz = memory.mhz;
  if (options.weights == "dense") settings.weights = compile::Mode::Dense;
  if (options.weights == "sparse") settings.weights = compile::Mode::Sparse;
  if (options.weight_format == "raw") settings.weight_format = compile::WeightFormat::Raw;
  if (options.weight_format == "fixed") settings.weight_format = compile::WeightFormat::Fixed;
  if (options.weight_format == "huffman") settings.weight_format = compile::WeightFormat::Huffman;
  settings.split = options.split;
  settings.exits = options.exits;
  return settings;
}

Json memory_json(const CompileSettings& settings) {
  const compile::MemoryParameters& memory = settings.memory;
  Json json{{"bytes", memory.bytes}, {"latency", memory.latency}};
  if (settings.dram == nullptr) return json;
  json["name"] = settings.dram->name;
  json["clock_mhz"] = *settings.mhz;
  json["pause_every"] = memory.pause_every;
  json["pause"] = memory.pause;
  json["one_bus"] = memory.one_bus;
  return json;
}

double machine_clock(const std::optional<double>& given, const CompileSettings& settings) {
  constexpr double Default = 300;
  if (!settings.mhz) return given.value_or(Default);
  const double clock = *settings.mhz;
  if (given && *given != clock)
    throw Error(ErrorCode::Usage, "the memory is named for another clock", "--clock", fmt::format("{} MHz", *given),
                fmt::format("write --memory {}@{}", settings.dram->name, *given));
  return clock;
}

compile::Options compile_options(const CompileSettings& settings) {
  compile::Options options;
  options.memory = settings.memory;
  options.mode = settings.weights;
  options.weight_format = settings.weight_format;
  options.split = settings.split;
  return options;
}

run::Executable compile_model(const QuantisedModel& model, const CompileSettings& settings, Console& console) {
  compile::Options options = compile_options(settings);
  options.progress = [&](std::size_t index, std::size_t count, const std::string& /*name*/) {
    if (index == 0 && count > 1) console.progress(fmt::format("compiling {} layers", count));
  };
  const abi::Configuration configuration = settings.array.value_or(abi::Array16x16);
  model::Staged staged{model.network, {}};
  if (settings.exits) {
    staged = model::in_stages(model.network);
    if (!staged.firsts.empty()) options.stages.assign(staged.firsts.begin() + 1, staged.firsts.end());
  }
  run::Executable executable{model.network.name, compile::compile(staged.network, configuration, options), model.ports};
  console.progress(fmt::format("compiled for {}: {} commands, {} cycles predicted", array_text(configuration),
                               executable.compiled.program.command_count, grouped(executable.compiled.total_cycles)));
  return executable;
}

// Rank 4 is batch, channels, height, width; other ranks are rows of values.
std::vector<InputShape> input_shapes(const run::Ports& ports) {
  std::vector<InputShape> shapes;
  for (const compress::Input& port : ports.inputs) {
    InputShape shape{port.name, 1, 1, 1, port.type != model::ElementType::Float, port.shape};
    if (port.shape.size() == 4) {
      shape.channels = static_cast<int>(port.shape[1]);
      shape.height = static_cast<int>(port.shape[2]);
      shape.width = static_cast<int>(port.shape[3]);
    } else {
      shape.channels = static_cast<int>(model::count_elements(port.shape, port.name));
    }
    shapes.push_back(shape);
  }
  return shapes;
}

}  // namespace espalier::tools
