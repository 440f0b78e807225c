// Runs command lists on a core of the HLS kernels without a clock, command by command.
//
//   ListRunner runner(make_kernel_core(abi::Array16x16), memory);
//   runner.start(arguments);
//   while (runner.step() == ListRunner::Status::Running) {}
#pragma once

#include <cstdint>
#include <memory>

#include "esp_abi.hpp"
#include "functional/device_memory.hpp"
#include "functional/kernel_core.hpp"
#include "functional/register_file.hpp"

namespace espalier::functional {

class ListRunner {
 public:
  enum class Status {
    Idle,
    Running,
    Done,
    Stuck,  // waits for something that never comes, and RegTimeout is 0
  };

  /// `memory` must outlive the runner.
  ListRunner(std::unique_ptr<KernelCore> core, DeviceMemory& memory) : core_(std::move(core)), memory_(memory) {}

  const abi::Configuration& configuration() const { return core_->configuration(); }

  /// Begins a run. Wrong arguments end it at once: status() is Done and fault() says why.
  void start(const Arguments& arguments);

  /// Executes one command.
  Status step();

  Status status() const { return status_; }
  Fault fault() const { return status_ == Status::Stuck ? Fault{} : core_->result().fault; }
  Traffic traffic() const { return core_->result().traffic; }

  /// Power-on state: forgets the run; scratchpad and tables are zero.
  void reset();

 private:
  void end();

  std::unique_ptr<KernelCore> core_;
  DeviceMemory& memory_;
  Status status_ = Status::Idle;
  std::uint32_t timeout_ = 0;
};

}  // namespace espalier::functional
