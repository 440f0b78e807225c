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

#include "esp_constants.hpp"

namespace espalier::abi {

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

/// A command with all its fields; those of other opcodes keep their defaults and are not encoded.
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
  std::uint8_t gap_bits = 0;
  std::uint8_t value_bits = 0;
  std::uint32_t columns = 0;
  // OpCompute
  std::uint32_t slots = 0;
  std::uint16_t count_x = 0;
  std::uint16_t count_y = 0;
  std::uint16_t step_x = 0;
  std::uint16_t step_y = 0;
  std::uint16_t row = 0;
  std::uint16_t scale = 0;
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
  std::uint8_t weights = WeightsSparse;
  std::uint8_t split = 1;
  std::uint8_t tail_lanes = 1;
  std::array<std::uint16_t, 3> tap_count{1, 1, 1};
  std::array<std::uint16_t, 3> tap_step{};

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
    visit(c.gap_bits, CmdGapBitsLsb, CmdGapBitsBits);
    visit(c.value_bits, CmdValueBitsLsb, CmdValueBitsBits);
    visit(c.columns, CmdColumnsLsb, CmdColumnsBits);
  }
  if (c.opcode == OpCompute) {
    visit(c.address, CmdAddressLsb, CmdAddressBits);
    visit(c.slots, CmdSlotsLsb, CmdSlotsBits);
    visit(c.count_x, CmdCountXLsb, CmdCountXBits);
    visit(c.count_y, CmdCountYLsb, CmdCountYBits);
    visit(c.step_x, CmdStepXLsb, CmdStepXBits);
    visit(c.step_y, CmdStepYLsb, CmdStepYBits);
    visit(c.row, CmdRowLsb, CmdRowBits);
    visit(c.scale, CmdScaleLsb, CmdScaleBits);
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
    visit(c.weights, CmdWeightsLsb, CmdWeightsBits);
    visit(c.split, CmdSplitLsb, CmdSplitBits);
    visit(c.tail_lanes, CmdTailLanesLsb, CmdTailLanesBits);
    visit(c.tap_count[0], CmdTapCount0Lsb, CmdTapCount0Bits);
    visit(c.tap_count[1], CmdTapCount1Lsb, CmdTapCount1Bits);
    visit(c.tap_count[2], CmdTapCount2Lsb, CmdTapCount2Bits);
    visit(c.tap_step[0], CmdTapStep0Lsb, CmdTapStep0Bits);
    visit(c.tap_step[1], CmdTapStep1Lsb, CmdTapStep1Bits);
    visit(c.tap_step[2], CmdTapStep2Lsb, CmdTapStep2Bits);
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

/// A lane's entry in a slot: FormatSparse (without segment) and FormatBlock (without weight).
struct Entry {
  std::int8_t weight = 0;
  std::uint16_t offset = 0;
  bool valid = false;
  bool last = false;
  std::uint8_t segment = 0;
};

constexpr std::uint32_t encode(const Entry& entry) {
  return static_cast<std::uint32_t>(static_cast<std::uint8_t>(entry.weight)) |
         (static_cast<std::uint32_t>(entry.offset) << EntryOffsetLsb) |
         (static_cast<std::uint32_t>(entry.valid) << EntryValidLsb) |
         (static_cast<std::uint32_t>(entry.last) << EntryLastLsb) |
         (static_cast<std::uint32_t>(entry.segment) << EntrySegmentLsb);
}

constexpr Entry decode_entry(std::uint32_t bits) {
  return {static_cast<std::int8_t>(bits & 255U), static_cast<std::uint16_t>(bits >> EntryOffsetLsb),
          ((bits >> EntryValidLsb) & 1U) != 0, ((bits >> EntryLastLsb) & 1U) != 0,
          static_cast<std::uint8_t>((bits >> EntrySegmentLsb) & 7U)};
}

/// Whether OpWeight of this format fills the weight store; the others fill tables, or the queue of WeightsVector.
constexpr bool fills_store(unsigned format) { return format <= FormatHuffman; }
/// Whether it needs a machine with coded weights.
constexpr bool coded_format(unsigned format) {
  return format == FormatPacked || format == FormatFixed || format == FormatHuffman || format == FormatCode ||
         format == FormatVector;
}
/// Whether a machine without coded weights refuses the command.
constexpr bool needs_coded(const Command& c) {
  return (c.opcode == OpWeight && coded_format(c.format)) || (c.opcode == OpCompute && c.weights == WeightsVector) ||
         (c.opcode == OpLoad && (c.flags & FlagReplicate) != 0);
}
/// Whether it is a coded stream of slots.
constexpr bool coded_stream(unsigned format) {
  return format == FormatFixed || format == FormatHuffman || format == FormatVector;
}

/// Whether a line of this command has short entries.
template <typename Fields>
constexpr bool short_entries(const Fields& command) {
  return command.format == FormatBlock && command.gap_bits == ShortBits;
}
/// Whether an entry can be short.
constexpr bool fits_short(const Entry& entry) { return entry.offset >> ShortOffsetBits == 0 && entry.segment < 2; }

constexpr std::uint16_t encode_short(const Entry& entry) {
  return static_cast<std::uint16_t>(static_cast<std::uint32_t>(entry.offset) << ShortOffsetLsb |
                                    static_cast<std::uint32_t>(entry.segment) << ShortSegmentLsb |
                                    (entry.valid ? 1U : 0U) << ShortValidLsb | (entry.last ? 1U : 0U) << ShortLastLsb);
}

constexpr Entry decode_short(std::uint32_t bits) {
  return {0, static_cast<std::uint16_t>(bits >> ShortOffsetLsb & ((1U << ShortOffsetBits) - 1U)),
          (bits >> ShortValidLsb & 1U) != 0, (bits >> ShortLastLsb & 1U) != 0,
          static_cast<std::uint8_t>(bits >> ShortSegmentLsb & 1U)};
}

/// A symbol of the code table.
struct Symbol {
  std::int8_t weight = 0;
  std::uint16_t gap = 0;
  bool valid = false;
  bool last = false;
  std::uint8_t extra = 0;  // bits, 0..16
  bool step = false;       // their number is that of a step

  bool operator==(const Symbol&) const = default;
};

constexpr std::uint32_t encode(const Symbol& symbol) {
  return static_cast<std::uint32_t>(static_cast<std::uint8_t>(symbol.weight)) |
         (static_cast<std::uint32_t>(symbol.gap) << CodeGapLsb) |
         (static_cast<std::uint32_t>(symbol.valid) << CodeValidLsb) |
         (static_cast<std::uint32_t>(symbol.last) << CodeLastLsb) |
         (static_cast<std::uint32_t>(symbol.extra & 31U) << CodeExtraLsb) |
         (static_cast<std::uint32_t>(symbol.step) << CodeStepLsb);
}

constexpr Symbol decode_symbol(std::uint32_t bits) {
  const std::uint32_t extra = bits >> CodeExtraLsb & 31U;
  return {static_cast<std::int8_t>(bits & 255U),
          static_cast<std::uint16_t>(bits >> CodeGapLsb),
          ((bits >> CodeValidLsb) & 1U) != 0,
          ((bits >> CodeLastLsb) & 1U) != 0,
          static_cast<std::uint8_t>(extra < 16 ? extra : 16U),
          (bits >> CodeStepLsb) != 0};
}

/// Codes of one length.
struct CodeLength {
  std::uint16_t limit = 0;
  std::uint8_t base = 0;

  bool operator==(const CodeLength&) const = default;
};

constexpr std::uint32_t encode(const CodeLength& length) {
  return (static_cast<std::uint32_t>(length.limit) & ((1U << CodeLimitBits) - 1U)) |
         (static_cast<std::uint32_t>(length.base) << CodeBaseLsb);
}

constexpr CodeLength decode_code_length(std::uint32_t bits) {
  return {static_cast<std::uint16_t>(bits & ((1U << CodeLimitBits) - 1U)),
          static_cast<std::uint8_t>(bits >> CodeBaseLsb)};
}

/// An entry of the row table.
struct Row {
  std::uint16_t output = 0;
  std::uint8_t step = 0;
  std::uint8_t permute = 0;
};

constexpr std::uint32_t encode(const Row& row) {
  return static_cast<std::uint32_t>(row.output) | (static_cast<std::uint32_t>(row.step) << RowStepLsb) |
         (static_cast<std::uint32_t>(row.permute) << RowPermuteLsb);
}

constexpr Row decode_row(std::uint32_t bits) {
  return {static_cast<std::uint16_t>(bits), static_cast<std::uint8_t>(bits >> RowStepLsb),
          static_cast<std::uint8_t>(bits >> RowPermuteLsb)};
}

/// An entry of the scale table.
struct ScaleEntry {
  std::int32_t bias = 0;
  std::uint32_t multiplier = 0;
  std::uint8_t shift = 0;
};

constexpr std::uint64_t encode(const ScaleEntry& scale) {
  return static_cast<std::uint64_t>(static_cast<std::uint32_t>(scale.bias)) |
         (static_cast<std::uint64_t>(scale.multiplier & 0xFFFFFFU) << ScaleMultiplierLsb) |
         (static_cast<std::uint64_t>(scale.shift & 63U) << ScaleShiftLsb);
}

constexpr ScaleEntry decode_scale(std::uint64_t bits) {
  return {static_cast<std::int32_t>(static_cast<std::uint32_t>(bits)),
          static_cast<std::uint32_t>((bits >> ScaleMultiplierLsb) & 0xFFFFFFU),
          static_cast<std::uint8_t>((bits >> ScaleShiftLsb) & 63U)};
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

/// Sizes of a machine, as RegLanes .. RegStagingBeats report them.
struct Configuration {
  unsigned lanes = 16;
  unsigned pixels = 16;
  unsigned bank_rows = 4096;
  unsigned line_depth = 4096;
  unsigned writers = 2;
  /// Understands FormatPacked, FormatFixed, FormatHuffman, FormatCode, FormatVector, WeightsVector and FlagReplicate.
  bool coded = true;
  unsigned program_depth = ProgramDepth;
  /// Read-ahead of the load and weight units.
  unsigned staging_beats = StagingBeats;

  /// Write-behind of the store unit.
  constexpr unsigned store_beats() const { return staging_beats / 2; }
  constexpr unsigned scratch_words() const { return Banks * bank_rows; }
  constexpr unsigned words_per_beat() const { return BeatBytes / pixels; }
  /// Weights of a lane in a line of the weight store.
  constexpr unsigned line_weights() const { return BeatBytes / lanes; }
  constexpr unsigned max_split() const { return line_weights() < pixels ? line_weights() : pixels; }
  /// Products of a lane in a slot of WeightsVector.
  constexpr unsigned vector_products() const { return max_split() < VectorProducts ? max_split() : VectorProducts; }
  /// Slots in a line for a WeightsX mode.
  constexpr unsigned line_slots(unsigned weights, unsigned split) const {
    if (weights == WeightsDense) return line_weights() / split;
    return weights == WeightsSparse && line_weights() > 2 ? 2 : 1;
  }
  bool operator==(const Configuration&) const = default;
};

/// 8 lanes x 8 pixels, 128 KiB of scratchpad: fast tests.
inline constexpr Configuration Array8x8{8, 8, 1024, 4096, 2};
/// 16 lanes x 16 pixels, 1 MiB of scratchpad: KV260, ZCU104.
inline constexpr Configuration Array16x16{16, 16, 4096, 4096, 4};
/// Array16x16 without coded weights, with half of its weight store, writers, write program and buffers: smaller boards.
inline constexpr Configuration Array16x16Compact{16, 16, 4096, 2048, 2, false, 1024, 64};
/// 32 lanes x 32 pixels, 2 MiB of scratchpad: Alveo.
inline constexpr Configuration Array32x32{32, 32, 4096, 8192, 4};

}  // namespace espalier::abi
