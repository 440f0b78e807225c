// Commands as the units hold them: the fields of the contract, each in a register.
#pragma once

#include <cstdint>

#include "esp_beat.hpp"
#include "esp_constants.hpp"

namespace espalier::kernel {

/// OpLoad and OpStore.
struct Transfer {
  std::uint32_t window, address, offset, run, pitch, planes, word_pitch;
  bool replicate;
};

/// OpWeight.
struct WeightCommand {
  std::uint32_t window, format, address, offset, run, items, gap_bits, value_bits, columns;
};

/// OpCompute.
struct ComputeCommand {
  std::uint32_t address, slots, count_x, count_y, step_x, step_y, row, scale, program, output, unroll, operation;
  std::int32_t zero, low, high, fill, zero_a, zero_b;
  std::uint32_t multiplier_b, weights, split, tail_lanes;
  std::uint32_t tap_count[3], tap_step[3];
  bool broadcast;
};

inline std::uint32_t opcode_of(const Beat& beat) { return field<abi::CmdOpcodeLsb, abi::CmdOpcodeBits>(beat); }

inline Transfer transfer_of(const Beat& beat) {
  return {field<abi::CmdWindowLsb, abi::CmdWindowBits>(beat),
          field<abi::CmdAddressLsb, abi::CmdAddressBits>(beat),
          field<abi::CmdOffsetLsb, abi::CmdOffsetBits>(beat),
          field<abi::CmdRunLsb, abi::CmdRunBits>(beat),
          field<abi::CmdPitchLsb, abi::CmdPitchBits>(beat),
          field<abi::CmdPlanesLsb, abi::CmdPlanesBits>(beat),
          field<abi::CmdWordPitchLsb, abi::CmdWordPitchBits>(beat),
          (field<abi::CmdFlagsLsb, abi::CmdFlagsBits>(beat) & abi::FlagReplicate) != 0};
}

inline WeightCommand weight_of(const Beat& beat) {
  return {
      field<abi::CmdWindowLsb, abi::CmdWindowBits>(beat),   field<abi::CmdFormatLsb, abi::CmdFormatBits>(beat),
      field<abi::CmdAddressLsb, abi::CmdAddressBits>(beat), field<abi::CmdOffsetLsb, abi::CmdOffsetBits>(beat),
      field<abi::CmdRunLsb, abi::CmdRunBits>(beat),         field<abi::CmdItemsLsb, abi::CmdItemsBits>(beat),
      field<abi::CmdGapBitsLsb, abi::CmdGapBitsBits>(beat), field<abi::CmdValueBitsLsb, abi::CmdValueBitsBits>(beat),
      field<abi::CmdColumnsLsb, abi::CmdColumnsBits>(beat)};
}

inline ComputeCommand compute_of(const Beat& beat) {
  return {
      field<abi::CmdAddressLsb, abi::CmdAddressBits>(beat),
      field<abi::CmdSlotsLsb, abi::CmdSlotsBits>(beat),
      field<abi::CmdCountXLsb, abi::CmdCountXBits>(beat),
      field<abi::CmdCountYLsb, abi::CmdCountYBits>(beat),
      field<abi::CmdStepXLsb, abi::CmdStepXBits>(beat),
      field<abi::CmdStepYLsb, abi::CmdStepYBits>(beat),
      field<abi::CmdRowLsb, abi::CmdRowBits>(beat),
      field<abi::CmdScaleLsb, abi::CmdScaleBits>(beat),
      field<abi::CmdProgramLsb, abi::CmdProgramBits>(beat),
      field<abi::CmdOutputLsb, abi::CmdOutputBits>(beat),
      field<abi::CmdUnrollLsb, abi::CmdUnrollBits>(beat),
      field<abi::CmdOperationLsb, abi::CmdOperationBits>(beat),
      signed_field<abi::CmdZeroLsb, abi::CmdZeroBits>(beat),
      signed_field<abi::CmdLowLsb, abi::CmdLowBits>(beat),
      signed_field<abi::CmdHighLsb, abi::CmdHighBits>(beat),
      signed_field<abi::CmdFillLsb, abi::CmdFillBits>(beat),
      signed_field<abi::CmdZeroALsb, abi::CmdZeroABits>(beat),
      signed_field<abi::CmdZeroBLsb, abi::CmdZeroBBits>(beat),
      field<abi::CmdMultiplierBLsb, abi::CmdMultiplierBBits>(beat),
      field<abi::CmdWeightsLsb, abi::CmdWeightsBits>(beat),
      field<abi::CmdSplitLsb, abi::CmdSplitBits>(beat),
      field<abi::CmdTailLanesLsb, abi::CmdTailLanesBits>(beat),
      {field<abi::CmdTapCount0Lsb, abi::CmdTapCount0Bits>(beat),
       field<abi::CmdTapCount1Lsb, abi::CmdTapCount1Bits>(beat),
       field<abi::CmdTapCount2Lsb, abi::CmdTapCount2Bits>(beat)},
      {field<abi::CmdTapStep0Lsb, abi::CmdTapStep0Bits>(beat), field<abi::CmdTapStep1Lsb, abi::CmdTapStep1Bits>(beat),
       field<abi::CmdTapStep2Lsb, abi::CmdTapStep2Bits>(beat)},
      (field<abi::CmdFlagsLsb, abi::CmdFlagsBits>(beat) & abi::FlagBroadcast) != 0};
}

/// Slots of the chunk's mode in a line.
template <typename S>
std::uint32_t line_slots(std::uint32_t weights, std::uint32_t split) {
  if (weights == abi::WeightsDense) return S::LineWeights / split;
  return weights == abi::WeightsSparse ? S::SparseSlots : 1;
}

/// Lines of the weight store that a chunk takes: its last one need not be full. WeightsVector takes none.
template <typename S>
std::uint32_t chunk_lines(const ComputeCommand& command) {
  if (command.weights == abi::WeightsVector) return 0;
  const std::uint32_t slots = line_slots<S>(command.weights, command.split);
  return command.slots / slots + (command.slots % slots != 0 ? 1 : 0);
}

}  // namespace espalier::kernel
