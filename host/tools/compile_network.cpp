#include "model_loader.hpp"

#include <fmt/format.h>

#include "options.hpp"
#include "table.hpp"

namespace espalier::tools {

CompileSettings parse_compile_settings(const ModelOptions& options) {
  CompileSettings settings;
  if (!options.array.empty()) settings.array = parse_array(options.array);
  settings.memory = parse_memory(options.memory);
  if (options.weights == "dense") settings.weights = compile::Mode::Dense;
  if (options.weights == "sparse") settings.weights = compile::Mode::Sparse;
  if (options.weight_format == "raw") settings.weight_format = compile::WeightFormat::Raw;
  if (options.weight_format == "fixed") settings.weight_format = compile::WeightFormat::Fixed;
  if (options.weight_format == "huffman") settings.weight_format = compile::WeightFormat::Huffman;
  settings.split = options.split;
  return settings;
}

run::Executable compile_model(const QuantisedModel& model, const CompileSettings& settings, Console& console) {
  compile::Options options;
  options.memory = settings.memory;
  options.mode = settings.weights;
  options.weight_format = settings.weight_format;
  options.split = settings.split;
  options.progress = [&](std::size_t index, std::size_t count, const std::string& /*name*/) {
    if (index == 0 && count > 1) console.progress(fmt::format("compiling {} layers", count));
  };
  const abi::Configuration configuration = settings.array.value_or(abi::Array16x16);
  run::Executable executable{model.network.name, compile::compile(model.network, configuration, options), model.ports};
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
