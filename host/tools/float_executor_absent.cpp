// Built without oneDNN: the reference executor.
#include <memory>

#include "float_executor.hpp"

namespace espalier::tools {

FloatExecution make_float_execution(const model::Graph& graph) {
  const auto executor = std::make_shared<const cpu::FloatExecutor>(graph);
  return {"reference float32", [executor, &graph](std::span<const cpu::FloatTensor> inputs) {
            const std::vector<cpu::FloatTensor> values = executor->run(inputs);
            std::vector<cpu::FloatTensor> outputs;
            for (const model::Port& port : graph.outputs)
              outputs.push_back(values[static_cast<std::size_t>(port.value)]);
            return outputs;
          }};
}

}  // namespace espalier::tools
