#include "float_executor.hpp"

#include <memory>

#include "cpu/onednn/executor.hpp"

namespace espalier::tools {

FloatExecution make_float_execution(const model::Graph& graph) {
  const auto executor = std::make_shared<cpu::OneDnnExecutor>(graph);
  return {"oneDNN float32", [executor](std::span<const cpu::FloatTensor> inputs) { return executor->run(inputs); }};
}

}  // namespace espalier::tools
