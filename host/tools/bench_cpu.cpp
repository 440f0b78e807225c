#include "bench_cpu.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <memory>
#include <random>

#include "commands.hpp"
#include "cpu/fast.hpp"
#include "cpu/float_reference.hpp"
#include "cpu/onednn/executor.hpp"
#include "cpu/onednn/integer_executor.hpp"
#include "esp_error.hpp"
#include "import_options.hpp"
#include "model/model_import.hpp"
#include "model/rewrites.hpp"
#include "model_loader.hpp"
#include "options.hpp"
#include "report_json.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

constexpr int WarmUps = 3;

struct CpuBenchOptions {
  ModelOptions model;
  bool int8 = false;
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

/// One executor's times, in milliseconds of CPU.
struct Measured {
  std::string executor;
  double median = 0, least = 0, most = 0;
  Json json;
};

template <typename Run>
Measured measure(const std::string& executor, int runs, Run&& run) {
  for (int i = 0; i < WarmUps; ++i) run();
  std::vector<double> times;
  for (int i = 0; i < runs; ++i) {
    const double start = cpu_milliseconds();
    run();
    times.push_back(cpu_milliseconds() - start);
  }
  std::sort(times.begin(), times.end());
  Measured measured{executor, times[times.size() / 2], times.front(), times.back(), {}};
  measured.json = {
      {"executor", executor},
      {"cpu_milliseconds", {{"median", measured.median}, {"least", measured.least}, {"most", measured.most}}}};
  return measured;
}

Measured measure_float(const CpuBenchOptions& options, const model::Graph& graph) {
  std::vector<cpu::FloatTensor> inputs;
  std::mt19937_64 engine(options.seed);
  std::uniform_real_distribution<float> numbers(-1, 1);
  for (const model::Port& port : graph.inputs) {
    inputs.emplace_back(static_cast<std::size_t>(model::count_elements(port.shape, port.name)));
    for (float& number : inputs.back()) number = numbers(engine);
  }
  cpu::OneDnnExecutor executor(graph, {.threads = options.threads});
  std::vector<cpu::FloatTensor> outputs;
  Measured measured = measure("oneDNN float32", options.runs, [&] { outputs = executor.run(inputs); });
  measured.json["buffer_bytes"] = executor.buffer_bytes();
  measured.json["largest_difference"] = largest_difference(outputs, graph, cpu::FloatExecutor(graph).run(inputs));
  return measured;
}

Measured measure_int8(const CpuBenchOptions& options, const model::Network& network) {
  std::vector<cpu::Tensor> inputs;
  std::mt19937_64 engine(options.seed);
  for (const int index : network.inputs) {
    inputs.emplace_back(network.features[static_cast<std::size_t>(index)].elements());
    for (std::int8_t& number : inputs.back()) number = static_cast<std::int8_t>(engine() & 255U);
  }
  cpu::OneDnnIntegerExecutor executor(network, {.threads = options.threads});
  std::vector<cpu::Tensor> outputs;
  Measured measured = measure("oneDNN int8", options.runs, [&] { outputs = executor.run(inputs); });
  const std::vector<cpu::Tensor> expected = cpu::FastExecutor(network).run(inputs);
  bool exact = true;
  for (std::size_t i = 0; i < outputs.size(); ++i)
    exact = exact && outputs[i] == expected[static_cast<std::size_t>(network.outputs[i])];
  measured.json["bit_exact"] = exact;
  return measured;
}

void bench_cpu(const CpuBenchOptions& options, Console& console) {
  model::Graph graph = model::import_model(options.model.path, parse_import_options(options.model.import_texts)).graph;
  const bool quantised = model::is_quantised(graph);
  console.progress(fmt::format("{} runs on {} threads, instruction set {}", options.runs, options.threads,
                               cpu::onednn_instruction_set()));
  std::vector<Measured> rows;
  if (!quantised) {
    graph = model::simplify(std::move(graph), parse_rewrite_options(options.model.import_texts));
    rows.push_back(measure_float(options, graph));
  }
  if (quantised || options.int8)
    rows.push_back(measure_int8(options, import_model(options.model, {}, console).network));

  Json json = document("bench cpu");
  json["model"] = options.model.path;
  json["instruction_set"] = cpu::onednn_instruction_set();
  json["threads"] = options.threads;
  json["runs"] = options.runs;
  json["executors"] = Json::array();
  Table table({{"executor", Align::Left}, {"median ms"}, {"least"}, {"most"}, {"check", Align::Left}});
  for (const Measured& row : rows) {
    json["executors"].push_back(row.json);
    const std::string check =
        row.json.contains("bit_exact")
            ? (row.json["bit_exact"].get<bool>() ? "bits exact" : "BITS DIFFER")
            : fmt::format("differs by {:.1e} of the largest value", row.json["largest_difference"].get<double>());
    table.add({row.executor, fmt::format("{:.3f}", row.median), fmt::format("{:.3f}", row.least),
               fmt::format("{:.3f}", row.most), check});
  }
  std::string text = table.text();
  if (rows.size() == 2) {
    json["int8_speedup"] = rows[0].median / rows[1].median;
    text += fmt::format("int8 is {:.2f} times faster than float32 ({}, {} threads)\n", rows[0].median / rows[1].median,
                        cpu::onednn_instruction_set(), options.threads);
  }
  console.report(json, text);
  for (const Measured& row : rows) {
    if (row.json.contains("bit_exact") && !row.json["bit_exact"].get<bool>())
      throw Error(ErrorCode::Mismatch, "the results differ from those of the reference", options.model.path,
                  row.executor, "report this network");
  }
}

}  // namespace

void add_bench_cpu(CLI::App& bench, Console& console) {
  const auto options = std::make_shared<CpuBenchOptions>();
  CLI::App* command =
      bench.add_subcommand("cpu", "a network on this machine's CPU, in float32 and in int8: time per run");
  command->add_option("model", options->model.path, "an ONNX or TensorFlow Lite file")->required();
  command->add_flag("--int8", options->int8, "also quantised, with the bits of the accelerator");
  command->add_option("--threads", options->threads)->check(CLI::Range(1, 1024))->capture_default_str();
  command->add_option("--runs", options->runs)->check(CLI::Range(1, 1000000))->capture_default_str();
  command->add_option("--seed", options->seed, "of the inputs")->capture_default_str();
  add_import_options(*command, options->model.import_texts);
  add_quantisation_options(*command, options->model.quantisation);
  add_console_options(*command, console);
  command->footer(
      "Times are those of the CPU, of all threads together. DNNL_MAX_CPU_ISA=AVX2 in the environment pins the\n"
      "instruction set. Results in float32 are compared with those of the reference executor; in int8 they must be "
      "equal.\n"
      "Examples:\n"
      "  espalier bench cpu network.onnx --int8\n"
      "  espalier bench cpu network.onnx --shape x=1,3,640,640 --runs 11 --json");
  command->callback([options, &console] { bench_cpu(*options, console); });
}

}  // namespace espalier::tools
