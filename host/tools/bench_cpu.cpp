#include "bench_cpu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <memory>
#include <random>

#include "cpu/float_reference.hpp"
#include "cpu/onednn/executor.hpp"
#include "commands.hpp"
#include "import_options.hpp"
#include "model/model_import.hpp"
#include "options.hpp"
#include "report_json.hpp"

namespace espalier::tools {
namespace {

constexpr int WarmUps = 3;

struct CpuBenchOptions {
  std::string path;
  ImportTexts import_texts;
  int threads = 1;
  int runs = 21;
  std::uint64_t seed = 1;
};

/// Of all threads of this process, in milliseconds.
double cpu_milliseconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

std::vector<cpu::FloatTensor> random_inputs(const model::Graph& graph, std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<float> numbers(-1, 1);
  std::vector<cpu::FloatTensor> inputs;
  for (const model::Port& port : graph.inputs) {
    inputs.emplace_back(static_cast<std::size_t>(model::count_elements(port.shape, port.name)));
    for (float& number : inputs.back()) number = numbers(engine);
  }
  return inputs;
}

/// The largest absolute difference of an output as a share of its largest absolute value.
double largest_difference(const std::vector<cpu::FloatTensor>& outputs, const model::Graph& graph,
                          const std::vector<cpu::FloatTensor>& values) {
  double worst = 0;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& expected = values[static_cast<std::size_t>(graph.outputs[i].value)];
    double difference = 0, largest = 0;
    for (std::size_t j = 0; j < expected.size(); ++j) {
      difference = std::max(difference, std::abs(static_cast<double>(outputs[i][j]) - expected[j]));
      largest = std::max(largest, std::abs(static_cast<double>(expected[j])));
    }
    if (largest > 0) worst = std::max(worst, difference / largest);
  }
  return worst;
}

void bench_cpu(const CpuBenchOptions& options, Console& console) {
  const model::Graph graph = model::import_model(options.path, parse_import_options(options.import_texts)).graph;
  const std::vector<cpu::FloatTensor> inputs = random_inputs(graph, options.seed);
  cpu::OneDnnExecutor executor(graph, {.threads = options.threads});
  console.progress(fmt::format("running {} times with oneDNN on {} threads, {}", options.runs, options.threads,
                               cpu::onednn_instruction_set()));
  std::vector<cpu::FloatTensor> outputs;
  for (int i = 0; i < WarmUps; ++i) outputs = executor.run(inputs);
  std::vector<double> times;
  for (int i = 0; i < options.runs; ++i) {
    const double start = cpu_milliseconds();
    executor.run(inputs);
    times.push_back(cpu_milliseconds() - start);
  }
  std::sort(times.begin(), times.end());
  const double median = times[times.size() / 2];
  const double difference = largest_difference(outputs, graph, cpu::FloatExecutor(graph).run(inputs));

  Json json = document("bench cpu");
  json["model"] = options.path;
  json["executor"] = "oneDNN";
  json["instruction_set"] = cpu::onednn_instruction_set();
  json["threads"] = options.threads;
  json["runs"] = options.runs;
  json["cpu_milliseconds"] = {{"median", median}, {"least", times.front()}, {"most", times.back()}};
  json["buffer_bytes"] = executor.buffer_bytes();
  json["largest_difference"] = difference;
  console.report(json, fmt::format("{}: {:.3f} ms of CPU (median of {}; {:.3f} to {:.3f}), {} threads, {}\n"
                                   "  {} bytes of buffers; differs from the reference by {:.1e} of the largest value\n",
                                   options.path, median, options.runs, times.front(), times.back(), options.threads,
                                   cpu::onednn_instruction_set(), executor.buffer_bytes(), difference));
}

}  // namespace

void add_bench_cpu(CLI::App& bench, Console& console) {
  const auto options = std::make_shared<CpuBenchOptions>();
  CLI::App* command = bench.add_subcommand("cpu", "a network in float32 on this machine's CPU: time per run");
  command->add_option("model", options->path, "an ONNX or TensorFlow Lite file")->required();
  command->add_option("--threads", options->threads)->check(CLI::Range(1, 1024))->capture_default_str();
  command->add_option("--runs", options->runs)->check(CLI::Range(1, 1000000))->capture_default_str();
  command->add_option("--seed", options->seed, "of the inputs")->capture_default_str();
  add_import_options(*command, options->import_texts);
  add_console_options(*command, console);
  command->footer(
      "Times are those of the CPU, of all threads together. DNNL_MAX_CPU_ISA=AVX2 in the environment pins the\n"
      "instruction set. The results are compared with those of the reference executor.\n"
      "Examples:\n"
      "  espalier bench cpu network.onnx\n"
      "  espalier bench cpu network.onnx --shape x=1,3,640,640 --runs 11 --json");
  command->callback([options, &console] { bench_cpu(*options, console); });
}

}  // namespace espalier::tools
