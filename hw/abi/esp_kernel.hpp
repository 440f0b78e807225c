// The accelerator as XRT sees it: the arguments and ports of its kernel. Everything that describes the kernel to a
// tool, an image or a host reads these tables.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "esp_constants.hpp"

namespace espalier::abi {

inline constexpr std::string_view KernelName = "espalier";

/// The name of a core in an image: espalier_1 is core 0.
inline std::string instance_name(unsigned core) { return std::string(KernelName) + "_" + std::to_string(core + 1); }

inline constexpr std::string_view ControlPort = "s_axi_control";

/// A port of the kernel; its pins are called port_signal.
struct KernelPort {
  std::string_view name;
  bool master;
  bool writes;  // of a master: it has write channels, too
  unsigned data_bits;
  unsigned address_bits;
};

inline constexpr std::array<KernelPort, 4> KernelPorts{{{ControlPort, false, true, 32, 13},
                                                        {"m_axi_command", true, false, 8 * BeatBytes, 64},
                                                        {"m_axi_weight", true, false, 8 * BeatBytes, 64},
                                                        {"m_axi_data", true, true, 8 * BeatBytes, 64}}};
static_assert(1U << KernelPorts[0].address_bits == RegWindowBytes);

/// Addresses and wide numbers take 64 bits, narrow ones 32.
enum class ArgumentKind { Address, Wide, Narrow };

/// An argument of the kernel: its register, and for an address the master that it is bound to. Tools bind an address to
/// one master and want one for each, but a master may use any window, so all masters of a core need the same memory.
struct KernelArgument {
  std::string_view name;
  std::uint32_t offset;
  ArgumentKind kind;
  std::string_view port;

  constexpr unsigned bytes() const { return kind == ArgumentKind::Narrow ? 4 : 8; }
  constexpr bool is_address() const { return kind == ArgumentKind::Address; }
};

/// In the order of the kernel's arguments, which is that of their registers.
inline constexpr std::array<KernelArgument, 11> KernelArguments{
    {{"program", RegProgramAddress, ArgumentKind::Address, "m_axi_command"},
     {"program_bytes", RegProgramBytes, ArgumentKind::Wide, ControlPort},
     {"input", RegInputAddress, ArgumentKind::Address, "m_axi_data"},
     {"input_bytes", RegInputBytes, ArgumentKind::Wide, ControlPort},
     {"output", RegOutputAddress, ArgumentKind::Address, "m_axi_data"},
     {"output_bytes", RegOutputBytes, ArgumentKind::Wide, ControlPort},
     {"arena", RegArenaAddress, ArgumentKind::Address, "m_axi_weight"},
     {"arena_bytes", RegArenaBytes, ArgumentKind::Wide, ControlPort},
     {"command_offset", RegCommandOffset, ArgumentKind::Narrow, ControlPort},
     {"command_count", RegCommandCount, ArgumentKind::Narrow, ControlPort},
     {"timeout", RegTimeout, ArgumentKind::Narrow, ControlPort}}};

namespace detail {

/// The registers of the arguments follow one another without a gap.
constexpr bool arguments_are_dense() {
  std::uint32_t offset = RegProgramAddress;
  for (const KernelArgument& argument : KernelArguments) {
    if (argument.offset != offset) return false;
    offset += argument.bytes();
  }
  return offset == RegTimeout + 4;
}
static_assert(arguments_are_dense());

}  // namespace detail

}  // namespace espalier::abi
