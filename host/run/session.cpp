#include "run/session.hpp"

#include <utility>

#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "plan/placement/cpu_costs.hpp"

namespace espalier::run {
namespace {

driver::Program device_program(const Executable& executable) {
  const compile::DeviceProgram& program = executable.compiled.program;
  return {program.image,
          program.command_offset,
          program.command_count,
          program.input_bytes,
          program.output_bytes,
          program.arena_bytes,
          static_cast<std::uint32_t>(executable.compiled.layers.size() + 1)};
}

// Throws before anything is loaded on a device that would execute other lane counts than the program's.
driver::Device& checked(driver::Device& device, const Executable& executable) {
  if (device.configuration() != executable.compiled.configuration)
    throw Error(ErrorCode::Program, "compiled for another array than the device has", executable.name,
                abi::array_name(executable.compiled.configuration) + " on " + abi::array_name(device.configuration()),
                "compile for the device's array, or choose a device with --array");
  return device;
}

const Executable& in_one_stage(const Executable& executable) {
  if (!executable.compiled.stages.empty())
    throw Error(ErrorCode::Usage, "a network with exits is run exit by exit", executable.name,
                std::to_string(executable.compiled.stages.size()) + " stages", "give thresholds with --exits");
  return executable;
}

LayerRow edge_row(const char* name, const std::string& device, std::uint64_t predicted) {
  LayerRow row;
  row.name = name;
  row.device = device;
  row.predicted_cycles = predicted;
  return row;
}

LayerRow layer_row(const compile::LayerReport& layer, const std::string& device, std::uint64_t predicted) {
  LayerRow row;
  row.name = layer.name;
  row.op = layer.op;
  row.shape = layer.shape;
  row.device = device;
  row.mode = layer.sparse ? "sparse" : "dense";
  row.split = layer.split;
  row.macs = layer.macs;
  row.nonzero_macs = layer.nonzero_macs;
  row.predicted_cycles = predicted;
  row.lower_bound_cycles = layer.lower_bound_cycles;
  row.weight_format = layer.weight_format;
  row.nonzero_weights = layer.nonzero_weights;
  row.weight_bytes = layer.weight_bytes;
  row.code_table_bytes = layer.code_table_bytes;
  row.weight_alignment_bytes = layer.weight_alignment_bytes;
  row.weight_entropy_bytes = layer.weight_entropy_bytes;
  row.natural_entropy_bytes = layer.natural_entropy_bytes;
  row.dram_read_bytes = layer.dram_read_bytes;
  row.dram_write_bytes = layer.dram_write_bytes;
  row.bound = compile::to_string(layer.bound);
  row.pattern = layer.pattern;
  row.group = layer.group;
  return row;
}

/// Rows with these cycles.
RunReport rows_of(const Executable& executable, const std::string& device, const compile::LayerCycles& cycles) {
  const compile::Compiled& compiled = executable.compiled;
  RunReport report;
  report.model = executable.name;
  report.device = device;
  report.configuration = compiled.configuration;
  report.layers.push_back(edge_row("prologue", device, cycles.prologue));
  for (std::size_t i = 0; i < compiled.layers.size(); ++i)
    report.layers.push_back(layer_row(compiled.layers[i], device, cycles.layers[i]));
  report.layers.push_back(edge_row("epilogue", device, cycles.epilogue));
  report.totals = sum(report.layers);
  return report;
}

void add_measurement(RunReport& report, const compile::Compiled& compiled, const driver::RunResult& result) {
  const driver::Counters& counters = result.counters;
  const compile::LayerCycles cycles = compile::layer_cycles(compiled, result.marks, counters.cycles);
  report.layers.front().measured_cycles = cycles.prologue;
  for (std::size_t i = 0; i < cycles.layers.size(); ++i) report.layers[i + 1].measured_cycles = cycles.layers[i];
  report.layers.back().measured_cycles = cycles.epilogue;
  report.totals = sum(report.layers);
  report.causes =
      Causes{counters.computing, counters.weights, counters.output, counters.data, counters.writing, counters.control};
}

FeatureRun collect(const Executable& executable, const compile::Packer& packer, const RunReport& predicted,
                   const driver::RunResult& result) {
  const std::int64_t begun = plan::thread_time();
  std::vector<Feature> features = packer.unpack(result.output);
  FeatureRun run{std::move(features), predicted, plan::thread_time() - begun};
  // A machine without a clock counts nothing.
  if (result.counters.cycles != 0) add_measurement(run.report, executable.compiled, result);
  return run;
}

}  // namespace

namespace {

/// Stages one after the other, with what each of them begins and ends with in prologue and epilogue.
RunReport predicted_in_stages(const Executable& executable, const std::string& device,
                              const compile::MemoryParameters& memory) {
  const compile::Compiled& compiled = executable.compiled;
  compile::LayerCycles all;
  for (std::size_t i = 0; i < compiled.stages.size(); ++i) {
    const compile::Prediction prediction = compile::predict_stage(compiled.program, i, compiled.configuration, memory);
    const compile::LayerCycles cycles = compile::stage_cycles(compiled, i, prediction.marks, prediction.cycles);
    all.prologue += cycles.prologue;
    all.layers.insert(all.layers.end(), cycles.layers.begin(), cycles.layers.end());
    all.epilogue += cycles.epilogue;
  }
  return rows_of(executable, device, all);
}

}  // namespace

driver::Loaded load(driver::Device& device, const Executable& executable, const driver::Limits& limits) {
  return checked(device, executable).load(device_program(executable), limits);
}

Output present(const compress::Output& port, const Feature& feature) {
  const std::vector<float> values = compress::to_real(port, feature);
  return {port.name, type_name(port.type), port.shape, {values.begin(), values.end()}};
}

namespace {

RunReport presented(const Ports& ports, FeatureRun run) {
  for (std::size_t i = 0; i < ports.outputs.size(); ++i)
    run.report.outputs.push_back(present(ports.outputs[i], run.features[i]));
  return std::move(run.report);
}

}  // namespace

std::vector<Feature> quantised_inputs(const Ports& ports, std::span<const std::vector<float>> inputs,
                                      const std::string& name) {
  if (inputs.size() != ports.inputs.size())
    throw Error(ErrorCode::Input, "wrong number of inputs", name, std::to_string(inputs.size()),
                "give " + std::to_string(ports.inputs.size()));
  std::vector<Feature> features;
  for (std::size_t i = 0; i < inputs.size(); ++i) features.push_back(compress::to_int8(ports.inputs[i], inputs[i]));
  return features;
}

RunReport predicted_report(const Executable& executable, const std::string& device,
                           const compile::MemoryParameters& memory) {
  const compile::Compiled& compiled = executable.compiled;
  if (!compiled.stages.empty()) return predicted_in_stages(executable, device, memory);
  const compile::Prediction prediction = compile::predict(compiled.program, compiled.configuration, memory);
  const compile::LayerCycles cycles = compile::layer_cycles(compiled, prediction.marks, prediction.cycles);
  return rows_of(executable, device, cycles);
}

RunReport compiled_report(const Executable& executable) {
  const compile::Compiled& compiled = executable.compiled;
  compile::LayerCycles cycles;
  cycles.prologue = compiled.prologue_cycles;
  for (const compile::LayerReport& layer : compiled.layers) cycles.layers.push_back(layer.predicted_cycles);
  cycles.epilogue = compiled.epilogue_cycles;
  return rows_of(executable, {}, cycles);
}

Session::Session(driver::Device& device, const Executable& executable, Settings settings)
    : executable_(&in_one_stage(executable)),
      packer_(executable.compiled),
      settings_(std::move(settings)),
      predicted_(predicted_report(executable, settings_.device, settings_.memory)),
      loaded_(load(device, executable, settings_.limits)) {}

FeatureRun Session::run_features(std::span<const Feature> inputs) {
  const std::int64_t begun = plan::thread_time();
  const std::vector<std::uint8_t> window = packer_.pack(inputs);
  const std::int64_t packing = plan::thread_time() - begun;
  loaded_.start(window);
  FeatureRun run = collect(*executable_, packer_, predicted_, loaded_.wait());
  run.conversion_time += packing;
  return run;
}

RunReport Session::run(std::span<const std::vector<float>> inputs) {
  return presented(executable_->ports, run_features(quantised_inputs(executable_->ports, inputs, executable_->name)));
}

std::optional<RunReport> Session::run(std::span<const std::vector<float>> inputs, const std::function<bool()>& stop) {
  loaded_.start(packer_.pack(quantised_inputs(executable_->ports, inputs, executable_->name)));
  const std::optional<driver::RunResult> result = loaded_.wait(stop);
  if (!result) return {};
  return presented(executable_->ports, collect(*executable_, packer_, predicted_, *result));
}

}  // namespace espalier::run
