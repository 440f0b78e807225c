#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cpu/float_reference.hpp"
#include "model/model_import.hpp"
#include "oracle_file.hpp"
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

}  // namespace

bool prove_float(const ProofFolders& folders, const std::string& file, const std::string& oracle_name) {
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
      holds = check(deviations[i].difference <= MostDifference * deviations[i].largest,
                    fmt::format("output '{}': {:.2e} of the largest value {:.4g} from ONNX Runtime over {} inputs",
                                graph.outputs[i].name, deviations[i].difference / deviations[i].largest,
                                deviations[i].largest, oracle.samples())) &&
              holds;
    return holds;
  } catch (const std::exception& failure) {
    return check(false, failure.what());
  }
}

}  // namespace espalier::test
