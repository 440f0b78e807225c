#include "card/machine.hpp"

#include <optional>

#include "esp_error.hpp"
#include "functional/functional_bus.hpp"
#ifdef ESPALIER_CARD_RTL
#include "rtl/rtl_bus.hpp"
#endif
#ifdef ESPALIER_CARD_SOC
#include "soc/soc_bus.hpp"
#endif

namespace espalier::card {

namespace {

/// The whole memory misbehaves.
std::optional<functional::MemoryFault> memory_fault(const Settings& settings) {
  if (!settings.fault) return {};
  return functional::MemoryFault{*settings.fault, 0, std::uint64_t{1} << 63};
}

class FunctionalMachine : public Machine {
 public:
  FunctionalMachine(const abi::Configuration& configuration, const Settings& settings) : bus_(configuration) {
    bus_.set_memory_fault(memory_fault(settings));
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
  RtlMachine(const abi::Configuration& configuration, const Settings& settings)
      : bus_(configuration, options(settings)) {
    bus_.set_memory_fault(memory_fault(settings));
  }
  driver::Bus& bus() override { return bus_; }
  bool busy() override { return !bus_.clock_until_idle(0); }
  bool advance() override { return !bus_.clock_until_idle(CyclesPerBatch); }

 private:
  static rtl::RtlOptions options(const Settings& settings) {
    rtl::RtlOptions options;
    options.memory = settings.memory.parameters;
    return options;
  }

  static constexpr std::uint64_t CyclesPerBatch = 2048;
  rtl::RtlBus bus_;
};
#endif

#ifdef ESPALIER_CARD_SOC
class SocMachine : public Machine {
 public:
  SocMachine(const abi::Configuration& configuration, const Settings& settings)
      : bus_(configuration, options(settings)) {
    bus_.set_memory_fault(memory_fault(settings));
  }
  driver::Bus& bus() override { return bus_; }
  bool busy() override { return bus_.busy(); }
  bool advance() override { return bus_.advance(CyclesPerBatch); }

 private:
  static soc::Options options(const Settings& settings) {
    soc::Options options;
    options.kind = settings.kind == "soc" ? soc::CoreKind::Timed : soc::CoreKind::Rtl;
    options.memory = settings.memory.parameters;
    options.dram = settings.memory.dram;
    options.mhz = settings.memory.mhz;
    return options;
  }

  static constexpr std::uint64_t CyclesPerBatch = 2048;
  soc::SocBus bus_;
};
#endif

}  // namespace

std::unique_ptr<Machine> make_machine(const Settings& settings, const abi::Configuration& configuration) {
  if (settings.kind == "functional") return std::make_unique<FunctionalMachine>(configuration, settings);
  if (settings.kind == "rtl") {
#ifdef ESPALIER_CARD_RTL
    return std::make_unique<RtlMachine>(configuration, settings);
#else
    throw Error(ErrorCode::Usage, "this build has no RTL simulation", "simulated card", settings.kind,
                "build with Verilator, or set ESPALIER_CARD=functional");
#endif
  }
  if (settings.kind == "soc" || settings.kind == "soc-rtl") {
#ifdef ESPALIER_CARD_SOC
    return std::make_unique<SocMachine>(configuration, settings);
#else
    throw Error(ErrorCode::Usage, "this build has no SystemC platform", "simulated card", settings.kind,
                "build with ESPALIER_SYSTEMC=ON, or set ESPALIER_CARD=rtl");
#endif
  }
  throw Error(ErrorCode::Usage, "no such kind of card", "ESPALIER_CARD", settings.kind,
              "use rtl, soc, soc-rtl or functional");
}

}  // namespace espalier::card
