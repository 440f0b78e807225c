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
  explicit FunctionalMachine(const abi::Configuration& configuration) : bus_(configuration) {}
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
  explicit RtlMachine(const abi::Configuration& configuration) : bus_(configuration) {}
  driver::Bus& bus() override { return bus_; }
  bool busy() override { return !bus_.clock_until_idle(0); }
  bool advance() override { return !bus_.clock_until_idle(CyclesPerBatch); }

 private:
  static constexpr std::uint64_t CyclesPerBatch = 2048;
  rtl::RtlBus bus_;
};
#endif

}  // namespace

std::unique_ptr<Machine> make_machine(const std::string& kind, const abi::Configuration& configuration) {
  if (kind == "functional") return std::make_unique<FunctionalMachine>(configuration);
  if (kind == "rtl") {
#ifdef ESPALIER_CARD_RTL
    return std::make_unique<RtlMachine>(configuration);
#else
    throw Error(ErrorCode::Usage, "this build has no RTL simulation", "simulated card", kind,
                "build with Verilator, or set ESPALIER_CARD=functional");
#endif
  }
  throw Error(ErrorCode::Usage, "no such kind of card", "ESPALIER_CARD", kind, "use rtl or functional");
}

}  // namespace espalier::card
