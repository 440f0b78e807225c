// The rules of the contract for one command, without looking at memory: the first one that it breaks, by bit position.
#pragma once

#include <cstdint>

#include "esp_commands.hpp"

namespace espalier::kernel {

/// code: ErrorNone, or what RegError and RegErrorDetail report.
struct Fault {
  std::uint32_t code, detail;
};

inline Fault no_fault() { return {abi::ErrorNone, 0}; }
inline Fault field_fault(std::uint32_t lsb) { return {abi::ErrorField, lsb}; }

template <typename S>
Fault check_transfer(const Transfer& c, bool stores) {
  if (!S::Coded && !stores && c.replicate) return field_fault(abi::CmdFlagsLsb);
  if (c.window >= abi::Windows) return field_fault(abi::CmdWindowLsb);
  if (stores && (c.window == abi::WindowProgram || c.window == abi::WindowInput)) return {abi::ErrorReadOnly, c.window};
  if (c.run == 0) return field_fault(abi::CmdRunLsb);
  return c.planes == 0 ? field_fault(abi::CmdPlanesLsb) : no_fault();
}

inline bool known_value_bits(const WeightCommand& c) {
  switch (c.format) {
    case abi::FormatFixed:
      return c.value_bits <= 8;
    case abi::FormatVector:
      return (c.value_bits >= 1 && c.value_bits <= 4) || c.value_bits == 8;
    case abi::FormatHuffman:
      return c.value_bits <= 4 || c.value_bits == abi::ValueHuffman;
    case abi::FormatPacked:
      return c.value_bits == 1 || c.value_bits == 2 || c.value_bits == 4;
    default:
      return true;
  }
}

/// Formats that a machine without coded weights has not.
inline bool coded_format(std::uint32_t format) {
  return format == abi::FormatPacked || format == abi::FormatFixed || format == abi::FormatHuffman ||
         format == abi::FormatCode || format == abi::FormatVector;
}

template <typename S>
Fault check_weight(const WeightCommand& c) {
  const bool vector = c.format == abi::FormatVector;
  const bool gap_bits = (!vector && c.format != abi::FormatFixed) || (c.gap_bits >= 1 && c.gap_bits <= 8);
  if (c.window >= abi::Windows) return field_fault(abi::CmdWindowLsb);
  if (c.format >= abi::Formats || (!S::Coded && coded_format(c.format))) return field_fault(abi::CmdFormatLsb);
  if (c.run == 0) return field_fault(abi::CmdRunLsb);
  if (c.items == 0) return field_fault(abi::CmdItemsLsb);
  if (!gap_bits) return field_fault(abi::CmdGapBitsLsb);
  if (!known_value_bits(c)) return field_fault(abi::CmdValueBitsLsb);
  const bool columns = !vector || (c.columns >= 1 && c.columns <= abi::MostColumns);
  return columns ? no_fault() : field_fault(abi::CmdColumnsLsb);
}

template <typename S>
bool known_split(const ComputeCommand& c) {
  const bool power = c.split != 0 && (c.split & (c.split - 1)) == 0;
  return c.split == 1 ||
         (power && c.split <= S::MaxSplit && c.weights != abi::WeightsSparse && c.weights != abi::WeightsVector);
}

/// Fields that have passed weights and split: a chunk for several positions stays in the store, whole.
template <typename S>
bool slots_fit(const ComputeCommand& c) {
  const bool single = c.count_x == 1 && c.count_y == 1;
  return c.slots > 0 && (single || (c.weights != abi::WeightsVector && chunk_lines<S>(c) <= S::LineDepth));
}

template <typename S>
Fault check_compute(const ComputeCommand& c) {
  const bool dense = c.weights == abi::WeightsDense;
  if (dense && (c.tail_lanes == 0 || c.tail_lanes > S::Lanes)) return field_fault(abi::CmdTailLanesLsb);
  if (c.weights >= abi::WeightsModes || (!S::Coded && c.weights == abi::WeightsVector))
    return field_fault(abi::CmdWeightsLsb);
  if (!known_split<S>(c)) return field_fault(abi::CmdSplitLsb);
  if ((c.scale & (c.split - 1)) != 0) return field_fault(abi::CmdScaleLsb);
  if (!slots_fit<S>(c)) return field_fault(abi::CmdSlotsLsb);
  if (c.count_x == 0) return field_fault(abi::CmdCountXLsb);
  if (c.count_y == 0) return field_fault(abi::CmdCountYLsb);
  if (c.unroll == 0 || c.unroll > 16) return field_fault(abi::CmdUnrollLsb);
  if (c.operation >= abi::Operations) return field_fault(abi::CmdOperationLsb);
  if (dense && c.tap_count[0] == 0) return field_fault(abi::CmdTapCount0Lsb);
  if (dense && c.tap_count[1] == 0) return field_fault(abi::CmdTapCount1Lsb);
  return dense && c.tap_count[2] == 0 ? field_fault(abi::CmdTapCount2Lsb) : no_fault();
}

template <typename S>
Fault check_command(const Beat& beat) {
  const std::uint32_t opcode = opcode_of(beat);
  switch (opcode) {
    case abi::OpLoad:
    case abi::OpStore:
      return check_transfer<S>(transfer_of(beat), opcode == abi::OpStore);
    case abi::OpWeight:
      return check_weight<S>(weight_of(beat));
    case abi::OpCompute:
      return check_compute<S>(compute_of(beat));
    case abi::OpMark:
      return field<abi::CmdLayerLsb, abi::CmdLayerBits>(beat) < abi::MarkDepth ? no_fault()
                                                                               : field_fault(abi::CmdLayerLsb);
    default:
      return {abi::ErrorOpcode, opcode};
  }
}

}  // namespace espalier::kernel
