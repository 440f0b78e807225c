#include "run_float.hpp"

#include <fmt/format.h>

#include "float_executor.hpp"
#include "import_options.hpp"
#include "model/model_import.hpp"
#include "model/rewrites.hpp"
#include "model_loader.hpp"

namespace espalier::tools {
namespace {

std::vector<InputShape> shapes_of(const model::Graph& graph) {
  run::Ports ports;
  for (const model::Port& port : graph.inputs) ports.inputs.push_back({port.name, port.type, port.shape, 1.0F, 0});
  return input_shapes(ports);
}

}  // namespace

std::optional<FloatResults> run_in_float(const ModelOptions& options, const std::vector<std::string>& files,
                                         const InputOptions& input_options, Console& console) {
  model::Graph imported = model::import_model(options.path, parse_import_options(options.import_texts)).graph;
  if (model::is_quantised(imported)) return {};
  const model::Graph graph = model::simplify(std::move(imported), parse_rewrite_options(options.import_texts));
  FloatResults results;
  results.shapes = shapes_of(graph);
  results.inputs = read_run_inputs(files, results.shapes, input_options, "--input");
  const FloatExecution execution = make_float_execution(graph);
  results.executor = execution.name;
  for (const RunInput& input : results.inputs) {
    console.progress(fmt::format("running {} in float32", input.name));
    run::RunReport& report = results.reports.emplace_back();
    const std::vector<cpu::FloatTensor> outputs = execution.run(input.values);
    for (std::size_t i = 0; i < outputs.size(); ++i)
      report.outputs.push_back({graph.outputs[i].name,
                                model::to_string(graph.outputs[i].type),
                                graph.outputs[i].shape,
                                {outputs[i].begin(), outputs[i].end()}});
  }
  return results;
}

}  // namespace espalier::tools
