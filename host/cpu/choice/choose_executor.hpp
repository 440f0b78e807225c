// The fastest executor of quantised networks that this build has and this processor is exact with: oneDNN and kernels
// beside it, else loops.
//
//   const std::unique_ptr<cpu::Executor> executor = cpu::choose_executor(network);
//   std::vector<cpu::Tensor> outputs = executor->run({image});
#pragma once

#include <memory>
#include <string>

#include "cpu/executor.hpp"

namespace espalier::cpu {

enum class Edges {
  Merged,  // a layer that only moves values, and is first or last, works while the tensors enter or leave
  Apart,   // every layer works in compute(), so that its time can be taken
};

/// `network` must pass model::validate; it is copied. Throws as RealLayer does.
std::unique_ptr<Executor> choose_executor(const model::Network& network, Edges edges = Edges::Merged);

/// The name of what choose_executor() makes in this process.
std::string chosen_executor();

}  // namespace espalier::cpu
