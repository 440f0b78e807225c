// A core that is the timed model: the functional model gives the bytes, the timing model of the compiler the cycles and
// the traffic, burst by burst, with whatever memory answers.
#pragma once

#include <memory>
#include <optional>

#include "compile/timing/machine.hpp"
#include "functional/device_memory.hpp"
#include "functional/list_runner.hpp"
#include "functional/register_file.hpp"
#include "rtl/axi_rules.hpp"
#include "soc/core.hpp"

namespace espalier::soc {

/// The bytes of a run are computed before its time begins. A run that ends with an error has no cycles.
class TimedCore final : public Core {
 public:
  TimedCore(const sc_core::sc_module_name& name, Clock& clock, unsigned index, const abi::Configuration& configuration,
            functional::DeviceMemory& memory);

  bool busy() const override { return running_ || machine_ != nullptr; }
  bool stuck() const override { return runner_.status() == functional::ListRunner::Status::Stuck; }
  bool active() const override { return machine_ != nullptr; }
  void power_on() override;
  bool prepare() override;

 private:
  bool access(tlm::tlm_generic_payload& payload) override;
  void present() override;
  void edge() override;
  std::uint32_t read(std::uint32_t offset);
  std::uint32_t result(std::uint32_t offset) const;
  void start();
  void begin_time();

  abi::Configuration configuration_;
  functional::DeviceMemory& memory_;
  functional::ListRunner runner_;
  functional::RegisterFile registers_;
  compile::DeviceProgram program_;
  std::unique_ptr<compile::timing::Machine> machine_;  // while time passes
  compile::Prediction counted_;
  rtl::AxiRules rules_{"timed model"};
  abi::MemoryRequest pins_;
  bool running_ = false;  // the bytes are being computed
};

}  // namespace espalier::soc
