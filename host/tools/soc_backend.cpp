#include "soc_backend.hpp"

#include <utility>

#include "soc/soc_bus.hpp"

namespace espalier::tools {
namespace {

soc::Options soc_options(const BackendOptions& options) {
  soc::Options result;
  result.kind = options.device.kind == DeviceKind::Soc ? soc::CoreKind::Timed : soc::CoreKind::Rtl;
  result.memory = options.memory;
  result.dram = options.dram;
  result.mhz = options.mhz;
  result.trace = options.trace;
  result.waves = options.waves;
  result.progress = options.progress;
  return result;
}

class SocCores : public Cores {
 public:
  SocCores(const BackendOptions& options, unsigned cores)
      : buses_(soc::make_cores(options.configuration, soc_options(options), cores)) {}
  driver::Bus& core(unsigned index) override { return *buses_.at(index); }

 private:
  std::vector<std::unique_ptr<soc::SocBus>> buses_;
};

}  // namespace

std::unique_ptr<driver::Bus> open_soc(const BackendOptions& options) {
  return std::make_unique<soc::SocBus>(options.configuration, soc_options(options));
}

std::unique_ptr<Cores> open_soc_cores(const BackendOptions& options, unsigned cores) {
  return std::make_unique<SocCores>(options, cores);
}

std::vector<BackendInfo> list_soc() {
  return {{"soc", array_texts(),
           "SystemC platform with the timed model of the accelerator and the memory of --memory, also DRAM"},
          {"soc-rtl", array_texts(), "the same platform with the accelerator's RTL"}};
}

std::optional<soc::Report> traffic_of(driver::Bus& bus) {
  const auto* platform = dynamic_cast<soc::SocBus*>(&bus);
  if (platform == nullptr) return {};
  return platform->report();
}

}  // namespace espalier::tools
