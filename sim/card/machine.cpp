#include "card/machine.hpp"

#include "esp_error.hpp"
#include "functional/functional_bus.hpp"
#ifdef ESPALIER_CARD_RTL
#include "rtl/rtl_bus.hpp"
#endif

namespace espalier::card {

namespace {

class FunctionalMachine : public Machine {
 public:
  FunctionalMachine(const abi::Configuration& configuration, std::optional<functional::MemoryFault> fault)
      : bus_(configuration) {
    bus_.set_memory_fault(fault);
  }
  driver::Bus& bus() override { return bus_; }
  bool busy() override { return bus_.busy(); }
  bool advance() override { return bus_.advance(CommandsPerBatch); }

 private:
  static constexpr unsigned CommandsPerBatch = 8;
  functional::FunctionalBus bus_;
};

#ifdef ESPALIER_CARD_RTL
class RtlMachine : public Machine {
 public:
  RtlMachine(const abi::Configuration& configuration, std::optional<functional::MemoryFault> fault)
      : bus_(configuration) {
    bus_.set_memory_fault(fault);
  }
  driver::Bus& bus() override { return bus_; }
  bool busy() override { return !bus_.clock_until_idle(0); }
  bool advance() override { return !bus_.clock_until_idle(CyclesPerBatch); }

 private:
  static constexpr std::uint64_t CyclesPerBatch = 2048;
  rtl::RtlBus bus_;
};
#endif

}  // namespace

std::unique_ptr<Machine> make_machine(const std::string& kind, const abi::Configuration& configuration,
                                      std::optional<functional::MemoryFaultKind> fault_kind) {
  std::optional<functional::MemoryFault> fault;
  if (fault_kind) fault = functional::MemoryFault{*fault_kind, 0, std::uint64_t{1} << 63};
  if (kind == "functional") return std::make_unique<FunctionalMachine>(configuration, fault);
  if (kind == "rtl") {
#ifdef ESPALIER_CARD_RTL
    return std::make_unique<RtlMachine>(configuration, fault);
#else
    throw Error(ErrorCode::Usage, "this build has no RTL simulation", "simulated card", kind,
                "build with Verilator, or set ESPALIER_CARD=functional");
#endif
  }
  throw Error(ErrorCode::Usage, "no such kind of card", "ESPALIER_CARD", kind, "use rtl or functional");
}

}  // namespace espalier::card
