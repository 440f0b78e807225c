// The contract for C++: the constants of esp_abi.svh, and commands and table entries as structs with encoders.
//
//   Command c; c.opcode = OpLoad; c.window = WindowInput; c.run = 12; ...
//   std::array<std::uint8_t, BeatBytes> beat = encode(c);
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>

namespace espalier::abi {
#define localparam inline constexpr
#include "esp_abi.svh"  // NOLINT(bugprone-suspicious-include)
#undef localparam

using Beat = std::array<std::uint8_t, BeatBytes>;

/// Reads `bits` (1..64) bits at bit position `lsb` of a little-endian byte string.
constexpr std::uint64_t get_bits(std::span<const std::uint8_t> bytes, unsigned lsb, unsigned bits) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < bits; ++i) {
    const unsigned bit = lsb + i;
    value |= static_cast<std::uint64_t>((bytes[bit / 8] >> (bit % 8)) & 1U) << i;
  }
  return value;
}

/// Writes the low `bits` (1..64) bits of `value` at bit position `lsb` of a little-endian byte string.
constexpr void set_bits(std::span<std::uint8_t> bytes, unsigned lsb, unsigned bits, std::uint64_t value) {
  for (unsigned i = 0; i < bits; ++i) {
    const unsigned bit = lsb + i;
    const auto mask = static_cast<std::uint8_t>(1U << (bit % 8));
    if (((value >> i) & 1U) != 0) {
      bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | mask);
    } else {
      bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] & ~mask);
    }
  }
}

/// A command with all its fields; those of other opcodes stay 0 and are not encoded.
struct Command {
  std::uint8_t opcode = 0;
  std::uint8_t flags = 0;
  std::uint16_t layer = 0;
  std::uint32_t wait_load = 0;
  std::uint32_t wait_weight = 0;
  std::uint32_t wait_compute = 0;
  std::uint32_t wait_store = 0;
  // OpLoad, OpStore, OpWeight; `address` also OpCompute
  std::uint8_t window = 0;
  std::uint8_t format = 0;
  std::uint16_t address = 0;
  std::uint32_t offset = 0;
  std::uint32_t run = 0;
  std::uint32_t pitch = 0;
  std::uint16_t planes = 0;
  std::uint16_t word_pitch = 0;
  std::uint32_t items = 0;
  std::array<std::uint16_t, 3> count{};
  std::array<std::uint16_t, 3> step{};
  std::uint8_t tail_lanes = 0;
  // OpCompute
  std::uint32_t slots = 0;
  std::uint16_t count_x = 0;
  std::uint16_t count_y = 0;
  std::uint16_t step_x = 0;
  std::uint16_t step_y = 0;
  std::uint16_t parameter = 0;
  std::uint16_t program = 0;
  std::uint16_t output = 0;
  std::uint8_t unroll = 1;
  std::uint8_t operation = 0;
  std::int8_t zero = 0;
  std::int8_t low = -128;
  std::int8_t high = 127;
  std::int8_t fill = 0;
  std::int8_t zero_a = 0;
  std::int8_t zero_b = 0;
  std::uint32_t multiplier_b = 0;
  std::uint8_t split = 1;

  bool operator==(const Command&) const = default;
};

