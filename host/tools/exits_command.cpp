// `espalier exits`: thresholds of a network with exits, chosen on labelled samples, with what was measured on them.
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "commands.hpp"
#include "cpu/fast.hpp"
#include "esp_error.hpp"
#include "exits_file.hpp"
#include "files.hpp"
#include "model/stages.hpp"
#include "model_loader.hpp"
#include "plan/planners/exit_choice.hpp"
#include "run_exits.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

struct ExitsOptions {
  ModelOptions model;
  InputTexts input_texts;
  std::vector<std::string> inputs;
  std::string answers;
  std::vector<double> losses{0.1, 0, 0.05, 0.2};  // percent of the samples
  std::string output;
};

/// What is chosen or measured, and how it is called.
struct ExitPolicy {
  std::string name;
  std::vector<std::int32_t> thresholds;
  std::size_t last = 0;  // exit that answers at the latest
  plan::ExitStatistics statistics;
};

std::vector<plan::ExitSample> sample_exits(const model::Network& network, const run::Ports& ports,
                                           const std::vector<RunInput>& inputs,
                                           const std::vector<std::int64_t>& answers) {
  const cpu::FastExecutor executor(network);
  std::vector<plan::ExitSample> samples;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const auto features = executor.run(run::quantised_inputs(ports, inputs[i].values, network.name));
    plan::ExitSample& sample = samples.emplace_back();
    for (std::size_t exit = 0; exit < network.outputs.size(); ++exit) {
      const run::Feature& logits = features[static_cast<std::size_t>(network.outputs[exit])];
      sample.entropies.push_back(run::exit_entropy(ports.outputs[exit], logits));
      sample.right.push_back(answer_of(logits) == answers[i]);
    }
  }
  return samples;
}

/// Those of every loss, and of every exit alone: earlier exits are not asked, and it answers always.
std::vector<ExitPolicy> choose_policies(const std::vector<plan::ExitSample>& samples,
                                        const std::vector<std::int64_t>& cycles, const std::vector<double>& losses) {
  const std::size_t last = cycles.size() - 1;
  std::vector<ExitPolicy> policies;
  for (const double loss : losses) {
    const auto share = static_cast<plan::BasisPoints>(loss * 100 + 0.5);
    const std::vector<std::int32_t> thresholds = plan::choose_thresholds(samples, cycles, share);
    policies.push_back({fmt::format("loss {}", loss), thresholds, last, plan::apply(samples, cycles, thresholds)});
  }
  for (std::size_t exit = 0; exit < cycles.size(); ++exit) {
    std::vector<std::int32_t> thresholds(last, 0);
    if (exit < last) thresholds[exit] = parse_threshold(1000, "exit");
    policies.push_back(
        {fmt::format("exit {} alone", exit), thresholds, exit, plan::apply(samples, cycles, thresholds)});
  }
  return policies;
}

Json policy_json(const ExitPolicy& policy) {
  const plan::ExitStatistics& statistics = policy.statistics;
  Json json{{"name", policy.name}, {"thresholds", Json::array()}, {"leaves", Json::array()}};
  for (const std::int32_t threshold : policy.thresholds) json["thresholds"].push_back(in_nat(threshold));
  const std::vector<plan::BasisPoints> shares = plan::exit_shares(statistics.left);
  for (std::size_t exit = 0; exit <= policy.last; ++exit) {
    const bool asked = exit == policy.last || policy.thresholds[exit] > 0;
    const bool later = std::any_of(shares.begin() + static_cast<std::ptrdiff_t>(exit), shares.end(),
                                   [](plan::BasisPoints share) { return share > 0; });
    if (asked && later) json["leaves"].push_back({{"exit", exit}, {"share", shares[exit]}});
  }
  json["accuracy"] = {statistics.all_right * plan::Whole / statistics.samples};
  json["mean_cycles"] = static_cast<double>(statistics.cycles) / static_cast<double>(statistics.samples);
  return json;
}

