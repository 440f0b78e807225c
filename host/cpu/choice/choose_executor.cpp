#include "cpu/choice/choose_executor.hpp"

#include "cpu/onednn/integer_executor.hpp"

namespace espalier::cpu {

std::unique_ptr<Executor> choose_executor(const model::Network& network, Edges edges) {
  if (!onednn_integers_are_exact()) return make_loop_executor(network);
  OneDnnOptions options;
  options.merge_edges = edges == Edges::Merged;
  return std::make_unique<OneDnnIntegerExecutor>(network, options);
}

std::string chosen_executor() {
  return onednn_integers_are_exact() ? onednn_integer_name() : loop_executor_name();
}

}  // namespace espalier::cpu
