#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <nlohmann/json.hpp>

#include "cpu/float_reference.hpp"
#include "model/model_import.hpp"
#include "npy_file.hpp"
#include "oracle_file.hpp"
#include "program.hpp"
#include "proof.hpp"

namespace espalier::test {
namespace {

constexpr double MostDifference = 1e-4;  // of the largest absolute value of the output

struct Deviation {
  double difference = 0, largest = 0;
};

void compare(Deviation& deviation, const cpu::FloatTensor& ours, const cpu::FloatTensor& theirs) {
  for (std::size_t i = 0; i < theirs.size(); ++i) {
    const double expected = theirs[i], actual = i < ours.size() ? ours[i] : std::nan("");
    deviation.largest = std::max(deviation.largest, std::abs(expected));
    const double difference = std::abs(expected - actual);
    if (!(difference <= deviation.difference)) deviation.difference = difference;
  }
}

bool report(const std::string& executor, const std::string& output, const Deviation& deviation, std::size_t samples) {
  return check(deviation.difference <= MostDifference * deviation.largest,
               fmt::format("{}, output '{}': {:.2e} of the largest value {:.4g} from ONNX Runtime over {} inputs",
                           executor, output, deviation.difference / deviation.largest, deviation.largest, samples));
}

/// `espalier run --device cpu`, as a user starts it, on the first inputs.
bool prove_command(const ProofFolders& folders, const std::string& file, const OracleFile& oracle) {
  constexpr std::size_t MostSamples = 2;
  const OracleTensor& input = oracle.tensors()[0];
  const Folder folder;
  std::vector<std::string> arguments{"run", (folders.packages / file).string(), "--device", "cpu", "--json", "--quiet"};
  arguments.insert(arguments.end(), {"--shape", input.name + "=" + shape_text(input.shape)});
  const std::size_t samples = std::min(oracle.samples(), MostSamples);
  for (std::size_t sample = 0; sample < samples; ++sample)
    arguments.insert(arguments.end(), {"--input", folder.write(std::to_string(sample) + ".npy",
                                                               npy_file(input.shape, oracle.values(sample, 0)))});
  const Outcome outcome = run_program(arguments);
  if (!check(outcome.code == 0, "espalier run --device cpu " + outcome.err)) return false;
  const nlohmann::json answer = outcome.json();
  std::map<std::string, Deviation> deviations;
  for (const auto& output : answer["outputs"])
    compare(deviations[output["name"]], output["data"].get<cpu::FloatTensor>(),
            oracle.values(output["sample"].get<std::size_t>(), oracle.find(output["name"]).value()));
  bool holds = check(deviations.size() + 1 == oracle.tensors().size(), "all outputs are there");
  for (const auto& [name, deviation] : deviations)
    holds = report(answer["executor"].get<std::string>(), name, deviation, samples) && holds;
  return holds;
}

/// A figure beside that of ONNX Runtime; nothing is judged.
void print_speed(const ProofFolders& folders, const std::string& file, const OracleFile& oracle, int runs) {
  const OracleTensor& input = oracle.tensors()[0];
  std::cout << std::flush;
  const std::string command =
      fmt::format("node '{}/speed.cjs' '{}' '{}' '{}' '{}={}' {}", ESPALIER_ORACLES, folders.packages.string(),
                  ESPALIER_PROGRAM, (folders.packages / file).string(), input.name, shape_text(input.shape), runs);
  if (std::system(command.c_str()) != 0) std::cout << "  speed   not measured\n";
}

}  // namespace

bool prove_float(const ProofFolders& folders, const std::string& file, const std::string& oracle_name, int runs) {
  std::cout << file << ", float32\n";
  const OracleFile oracle(folders.packages / oracle_name);
  try {
    model::ImportOptions options;
    for (std::size_t i = 0; i + 1 < oracle.tensors().size(); ++i)
      if (i == 0) options.shapes[oracle.tensors()[i].name] = oracle.tensors()[i].shape;
    const model::Graph graph = model::import_model((folders.packages / file).string(), options).graph;
    const cpu::FloatExecutor executor(graph);
    std::vector<Deviation> deviations(graph.outputs.size());
    for (std::size_t sample = 0; sample < oracle.samples(); ++sample) {
      std::vector<cpu::FloatTensor> inputs;
      for (const model::Port& port : graph.inputs)
        inputs.push_back(oracle.values(sample, oracle.find(port.name).value()));
      const auto values = executor.run(inputs);
      for (std::size_t i = 0; i < graph.outputs.size(); ++i)
        compare(deviations[i], values[static_cast<std::size_t>(graph.outputs[i].value)],
                oracle.values(sample, oracle.find(graph.outputs[i].name).value()));
    }
    bool holds = true;
    for (std::size_t i = 0; i < deviations.size(); ++i)
      holds = report("reference", graph.outputs[i].name, deviations[i], oracle.samples()) && holds;
    holds = prove_command(folders, file, oracle) && holds;
    print_speed(folders, file, oracle, runs);
    return holds;
  } catch (const std::exception& failure) {
    return check(false, failure.what());
  }
}

}  // namespace espalier::test
