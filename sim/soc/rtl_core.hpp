// A core that is the Verilated accelerator: its pins, AXI4 and AXI4-Lite, behind the bridge.
#pragma once

#include <memory>

#include "rtl/verilated_machine.hpp"
#include "soc/core.hpp"

namespace espalier::soc {

class RtlCore final : public Core {
 public:
  RtlCore(const sc_core::sc_module_name& name, Clock& clock, unsigned index, const abi::Configuration& configuration,
          const rtl::MachineOptions& options)
      : Core(name, clock, index), machine_(rtl::make_machine(configuration, options)) {}

  bool busy() const override { return !machine_->idle(); }
  bool active() const override { return busy() || access_ != nullptr; }
  void power_on() override;

 private:
  bool access(tlm::tlm_generic_payload& payload) override;
  void present() override;
  void edge() override;

  std::unique_ptr<rtl::VerilatedMachine> machine_;
  tlm::tlm_generic_payload* access_ = nullptr;  // under way
};

}  // namespace espalier::soc
