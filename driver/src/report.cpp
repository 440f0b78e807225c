#include "espalier/driver/report.hpp"

#include <fmt/format.h>

#include "esp_abi.hpp"

namespace espalier::driver {

namespace {

struct Explanation {
  const char* summary;
  const char* detail;  // what RegErrorDetail means
  const char* action;
};

Explanation explain(std::uint32_t code) {
  constexpr const char* Recompile = "compile the model again for this device and this version";
  switch (code) {
    case abi::ErrorArgument:
      return {"an argument register is misaligned or empty", "register", "check window addresses and sizes"};
    case abi::ErrorOpcode:
      return {"unknown opcode in the command list", "opcode", Recompile};
    case abi::ErrorField:
      return {"a command field is out of range", "bit position of the field", Recompile};
    case abi::ErrorWindow:
      return {"access outside its memory window", "offset in beats", Recompile};
    case abi::ErrorReadOnly:
      return {"store into a read-only window", "window", Recompile};
    case abi::ErrorReadResponse:
      return {"memory answered a read with an error", "AXI response", "check the device memory and its allocations"};
    case abi::ErrorWriteResponse:
      return {"memory answered a write with an error", "AXI response", "check the device memory and its allocations"};
    case abi::ErrorTimeout:
      return {"no progress within the time-out", "time-out in cycles",
              "check the memory of the device and the waits of the command list, or raise the time-out"};
    default:
      return {"unknown error code from the device", "detail", "check the version of the device image"};
  }
}

std::string describe_command(const MachineError& error, std::span<const std::uint8_t> commands) {
  std::string text = fmt::format("command {}", error.position);
  const std::uint64_t start = std::uint64_t{error.position} * abi::BeatBytes;
  if (start + abi::BeatBytes > commands.size()) return text;
  const abi::Command command =
      abi::decode(std::span<const std::uint8_t, abi::BeatBytes>(commands.data() + start, abi::BeatBytes));
  return text + fmt::format(" ({}, layer {})", opcode_name(command.opcode), command.layer);
}

}  // namespace

std::string opcode_name(unsigned opcode) {
  switch (opcode) {
    case abi::OpLoad:
      return "load";
    case abi::OpWeight:
      return "weight";
    case abi::OpCompute:
      return "compute";
    case abi::OpStore:
      return "store";
    case abi::OpMark:
      return "mark";
    default:
      return fmt::format("opcode {}", opcode);
  }
}

Error to_error(const MachineError& error, const std::string& device, std::span<const std::uint8_t> commands) {
  const Explanation explanation = explain(error.code);
  const bool argument = error.code == abi::ErrorArgument;
  const std::string where = argument ? fmt::format("device {}", device)
                                     : fmt::format("device {}, {}", device, describe_command(error, commands));
  return {error.code == abi::ErrorTimeout ? ErrorCode::Timeout : ErrorCode::Device, explanation.summary, where,
          fmt::format("error {}, {} {}", error.code, explanation.detail, error.detail), explanation.action};
}

}  // namespace espalier::driver
