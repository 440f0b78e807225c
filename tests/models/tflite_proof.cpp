#include <fmt/format.h>

#include <algorithm>

#include "compress/noise.hpp"
#include "compress/quantise.hpp"
#include "model/model_import.hpp"
#include "oracle_file.hpp"
#include "program.hpp"
#include "proof.hpp"
#include "tflite_compare.hpp"

namespace espalier::test {
namespace {

constexpr std::size_t LeastSamples = 100;
constexpr double LeastDecibels = 25;

bool prove_layers(const compress::Quantised& quantised, const OracleFile& oracle, const Match& matched) {
  const LayerComparison layers = compare_layers(quantised, oracle, matched);
  std::cout << "  differences of layers, ours minus TensorFlow Lite's:" << layers.all.text() << "\n";
  return check(layers.wrong.empty() && layers.compared > 0 && oracle.samples() >= LeastSamples,
               fmt::format("{} layers, each on TensorFlow Lite's own input, at most one step apart over {} inputs{}",
                           layers.compared, oracle.samples(), layers.wrong.empty() ? "" : ":" + layers.wrong));
}

bool prove_answers(const compress::Quantised& quantised, const OracleFile& oracle, const Match& matched) {
  const AnswerComparison answers = compare_answers(quantised, oracle, matched);
  std::cout << "  differences of results from end to end, before the softmax:" << answers.all.text() << "\n";
  const bool holds = check(answers.reference, "the fast executor has the bits of the reference");
  if (!quantised.outputs[0].softmax_axis) return holds;
  return check(answers.same * 100 >= oracle.samples() * 99 && answers.same + answers.ties == oracle.samples(),
               fmt::format("the same answer on {} of {} inputs, {} more within one step of a tie", answers.same,
                           oracle.samples(), answers.ties)) &&
         holds;
}

/// The graph with the activations of its float32 run held in the ranges that the file gives them: a TensorFlow Lite
/// file says with them alone where a result saturates.
compress::QuantisedGraph within_ranges(compress::QuantisedGraph graph) {
  for (model::Node& node : graph.dequantised.nodes) {
    const model::Quantisation& levels = graph.dequantised.value(node.outputs[0]).quantisation.value();
    const auto bound = [&](int level) { return static_cast<float>(level - levels.zero) * levels.scale.at(0); };
    node.attributes["clamp_low"] = std::max(node.real("clamp_low", bound(-128)), bound(-128));
    node.attributes["clamp_high"] = std::min(node.real("clamp_high", bound(127)), bound(127));
  }
  return graph;
}

std::vector<compress::Sample> samples_of(const compress::Quantised& quantised, const OracleFile& oracle,
                                         const Match& matched) {
  const std::size_t input = matched[static_cast<std::size_t>(quantised.network.inputs[0])].value();
  std::vector<compress::Sample> samples;
  for (std::size_t sample = 0; sample < oracle.samples(); ++sample) {
    const cpu::Tensor values = oracle.channels_first(sample, input);
    samples.push_back({cpu::FloatTensor(values.begin(), values.end())});
  }
  return samples;
}

double decibels(const compress::Noise& noise) { return noise.decibels().value_or(999); }

bool prove_noise(const compress::QuantisedGraph& graph, const std::vector<compress::Sample>& samples) {
  const double unbounded = decibels(compress::measure_noise(graph, samples).outputs[0].dequantised);
  const compress::NoiseReport report = compress::measure_noise(within_ranges(graph), samples);
  const double bounded = decibels(report.outputs[0].dequantised);
  const bool holds = check(bounded >= LeastDecibels && samples.size() >= LeastSamples,
                           fmt::format("{:.1f} dB against float32 with dequantised weights and the file's ranges of "
                                       "activations, {} inputs; {:.1f} dB where float32 activations saturate nowhere",
                                       bounded, report.samples, unbounded));
  std::cout << "  layers that hurt most:";
  for (const std::size_t i : report.worst)
    std::cout << fmt::format("  {} ({:.1f} dB)", report.layers[i].name.substr(0, 40),
                             decibels(report.layers[i].own.value_or(report.layers[i].dequantised)));
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
  holds = prove_noise(graph, samples_of(graph.quantised, oracle, matched)) && holds;
  return prove_devices(file) && holds;
}

}  // namespace espalier::test