namespace detail {

/// Applies visit(field, lsb, bits) to every field that the command's opcode defines.
template <typename CommandType, typename Visitor>
constexpr void visit_fields(CommandType& c, Visitor&& visit) {
  visit(c.opcode, CmdOpcodeLsb, CmdOpcodeBits);
  visit(c.flags, CmdFlagsLsb, CmdFlagsBits);
  visit(c.layer, CmdLayerLsb, CmdLayerBits);
  visit(c.wait_load, CmdWaitLoadLsb, CmdWaitBits);
  visit(c.wait_weight, CmdWaitWeightLsb, CmdWaitBits);
  visit(c.wait_compute, CmdWaitComputeLsb, CmdWaitBits);
  visit(c.wait_store, CmdWaitStoreLsb, CmdWaitBits);
  if (c.opcode == OpLoad || c.opcode == OpStore || c.opcode == OpWeight) {
    visit(c.window, CmdWindowLsb, CmdWindowBits);
    visit(c.address, CmdAddressLsb, CmdAddressBits);
    visit(c.offset, CmdOffsetLsb, CmdOffsetBits);
    visit(c.run, CmdRunLsb, CmdRunBits);
  }
  if (c.opcode == OpLoad || c.opcode == OpStore) {
    visit(c.pitch, CmdPitchLsb, CmdPitchBits);
    visit(c.planes, CmdPlanesLsb, CmdPlanesBits);
    visit(c.word_pitch, CmdWordPitchLsb, CmdWordPitchBits);
  }
  if (c.opcode == OpWeight) {
    visit(c.format, CmdFormatLsb, CmdFormatBits);
    visit(c.items, CmdItemsLsb, CmdItemsBits);
    visit(c.count[0], CmdCount0Lsb, CmdCount0Bits);
    visit(c.count[1], CmdCount1Lsb, CmdCount1Bits);
    visit(c.count[2], CmdCount2Lsb, CmdCount2Bits);
    visit(c.step[0], CmdStep0Lsb, CmdStep0Bits);
    visit(c.step[1], CmdStep1Lsb, CmdStep1Bits);
    visit(c.step[2], CmdStep2Lsb, CmdStep2Bits);
    visit(c.tail_lanes, CmdTailLanesLsb, CmdTailLanesBits);
  }
  if (c.opcode == OpCompute) {
    visit(c.address, CmdAddressLsb, CmdAddressBits);
    visit(c.slots, CmdSlotsLsb, CmdSlotsBits);
    visit(c.count_x, CmdCountXLsb, CmdCountXBits);
    visit(c.count_y, CmdCountYLsb, CmdCountYBits);
    visit(c.step_x, CmdStepXLsb, CmdStepXBits);
    visit(c.step_y, CmdStepYLsb, CmdStepYBits);
    visit(c.parameter, CmdParameterLsb, CmdParameterBits);
    visit(c.program, CmdProgramLsb, CmdProgramBits);
    visit(c.output, CmdOutputLsb, CmdOutputBits);
    visit(c.unroll, CmdUnrollLsb, CmdUnrollBits);
    visit(c.operation, CmdOperationLsb, CmdOperationBits);
    visit(c.zero, CmdZeroLsb, CmdZeroBits);
    visit(c.low, CmdLowLsb, CmdLowBits);
    visit(c.high, CmdHighLsb, CmdHighBits);
    visit(c.fill, CmdFillLsb, CmdFillBits);
    visit(c.zero_a, CmdZeroALsb, CmdZeroABits);
    visit(c.zero_b, CmdZeroBLsb, CmdZeroBBits);
    visit(c.multiplier_b, CmdMultiplierBLsb, CmdMultiplierBBits);
    visit(c.split, CmdSplitLsb, CmdSplitBits);
  }
}

}  // namespace detail

/// The 64 bytes of a command as the machine fetches them.
inline Beat encode(const Command& command) {
  Beat beat{};
  detail::visit_fields(command, [&](const auto& field, unsigned lsb, unsigned bits) {
    set_bits(beat, lsb, bits, static_cast<std::uint64_t>(field));
  });
  return beat;
}

/// The fields of an encoded command; those that its opcode does not define have their defaults.
inline Command decode(std::span<const std::uint8_t, BeatBytes> beat) {
  Command command;
  detail::visit_fields(command, [&](auto& field, unsigned lsb, unsigned bits) {
    field = static_cast<std::remove_reference_t<decltype(field)>>(get_bits(beat, lsb, bits));
  });
  return command;
}

/// A lane's entry in a slot of FormatSparse.
struct Entry {
  std::int8_t weight = 0;
  std::uint16_t offset = 0;
  bool valid = false;
  bool last = false;
};

