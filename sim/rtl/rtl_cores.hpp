// Several accelerators that share the bandwidth of one memory. Every core is a Bus with memory contents of its own.
//
//   espalier::rtl::RtlCores cores(espalier::abi::Array16x16, {.memory = {.latency = 40}}, 2);
//   espalier::driver::Device first(cores.core(0)), second(cores.core(1));
#pragma once

#include <memory>
#include <vector>

#include "rtl/rtl_bus.hpp"

namespace espalier::rtl {

/// Runs that were started on several cores begin in the same cycle, when one of them is waited for, and go on together
/// until all of them have ended; compile::predict_cores() tells their cycles.
class RtlCores {
 public:
  /// Throws espalier::Error (Usage) for a size that was not built and for no cores.
  RtlCores(const abi::Configuration& configuration, const RtlOptions& options, unsigned cores);
  ~RtlCores();

  /// index < cores.
  driver::Bus& core(unsigned index);

 private:
  class Core;

  bool run(std::chrono::milliseconds limit);
  void cycle(abi::SharedMemory& memory);

  RtlOptions options_;
  std::vector<std::unique_ptr<Core>> cores_;
  std::unique_ptr<abi::SharedMemory> memory_;  // of the runs under way
  std::vector<abi::MemoryRequest> requests_;
  std::vector<abi::MemoryResponse> responses_;
};

}  // namespace espalier::rtl