std::string policy_table(const std::vector<ExitPolicy>& policies) {
  Table table({{"policy", Align::Left}, {"thresholds"}, {"leave at each exit"}, {"accuracy"}, {"mean cycles"}});
  for (const ExitPolicy& policy : policies) {
    const plan::ExitStatistics& statistics = policy.statistics;
    std::string thresholds, left;
    for (const std::int32_t threshold : policy.thresholds) thresholds += fmt::format(" {:.4f}", in_nat(threshold));
    for (const std::int64_t count : statistics.left) left += " " + grouped(static_cast<std::uint64_t>(count));
    const auto samples = static_cast<double>(statistics.samples);
    table.add({policy.name, thresholds, left,
               fmt::format("{:.2f}%", 100.0 * static_cast<double>(statistics.all_right) / samples),
               grouped(static_cast<std::uint64_t>(static_cast<double>(statistics.cycles) / samples))});
  }
  return table.text();
}

Json exits_document(const run::Executable& executable, const model::Network& network,
                    const std::vector<std::int64_t>& cycles, const std::vector<ExitPolicy>& policies) {
  Json json = document("exits");
  json["model"] = network.name;
  json["samples"] = policies.front().statistics.samples;
  json["exits"] = Json::array();
  for (std::size_t exit = 0; exit < cycles.size(); ++exit) {
    const auto maker = std::find_if(network.layers.begin(), network.layers.end(),
                                    [&](const model::Layer& layer) { return layer.output == network.outputs[exit]; });
    json["exits"].push_back(
        {{"name", executable.ports.outputs[exit].name}, {"layer", maker->name}, {"cycles", cycles[exit]}});
  }
  json["policies"] = Json::array();
  for (const ExitPolicy& policy : policies) json["policies"].push_back(policy_json(policy));
  return json;
}

void execute(ExitsOptions options, Console& console) {
  if (is_compiled_file(options.model.path))
    throw Error(ErrorCode::Usage, "a compiled file does not say what its layers are", options.model.path, {},
                "give the model file");
  options.model.exits = true;
  const InputOptions input_options = parse_input_options(options.input_texts);
  const CompileSettings settings = parse_compile_settings(options.model);
  const QuantisedModel model = import_model(options.model, input_options, console);
  const run::Executable executable = compile_model(model, settings, console);
  run::check_exits(executable, {std::vector<std::int32_t>(executable.ports.outputs.size() - 1, 0)});
  const std::vector<RunInput> inputs =
      read_run_inputs(options.inputs, input_shapes(model.ports), input_options, "--input");
  const std::vector<std::int64_t> answers =
      read_answers(options.answers, input_options.index.value_or(0), inputs.size());
  console.progress(fmt::format("running {} samples on the CPU", inputs.size()));
  std::vector<std::int64_t> cycles;
  for (const compile::Stage& stage : executable.compiled.stages)
    cycles.push_back((cycles.empty() ? 0 : cycles.back()) + stage.cycles);
  const std::vector<ExitPolicy> policies =
      choose_policies(sample_exits(model.network, model.ports, inputs, answers), cycles, options.losses);
  const Json json = exits_document(executable, model.network, cycles, policies);
  if (!options.output.empty()) {
    write_file(options.output, to_text(json));
    console.progress("wrote " + options.output);
  }
  console.report(json, policy_table(policies));
}

}  // namespace

void add_exits(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("exits", "choose the thresholds of a network with exits on labelled samples");
  const auto options = std::make_shared<ExitsOptions>();
  add_model_options(*command, options->model);
  add_input_options(*command, options->input_texts);
  command->add_option("-i,--input", options->inputs, "files of samples: .npy, IDX, ..")->required();
  command->add_option("--answers", options->answers, "their classes: IDX or .npy; --index holds for both")->required();
  command
      ->add_option("--loss", options->losses,
                   "percent of the samples that may be lost against the last exit, one policy each")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 100.0))
      ->capture_default_str();
  command->add_option("-o,--output", options->output, "write the file of exits for run --exits and plan --exits");
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier exits digits_exits.onnx --input train-images-idx3-ubyte --answers train-labels-idx1-ubyte --index "
      "55000 "
      "--count 5000 -o exits.json\n"
      "  espalier run digits_exits.onnx --exits exits.json --input images.idx3-ubyte --count 10 --device rtl\n"
      "  espalier plan digits_exits.onnx --exits exits.json --deadline 1ms\n\n"
      "The outputs of the network are its exits, in order of depth. Of all thresholds on a grid, those of fewest mean\n"
      "cycles are chosen that lose no more answers than allowed; cycles are those predicted for the array.");
  command->callback([options, &console] { execute(*options, console); });
}

}  // namespace espalier::tools
