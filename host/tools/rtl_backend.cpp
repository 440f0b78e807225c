#include "rtl_backend.hpp"

#include "rtl/rtl_bus.hpp"
#include "rtl/rtl_cores.hpp"

namespace espalier::tools {
namespace {

rtl::RtlOptions rtl_options(const BackendOptions& options) {
  rtl::RtlOptions result;
  result.memory = options.memory;
  result.stalls = {options.stall, options.stall, options.stall, options.stall, 1};
  result.waves = options.waves;
  return result;
}

class RtlCores : public Cores {
 public:
  RtlCores(const BackendOptions& options, unsigned cores)
      : cores_(options.configuration, rtl_options(options), cores) {}
  driver::Bus& core(unsigned index) override { return cores_.core(index); }

 private:
  rtl::RtlCores cores_;
};

}  // namespace

std::unique_ptr<driver::Bus> open_rtl(const BackendOptions& options) {
  return std::make_unique<rtl::RtlBus>(options.configuration, rtl_options(options));
}

std::unique_ptr<Cores> open_rtl_cores(const BackendOptions& options, unsigned cores) {
  return std::make_unique<RtlCores>(options, cores);
}

std::vector<BackendInfo> list_rtl() {
  return {{"rtl", array_texts(), "the accelerator's RTL, cycle-accurate, with the memory of --memory"}};
}

}  // namespace espalier::tools
