#include "Vesp_top_16x16.h"
#include "rtl/machine_adapter.hpp"

namespace espalier::rtl {

std::unique_ptr<VerilatedMachine> make_machine_16x16(const MachineOptions& options) {
  return std::make_unique<MachineAdapter<Vesp_top_16x16>>(options);
}

}  // namespace espalier::rtl