constexpr std::uint32_t encode(const Entry& entry) {
  return static_cast<std::uint32_t>(static_cast<std::uint8_t>(entry.weight)) |
         (static_cast<std::uint32_t>(entry.offset) << EntryOffsetLsb) |
         (static_cast<std::uint32_t>(entry.valid) << EntryValidLsb) |
         (static_cast<std::uint32_t>(entry.last) << EntryLastLsb);
}

constexpr Entry decode_entry(std::uint32_t bits) {
  return {static_cast<std::int8_t>(bits & 255U), static_cast<std::uint16_t>(bits >> EntryOffsetLsb),
          ((bits >> EntryValidLsb) & 1U) != 0, ((bits >> EntryLastLsb) & 1U) != 0};
}

/// A row of the parameter table.
struct Parameter {
  std::int32_t bias = 0;
  std::uint32_t multiplier = 0;
  std::uint8_t shift = 0;
  std::uint16_t output = 0;
  std::uint8_t step = 0;
};

inline std::array<std::uint8_t, ParameterBits / 8> encode(const Parameter& parameter) {
  std::array<std::uint8_t, ParameterBits / 8> bytes{};
  set_bits(bytes, ParameterBiasLsb, ParameterBiasBits, static_cast<std::uint32_t>(parameter.bias));
  set_bits(bytes, ParameterMultiplierLsb, ParameterMultiplierBits, parameter.multiplier);
  set_bits(bytes, ParameterShiftLsb, ParameterShiftBits, parameter.shift);
  set_bits(bytes, ParameterOutputLsb, ParameterOutputBits, parameter.output);
  set_bits(bytes, ParameterStepLsb, ParameterStepBits, parameter.step);
  return bytes;
}

inline Parameter decode_parameter(std::span<const std::uint8_t> bytes) {
  return {static_cast<std::int32_t>(get_bits(bytes, ParameterBiasLsb, ParameterBiasBits)),
          static_cast<std::uint32_t>(get_bits(bytes, ParameterMultiplierLsb, ParameterMultiplierBits)),
          static_cast<std::uint8_t>(get_bits(bytes, ParameterShiftLsb, ParameterShiftBits)),
          static_cast<std::uint16_t>(get_bits(bytes, ParameterOutputLsb, ParameterOutputBits)),
          static_cast<std::uint8_t>(get_bits(bytes, ParameterStepLsb, ParameterStepBits))};
}

/// An entry of the write program.
struct ProgramEntry {
  std::uint16_t offset = 0;
  std::uint8_t permute = 0;
  bool drop = false;
  std::uint16_t next = 0;
};

constexpr std::uint64_t encode(const ProgramEntry& entry) {
  return static_cast<std::uint64_t>(entry.offset) | (static_cast<std::uint64_t>(entry.permute) << ProgramPermuteLsb) |
         (static_cast<std::uint64_t>(entry.drop) << ProgramDropLsb) |
         (static_cast<std::uint64_t>(entry.next) << ProgramNextLsb);
}

constexpr ProgramEntry decode_program(std::uint64_t bits) {
  return {static_cast<std::uint16_t>(bits), static_cast<std::uint8_t>(bits >> ProgramPermuteLsb),
          ((bits >> ProgramDropLsb) & 1U) != 0, static_cast<std::uint16_t>(bits >> ProgramNextLsb)};
}

/// Sizes of a machine, as RegLanes .. RegSlotDepth report them.
struct Configuration {
  unsigned lanes = 16;
  unsigned pixels = 16;
  unsigned bank_rows = 4096;
  unsigned slot_depth = 8192;

  constexpr unsigned scratch_words() const { return Banks * bank_rows; }
  constexpr unsigned words_per_beat() const { return BeatBytes / pixels; }
  bool operator==(const Configuration&) const = default;
};

/// 8 lanes x 8 pixels, 128 KiB of scratchpad: fast tests.
inline constexpr Configuration Array8x8{8, 8, 1024, 8192};
/// 16 lanes x 16 pixels, 1 MiB of scratchpad: KV260, ZCU104.
inline constexpr Configuration Array16x16{16, 16, 4096, 8192};

}  // namespace espalier::abi
