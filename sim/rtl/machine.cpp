#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "rtl/verilated_machine.hpp"

namespace espalier::rtl {

std::unique_ptr<VerilatedMachine> make_machine_8x8(const MachineOptions& options);
std::unique_ptr<VerilatedMachine> make_machine_16x16(const MachineOptions& options);
std::unique_ptr<VerilatedMachine> make_machine_16x16_compact(const MachineOptions& options);
std::unique_ptr<VerilatedMachine> make_machine_32x32(const MachineOptions& options);

std::unique_ptr<VerilatedMachine> make_machine(const abi::Configuration& configuration, const MachineOptions& options) {
  if (configuration == abi::Array8x8) return make_machine_8x8(options);
  if (configuration == abi::Array16x16) return make_machine_16x16(options);
  if (configuration == abi::Array16x16Compact) return make_machine_16x16_compact(options);
  if (configuration == abi::Array32x32) return make_machine_32x32(options);
  throw Error(ErrorCode::Usage, "no RTL simulation was built for this array", "array", abi::array_name(configuration),
              std::string("use ") + abi::ArrayNames);
}

}  // namespace espalier::rtl
