#include "cpu/onednn/executor.hpp"

#include <algorithm>

#include "cpu/onednn/builder.hpp"
#include "esp_error.hpp"

// Of libgomp, which oneDNN takes its threads from; the header omp.h of another compiler belongs to another library.
extern "C" void omp_set_num_threads(int threads);

namespace espalier::cpu {

struct OneDnnExecutor::State {
  onednn::Program program;
  std::vector<model::Port> ports;
  std::vector<onednn::Operand> inputs, outputs;  // row-major
  int threads = 1;
};

OneDnnExecutor::OneDnnExecutor(const model::Graph& graph, const OneDnnOptions& options)
    : state_(std::make_unique<State>()) {
  state_->threads = options.threads;
  omp_set_num_threads(options.threads);
  state_->ports = graph.inputs;
  onednn::Builder builder(graph, state_->program);
  builder.build(state_->inputs, state_->outputs);
  state_->program.place();
}

OneDnnExecutor::~OneDnnExecutor() = default;

std::vector<FloatTensor> OneDnnExecutor::run(std::span<const FloatTensor> inputs) {
  State& state = *state_;
  if (inputs.size() != state.inputs.size())
    throw Error(ErrorCode::Input, "wrong number of inputs", "network", std::to_string(inputs.size()),
                "give " + std::to_string(state.inputs.size()));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].size() * sizeof(float) != state.inputs[i].desc().get_size())
      throw Error(ErrorCode::Input, "the input has the wrong size", "input '" + state.ports[i].name + "'",
                  std::to_string(inputs[i].size()), "give a tensor of shape " + model::to_string(state.ports[i].shape));
    std::copy(inputs[i].begin(), inputs[i].end(), static_cast<float*>(state.inputs[i].memory.get_data_handle()));
  }
  omp_set_num_threads(state.threads);
  state.program.run();
  std::vector<FloatTensor> results;
  for (const onednn::Operand& output : state.outputs) {
    const auto* const first = static_cast<const float*>(output.memory.get_data_handle());
    results.emplace_back(first, first + output.desc().get_size() / sizeof(float));
  }
  return results;
}

std::size_t OneDnnExecutor::buffer_bytes() const { return state_->program.bytes(); }

std::string onednn_instruction_set() {
  switch (dnnl::get_effective_cpu_isa()) {
    case dnnl::cpu_isa::sse41:
      return "SSE4.1";
    case dnnl::cpu_isa::avx:
      return "AVX";
    case dnnl::cpu_isa::avx2:
      return "AVX2";
    case dnnl::cpu_isa::avx2_vnni:
      return "AVX2_VNNI";
    case dnnl::cpu_isa::avx512_core:
      return "AVX512_CORE";
    case dnnl::cpu_isa::avx512_core_vnni:
      return "AVX512_CORE_VNNI";
    case dnnl::cpu_isa::avx512_core_bf16:
      return "AVX512_CORE_BF16";
    case dnnl::cpu_isa::avx512_core_amx:
      return "AVX512_CORE_AMX";
    default:
      return "all of the machine's";
  }
}

}  // namespace espalier::cpu
