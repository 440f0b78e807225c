#include "Vesp_top_32x32.h"
#include "rtl/machine_adapter.hpp"

namespace espalier::rtl {

std::unique_ptr<VerilatedMachine> make_machine_32x32(const MachineOptions& options) {
  return std::make_unique<MachineAdapter<Vesp_top_32x32>>(options);
}

}  // namespace espalier::rtl
