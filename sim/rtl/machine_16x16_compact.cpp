#include "Vesp_top_16x16_compact.h"
#include "rtl/machine_adapter.hpp"

namespace espalier::rtl {

std::unique_ptr<VerilatedMachine> make_machine_16x16_compact(const MachineOptions& options) {
  return std::make_unique<MachineAdapter<Vesp_top_16x16_compact>>(options);
}

}  // namespace espalier::rtl
