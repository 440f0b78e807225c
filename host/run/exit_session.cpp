#include "run/exit_session.hpp"

#include <cmath>
#include <utility>

#include "esp_error.hpp"
#include "plan/planners/exit_rule.hpp"

namespace espalier::run {
namespace {

/// The rows of a stage without those of the others.
RunReport stage_rows(const RunReport& all, const compile::Stage& stage, bool first) {
  RunReport report = all;
  report.layers.clear();
  if (first) report.layers.push_back(all.layers.front());
  const auto begin = all.layers.begin() + 1 + stage.first_layer;
  report.layers.insert(report.layers.end(), begin, begin + stage.layers);
  report.layers.push_back(all.layers.back());
  return report;
}

/// Writes the cycles of a stage into its rows, by `set`.
template <typename Set>
void fill_rows(RunReport& report, const compile::LayerCycles& cycles, bool first, const Set& set) {
  std::size_t row = 0;
  if (first) set(report.layers[row++], cycles.prologue);
  for (const std::uint32_t layer : cycles.layers) set(report.layers[row++], layer);
  set(report.layers[row], cycles.epilogue);
  report.totals = sum(report.layers);
}

void add_causes(std::optional<Causes>& causes, const driver::Counters& counters) {
  if (!causes) causes.emplace();
  causes->computing += counters.computing;
  causes->weights += counters.weights;
  causes->output += counters.output;
  causes->data += counters.data;
  causes->writing += counters.writing;
  causes->control += counters.control;
}

const Executable& checked(const Executable& executable, const ExitRule& rule) {
  check_exits(executable, rule);
  return executable;
}

}  // namespace

void check_exits(const Executable& executable, const ExitRule& rule) {
  const std::size_t exits = executable.compiled.stages.size();
  if (exits < 2 || exits != executable.ports.outputs.size())
    throw Error(ErrorCode::Usage, "not a network with exits", executable.name,
                std::to_string(executable.ports.outputs.size()) + " outputs, " + std::to_string(exits) + " stages",
                "give a network with two or more outputs; a compiled file: made with compile --exits");
  if (rule.thresholds.size() + 1 != exits)
    throw Error(ErrorCode::Usage, "one threshold per exit but the last is expected", executable.name,
                std::to_string(rule.thresholds.size()), "give " + std::to_string(exits - 1));
}

std::int32_t exit_entropy(const compress::Output& port, std::span<const std::int8_t> logits) {
  constexpr double MostScale = 16384;
  const double units = static_cast<double>(port.scale) * plan::EntropyUnit;
  return plan::entropy(logits, static_cast<std::int32_t>(std::lround(std::min(units, MostScale * plan::EntropyUnit))));
}

std::vector<RunReport> predicted_stages(const Executable& executable, const std::string& device,
                                        const compile::MemoryParameters& memory) {
  const compile::Compiled& compiled = executable.compiled;
  RunReport all = compiled_report(executable);
  for (LayerRow& row : all.layers) row.device = device;
  all.device = device;
  std::vector<RunReport> stages;
  for (std::size_t i = 0; i < compiled.stages.size(); ++i) {
    const compile::Prediction prediction = compile::predict_stage(compiled.program, i, compiled.configuration, memory);
    RunReport& stage = stages.emplace_back(stage_rows(all, compiled.stages[i], i == 0));
    fill_rows(stage, compile::stage_cycles(compiled, i, prediction.marks, prediction.cycles), i == 0,
              [](LayerRow& row, std::uint32_t cycles) { row.predicted_cycles = cycles; });
  }
  return stages;
}

ExitSession::ExitSession(driver::Device& device, const Executable& executable, ExitRule rule, Settings settings)
    : executable_(&checked(executable, rule)),
      packer_(executable.compiled),
      rule_(std::move(rule)),
      settings_(std::move(settings)),
      stages_(predicted_stages(executable, settings_.device, settings_.memory)),
      loaded_(load(device, executable, settings_.limits)) {
  std::uint64_t cycles = 0;
  for (const RunReport& stage : stages_) predicted_.push_back(cycles += stage.totals.predicted_cycles);
}

void ExitSession::run_stage(std::size_t stage, ExitRun& run) {
  const compile::Compiled& compiled = executable_->compiled;
  const compile::CommandRange range = compiled.program.stages[stage];
  loaded_.start_part(range.offset, range.count);
  const driver::RunResult result = loaded_.wait();
  RunReport part = stages_[stage];
  // A machine without a clock counts nothing.
  if (result.counters.cycles != 0) {
    fill_rows(part, compile::stage_cycles(compiled, stage, result.marks, result.counters.cycles), stage == 0,
              [](LayerRow& row, std::uint32_t cycles) { row.measured_cycles = cycles; });
    add_causes(run.report.causes, result.counters);
  }
  run.report.layers.insert(run.report.layers.end(), part.layers.begin(), part.layers.end());
  run.logits = packer_.unpack(result.output)[stage];
  run.exit = stage;
  run.entropies.push_back(exit_entropy(executable_->ports.outputs[stage], run.logits));
}

ExitRun ExitSession::run_features(std::span<const Feature> inputs) {
  ExitRun run;
  run.report.model = executable_->name;
  run.report.device = settings_.device;
  run.report.configuration = executable_->compiled.configuration;
  loaded_.write_input(packer_.pack(inputs));
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    run_stage(stage, run);
    if (stage < rule_.thresholds.size() && run.entropies.back() < rule_.thresholds[stage]) break;
  }
  run.report.totals = sum(run.report.layers);
  return run;
}

ExitRun ExitSession::run(std::span<const std::vector<float>> inputs) {
  ExitRun run = run_features(quantised_inputs(executable_->ports, inputs, executable_->name));
  run.report.outputs.push_back(present(executable_->ports.outputs[run.exit], run.logits));
  return run;
}

}  // namespace espalier::run
