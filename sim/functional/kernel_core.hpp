// A core of the HLS kernels, compiled for this processor, with its state: what ListRunner runs.
//
//   std::unique_ptr<KernelCore> core = make_kernel_core(abi::Array16x16);
//   core->start(arguments, memory);
//   while (core->step()) {}
#pragma once

#include <cstdint>
#include <memory>

#include "esp_abi.hpp"
#include "functional/device_memory.hpp"
#include "functional/register_file.hpp"

namespace espalier::functional {

/// What RegError, RegErrorPosition and RegErrorDetail report.
struct Fault {
  std::uint32_t code = abi::ErrorNone;
  std::uint32_t position = 0;
  std::uint32_t detail = 0;
};

struct Traffic {
  std::uint32_t read_beats = 0;
  std::uint32_t write_beats = 0;
  std::uint32_t macs = 0;  // lane entries executed
};

/// A core of one size.
class KernelCore {
 public:
  virtual ~KernelCore() = default;

  /// What the result registers report; of a run in progress, what is known so far.
  struct Result {
    Fault fault;
    Traffic traffic;
  };

  virtual const abi::Configuration& configuration() const = 0;
  /// Begins a run; `memory` must outlive it.
  virtual void start(const Arguments& arguments, DeviceMemory& memory) = 0;
  /// Executes a command of the run. Returns false once it has ended; a run that makes no progress ends at once.
  virtual bool step() = 0;
  virtual Result result() const = 0;
  /// Power-on state.
  virtual void clear() = 0;
};

/// A core for one of the configurations of the contract. Throws Error Usage for any other.
std::unique_ptr<KernelCore> make_kernel_core(const abi::Configuration& configuration);

}  // namespace espalier::functional
