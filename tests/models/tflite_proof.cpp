#include <fmt/format.h>

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
