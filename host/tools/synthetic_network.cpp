#include "synthetic_network.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace espalier::tools {

void add_synthetic_network_options(CLI::App& command, SyntheticNetwork& options) {
  zoo::Options& zoo = options.zoo;
  std::string known;
  for (const std::string& name : zoo::names()) known += (known.empty() ? "" : ", ") + name;
  command.add_option("NETWORK", options.name, known)->required();
  command.add_option("--density", zoo.density, "share of non-zero weights")->capture_default_str();
  command.add_option("--pattern", options.pattern, "unstructured, 2:4, block4x4 or pattern4of9")->capture_default_str();
  command.add_option("--first-density", zoo.first_density, "the first convolution is not sparser than this")
      ->capture_default_str();
  command.add_option("--depthwise-density", zoo.depthwise_density, "of depthwise convolutions")->capture_default_str();
  command.add_option("--width", zoo.width, "of the channels of a MobileNet")->capture_default_str();
  command.add_option("--resolution", zoo.resolution, "height and width of the input; default: as published");
  command.add_option("--classes", zoo.classes, "outputs of the network; default: as published");
  command.add_flag("--fully-connected", zoo.fully_connected, "VGG16 with its three fully connected layers");
  command.add_option("--seed", zoo.seed, "of weights, masks and inputs")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

model::Network build(const SyntheticNetwork& options, Console& console) {
  zoo::Options zoo = options.zoo;
  zoo.pattern = model::parse_pattern(options.pattern);
  console.progress("building " + options.name);
  return zoo::build(options.name, zoo);
}

run::Executable compile_synthetic(const model::Network& network, const CompileSettings& settings, unsigned threads,
                                  Console& console) {
  compile::Options options;
  options.memory = settings.memory;
  options.mode = settings.weights;
  options.weight_format = settings.weight_format;
  options.split = settings.split;
  options.threads = threads;
  options.progress = [&console](std::size_t index, std::size_t count, const std::string& name) {
    const std::size_t step = std::max<std::size_t>(1, count / 10);
    if (index % step == 0) console.progress(fmt::format("compiling layer {} of {}: {}", index + 1, count, name));
  };
  return {network.name, compile::compile(network, settings.array.value_or(abi::Array16x16), options), {}};
}

std::vector<cpu::Tensor> random_inputs(const model::Network& network, zoo::Random& random) {
  std::vector<cpu::Tensor> inputs;
  for (const int input : network.inputs) {
    cpu::Tensor tensor(network.features[static_cast<std::size_t>(input)].elements());
    for (std::int8_t& value : tensor) value = static_cast<std::int8_t>(random.between(-128, 127));
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

void add_synthetic_network(Json& json, const SyntheticNetwork& options) {
  json["network"] = options.name;
  json["density"] = options.zoo.density;
  json["pattern"] = options.pattern;
  json["width"] = options.zoo.width;
  json["resolution"] = options.zoo.resolution == 0 ? Json(nullptr) : Json(options.zoo.resolution);
  json["seed"] = options.zoo.seed;
}

}  // namespace espalier::tools
