#include "Vesp_top_8x8.h"
#include "rtl/machine_adapter.hpp"

namespace espalier::rtl {

std::unique_ptr<VerilatedMachine> make_machine_8x8(const MachineOptions& options) {
  return std::make_unique<MachineAdapter<Vesp_top_8x8>>(options);
}

}  // namespace espalier::rtl
