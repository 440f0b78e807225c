// The sizes of a machine as template parameters, with the names of the contract.
#pragma once

#include "esp_constants.hpp"

namespace espalier::kernel {

/// LanesValue: K, 8 .. 64; PixelsValue: P, 8, 16 or 32; BankRowsValue: words per scratchpad bank, a power of two;
/// LineDepthValue: lines of the weight store; WritersValue: requantise-and-write ports, 1, 2 or 4; CodedValue: coded
/// weights; ProgramDepthValue: entries of the write program, a power of two; StagingBeatsValue: what RegStagingBeats
/// reports, of which these kernels need nothing.
template <unsigned LanesValue, unsigned PixelsValue, unsigned BankRowsValue, unsigned LineDepthValue,
          unsigned WritersValue, bool CodedValue = true, unsigned ProgramDepthValue = abi::ProgramDepth,
          unsigned StagingBeatsValue = abi::StagingBeats>
struct Sizes {
  static constexpr unsigned Lanes = LanesValue;
  static constexpr unsigned Pixels = PixelsValue;
  static constexpr unsigned BankRows = BankRowsValue;
  static constexpr unsigned LineDepth = LineDepthValue;
  static constexpr unsigned Writers = WritersValue;
  static constexpr bool Coded = CodedValue;
  static constexpr unsigned ProgramDepth = ProgramDepthValue;
  static constexpr unsigned StagingBeats = StagingBeatsValue;

  static constexpr unsigned ScratchWords = abi::Banks * BankRows;
  static constexpr unsigned WordsPerBeat = abi::BeatBytes / Pixels;
  /// Lanes that read one copy of the scratchpad.
  static constexpr unsigned Groups = Lanes / abi::LanesPerPort;
  /// Weights of a lane in a line.
  static constexpr unsigned LineWeights = abi::BeatBytes / Lanes;
  static constexpr unsigned MaxSplit = LineWeights < Pixels ? LineWeights : Pixels;
  /// Slots of WeightsSparse in a line.
  static constexpr unsigned SparseSlots = LineWeights > 2 ? 2 : 1;
  /// Entries of a slot that a beat holds, and the beats of a slot.
  static constexpr unsigned BeatEntries = Lanes < abi::WordsPerBeat ? Lanes : abi::WordsPerBeat;
  static constexpr unsigned EntryBeats = Lanes / BeatEntries;
  /// Products of a lane in a slot of WeightsVector.
  static constexpr unsigned VectorProducts = MaxSplit < abi::VectorProducts ? MaxSplit : abi::VectorProducts;
  /// Lanes that are dealt words in one cycle of a coded stream, and the cycles of a round.
  static constexpr unsigned DealtLanes = BeatEntries;
  static constexpr unsigned DealCycles = EntryBeats;

  static_assert(Lanes >= abi::LanesPerPort && Lanes <= abi::BeatBytes && (Lanes & (Lanes - 1)) == 0, "8, 16, 32, 64");
  static_assert(Pixels == 8 || Pixels == 16 || Pixels == 32, "8, 16 or 32");
  static_assert((BankRows & (BankRows - 1)) == 0 && ScratchWords <= 65536, "a power of two that addresses reach");
  static_assert(LineDepth > 0 && Writers > 0 && Writers <= abi::MostWriters && Lanes % Writers == 0, "writers");
  static_assert(ProgramDepth > 0 && ProgramDepth <= abi::ProgramDepth && (ProgramDepth & (ProgramDepth - 1)) == 0,
                "a power of two that the contract has");
};

/// The arrays of the contract.
using Array8x8 = Sizes<8, 8, 1024, 4096, 2>;
using Array16x16 = Sizes<16, 16, 4096, 4096, 4>;
using Array16x16Compact = Sizes<16, 16, 4096, 2048, 2, false, 1024, 64>;
using Array32x32 = Sizes<32, 32, 4096, 8192, 4>;

}  // namespace espalier::kernel
