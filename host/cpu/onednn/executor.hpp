// Executes a Graph in float32 by oneDNN: the fast one of the two float executors of the CPU.
//
//   cpu::OneDnnExecutor executor(model::import_model("network.onnx").graph);
//   std::vector<std::vector<float>> outputs = executor.run({image});
//
// Maps are held with their channels innermost; BatchNormalization, constants that are added or multiplied per channel,
// a sum with another map, and activations are computed by the convolution before them. Buffers share memory where they
// are not needed at the same time.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cpu/float_reference.hpp"
#include "model/graph.hpp"

namespace espalier::cpu {

struct OneDnnOptions {
  int threads = 1;
  /// Integers: a layer that only moves values, and is first or last, is one pass with the change of layout there.
  bool merge_edges = true;
};

class OneDnnExecutor {
 public:
  /// Nodes that oneDNN does not have are executed by the operators of the operator table. Throws Error(Unsupported)
  /// naming the first node that nothing executes, and why.
  explicit OneDnnExecutor(const model::Graph& graph, const OneDnnOptions& options = {});
  ~OneDnnExecutor();
  OneDnnExecutor(const OneDnnExecutor&) = delete;
  OneDnnExecutor& operator=(const OneDnnExecutor&) = delete;

  /// The outputs in the order of graph.outputs, row-major. `inputs` in the order of graph.inputs, row-major. Throws
  /// Error(Input) if their number or a size differs. Not to be called from several threads at a time.
  std::vector<FloatTensor> run(std::span<const FloatTensor> inputs);

  /// Bytes of all values between inputs and outputs.
  std::size_t buffer_bytes() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The instruction set that oneDNN uses: that of the machine, or less if DNNL_MAX_CPU_ISA says so.
std::string onednn_instruction_set();

}  // namespace espalier::cpu
