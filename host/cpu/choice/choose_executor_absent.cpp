// Built without oneDNN: loops.
#include "cpu/choice/choose_executor.hpp"

namespace espalier::cpu {

std::unique_ptr<Executor> choose_executor(const model::Network& network, Edges /*edges*/) {
  return make_loop_executor(network);
}

std::string chosen_executor() { return loop_executor_name(); }

}  // namespace espalier::cpu
