#include <fmt/format.h>

#include "command_answer.hpp"
#include "npy_file.hpp"
#include "oracle_file.hpp"
#include "program.hpp"
#include "proof.hpp"

namespace espalier::test {
namespace {

constexpr std::size_t Calibrated = 4, Compared = 2;

/// Every `step`-th row and column of an input whose last two axes are rows and columns.
cpu::FloatTensor thinned(const cpu::FloatTensor& values, std::vector<std::int64_t>& shape, std::int64_t step) {
  const std::int64_t rows = shape[2], columns = shape[3];
  if (step == 1) return values;
  cpu::FloatTensor result;
  for (std::int64_t map = 0; map < shape[0] * shape[1]; ++map)
    for (std::int64_t row = 0; row < rows; row += step)
      for (std::int64_t column = 0; column < columns; column += step)
        result.push_back(values[static_cast<std::size_t>((map * rows + row) * columns + column)]);
  shape[2] = rows / step;
  shape[3] = columns / step;
  return result;
}

/// `espalier run` with more arguments; empty if it fails.
Outputs run(std::vector<std::string> arguments, const std::vector<std::string>& more) {
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = run_program(arguments);
  if (!check(outcome.code == 0, fmt::format("espalier run {} {}", fmt::join(more, " "), outcome.err))) return {};
  return outputs_of(outcome.json());
}

}  // namespace

bool prove_placed(const ProofFolders& folders, const std::string& file, const std::string& oracle_name,
                  std::int64_t step) {
  std::cout << file << ", quantised and placed" << std::endl;
  const OracleFile oracle(folders.packages / oracle_name);
  const OracleTensor& input = oracle.tensors()[0];
  const Folder folder;
  std::vector<std::string> arguments{"run", (folders.packages / file).string(), "--json", "--quiet"};
  std::vector<std::string> calibration{"--calibrate"};
  std::vector<std::int64_t> shape;
  for (std::size_t i = 0; i < std::min(oracle.samples(), Calibrated); ++i) {
    shape = input.shape;
    const cpu::FloatTensor values = thinned(oracle.values(i, 0), shape, step);
    calibration.push_back(folder.write(fmt::format("{}.npy", i), npy_file(shape, values)));
    if (i < Compared) arguments.insert(arguments.end(), {"--input", calibration.back()});
  }
  arguments.insert(arguments.end(), {"--shape", input.name + "=" + shape_text(shape)});
  const Outputs reals = run(arguments, {"--device", "cpu"});
  arguments.insert(arguments.end(), calibration.begin(), calibration.end());
  const Outputs cpu = run(arguments, {"--place", "cpu"});
  const Outputs machine = run(arguments, {"--place", "accelerator", "--device", "functional", "--array", "16x16"});
  const Outputs small = run(arguments, {"--place", "accelerator", "--device", "functional", "--array", "8x8"});
  if (reals.empty() || cpu.empty()) return false;
  bool holds = check(cpu == machine && cpu == small,
                     "the same bits on the CPU and, as far as it has the operators, on "
                     "the functional device of two sizes");
  for (const auto& [name, values] : reals)
    std::cout << fmt::format("  noise   output '{}': {:.1f} dB against float32\n", name,
                             decibels(values, cpu.at(name)));
  return holds;
}

}  // namespace espalier::test
