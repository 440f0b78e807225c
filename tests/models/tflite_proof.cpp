#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "compress/layer_alone.hpp"
#include "compress/noise.hpp"
#include "compress/quantise.hpp"
#include "cpu/fast.hpp"
#include "model/model_import.hpp"
#include "oracle_file.hpp"
#include "program.hpp"
#include "proof.hpp"

namespace espalier::test {
namespace {

constexpr std::size_t LeastSamples = 100;
constexpr double LeastDecibels = 25;
constexpr std::size_t ReferenceSamples = 2;  // of the naive reference, the slowest of our executors

/// How often two int8 tensors differ by how much: ours minus the oracle's.
class Differences {
 public:
  void add(const cpu::Tensor& ours, const cpu::Tensor& theirs) {
    for (std::size_t i = 0; i < ours.size(); ++i) ++count_[ours[i] - theirs[i]];
  }
  int largest() const {
    int most = 0;
    for (const auto& [difference, count] : count_) most = std::max(most, std::abs(difference));
    return most;
  }
  std::string text() const {
    std::string text;
    for (const auto& [difference, count] : count_) text += fmt::format("  {:+}: {}", difference, count);
    return text;
  }

 private:
  std::map<int, std::uint64_t> count_;
};

/// The oracle's tensor for every feature of a network, by the name of the layer that writes it.
std::vector<std::optional<std::size_t>> match(const compress::Quantised& quantised, const OracleFile& oracle) {
  std::vector<std::optional<std::size_t>> result(quantised.network.features.size());
  for (std::size_t i = 0; i < quantised.inputs.size(); ++i)
    result[static_cast<std::size_t>(quantised.network.inputs[i])] = oracle.find(quantised.inputs[i].name);
  for (const model::Layer& layer : quantised.network.layers)
    result[static_cast<std::size_t>(layer.output)] = oracle.find(layer.name);
  return result;
}

using Match = std::vector<std::optional<std::size_t>>;

/// Every layer on the oracle's own input.
bool prove_layers(const compress::Quantised& quantised, const OracleFile& oracle, const Match& matched) {
  Differences all;
  std::size_t compared = 0;
  std::string wrong;
  for (const model::Layer& layer : quantised.network.layers) {
    std::vector<std::size_t> inputs;
    for (const int input : layer.inputs)
      if (const auto& tensor = matched[static_cast<std::size_t>(input)]) inputs.push_back(*tensor);
    const auto& output = matched[static_cast<std::size_t>(layer.output)];
    if (inputs.size() != layer.inputs.size() || !output) {
      wrong += " " + layer.name + " (no tensor of this name)";
      continue;
    }
    const model::Network alone = compress::layer_alone(quantised.network, layer);
    const cpu::FastExecutor executor(alone);
    Differences here;
    for (std::size_t sample = 0; sample < oracle.samples(); ++sample) {
      std::vector<cpu::Tensor> given;
      for (const std::size_t tensor : inputs) given.push_back(oracle.channels_first(sample, tensor));
      const cpu::Tensor ours = executor.run(given).back();
      const cpu::Tensor theirs = oracle.channels_first(sample, *output);
      here.add(ours, theirs);
      all.add(ours, theirs);
    }
    if (here.largest() > 1) wrong += " " + layer.name + here.text();
    ++compared;
  }
  std::cout << "  differences of layers, ours minus TensorFlow Lite's:" << all.text() << "\n";
  return check(wrong.empty() && compared > 0 && oracle.samples() >= LeastSamples,
               fmt::format("{} layers, each on TensorFlow Lite's own input, at most one step apart over {} inputs{}",
                           compared, oracle.samples(), wrong.empty() ? "" : ":" + wrong));
}

std::size_t top(const cpu::Tensor& values) {
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

/// The whole network from its input: answers, and the differences before the softmax.
bool prove_answers(const compress::Quantised& quantised, const OracleFile& oracle, const Match& matched) {
  const cpu::FastExecutor executor(quantised.network);
  const auto input = static_cast<std::size_t>(quantised.network.inputs[0]);
  const auto output = static_cast<std::size_t>(quantised.network.outputs[0]);
  if (!matched[input] || !matched[output]) return check(false, "the network's input or output has no tensor");
  Differences all;
  std::size_t same = 0, ties = 0;
  bool reference = true;
  for (std::size_t sample = 0; sample < oracle.samples(); ++sample) {
    const std::vector<cpu::Tensor> given{oracle.channels_first(sample, *matched[input])};
    const std::vector<cpu::Tensor> features = executor.run(given);
    if (sample < ReferenceSamples) reference = reference && features == cpu::run(quantised.network, given);
    const cpu::Tensor& ours = features[output];
    const cpu::Tensor theirs = oracle.channels_first(sample, *matched[output]);
    all.add(ours, theirs);
    if (top(ours) == top(theirs)) {
      ++same;
    } else if (theirs[top(theirs)] - theirs[top(ours)] <= 1) {
      ++ties;
    }
  }
  std::cout << "  differences of results from end to end, before the softmax:" << all.text() << "\n";
  bool holds = check(reference, "the fast executor has the bits of the reference");
  if (!quantised.outputs[0].softmax_axis) return holds;
  holds = check(same * 100 >= oracle.samples() * 99 && same + ties == oracle.samples(),
                fmt::format("the same answer on {} of {} inputs, {} more within one step of a tie", same,
                            oracle.samples(), ties)) &&
          holds;
  return holds;
}

bool prove_noise(const compress::QuantisedGraph& graph, const OracleFile& oracle, const Match& matched) {
  const auto input = *matched[static_cast<std::size_t>(graph.quantised.network.inputs[0])];
  std::vector<compress::Sample> samples;
  for (std::size_t sample = 0; sample < oracle.samples(); ++sample) {
    const cpu::Tensor values = oracle.channels_first(sample, input);
    const model::Shape& declared = graph.quantised.inputs[0].shape;
    // Ports keep the shape of the file: channels last where the file has them last.
    const bool last = declared.size() == 4 && declared == oracle.tensors()[input].shape;
    samples.push_back({last ? oracle.values(sample, input) : cpu::FloatTensor(values.begin(), values.end())});
  }
  const compress::NoiseReport report = compress::measure_noise(graph, samples);
  bool holds = true;
  for (const compress::LayerNoise& output : report.outputs) {
    const double decibels = output.dequantised.decibels().value_or(999);
    holds = check(decibels >= LeastDecibels,
                  fmt::format("{:.1f} dB of output '{}' against float32 with dequantised weights, {} inputs", decibels,
                              output.name, report.samples)) &&
            holds;
  }
  std::cout << "  layers that hurt most:";
  for (const std::size_t i : report.worst)
    std::cout << fmt::format("  {} ({:.1f} dB)", report.layers[i].name.substr(0, 40),
                             report.layers[i].own.value_or(report.layers[i].dequantised).decibels().value_or(999));
  std::cout << "\n";
  return holds;
}

bool prove_devices(const std::filesystem::path& file) {
  const bool rtl = run_program({"devices", "--json"}).out.find("\"rtl\"") != std::string::npos;
  const std::string devices = rtl ? "functional,rtl" : "functional";
  if (!rtl) std::cout << "  left out: the RTL, which this build does not have\n";
  const Outcome outcome =
      run_program({"verify", file.string(), "--devices", devices, "--array", "8x8", "--inputs", "2", "--json"});
  const std::string found = outcome.code == 0 ? outcome.json()["differences"].dump() : outcome.out + outcome.err;
  return check(outcome.code == 0 && found == "0",
               "no bit differs among the CPU reference and " + devices + ", differences: " + found);
}

}  // namespace

bool prove_tflite(const ProofFolders& folders, const std::string& network) {
  const std::filesystem::path file = folders.networks / (network + ".tflite");
  std::cout << network << "\n";
  const OracleFile oracle(folders.packages / (network + ".oracle"));
  const compress::QuantisedGraph graph = compress::lower_quantised_graph(model::import_model(file.string()).graph);
  const Match matched = match(graph.quantised, oracle);
  bool holds = prove_layers(graph.quantised, oracle, matched);
  holds = prove_answers(graph.quantised, oracle, matched) && holds;
  holds = prove_noise(graph, oracle, matched) && holds;
  return prove_devices(file) && holds;
}

}  // namespace espalier::test
