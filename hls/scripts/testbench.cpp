// What C simulation and co-simulation run: a small command list on the core, its output against plain loops, and a
// fault. The tests of the tree compare the kernels with the functional model and so with the RTL; this one needs no
// other code.
#include <cstdint>
#include <cstdio>

#include "esp_arithmetic.hpp"
#include "esp_machine.hpp"
#include "esp_machine_core.hpp"

namespace {

namespace abi = espalier::abi;
using espalier::kernel::Beat;
using espalier::kernel::Machine;

constexpr unsigned MemoryBeats = 1024;
constexpr unsigned ProgramBeat = 0, InputBeat = 256, OutputBeat = 512, ArenaBeat = 768;
constexpr unsigned WindowBytes = 128 * abi::BeatBytes;
// Beats of the program window.
constexpr unsigned Commands = 0, Slots = 16, Rows = 64, Scales = 72, Program = 80, Permutation = 88;
constexpr unsigned Taps = 3, Positions = 4, Shift = 10;
constexpr std::uint32_t Multiplier = 9;

Beat memory[MemoryBeats];

void set_bits(Beat& beat, unsigned lsb, unsigned bits, std::uint32_t value) {
  beat.range(static_cast<int>(lsb + bits) - 1, static_cast<int>(lsb)) = value;
}

/// 32-bit word `index` of the program window from beat `beat` on.
void set_word(unsigned beat, unsigned index, std::uint32_t value) {
  set_bits(memory[ProgramBeat + beat + index / abi::WordsPerBeat], index % abi::WordsPerBeat * 32, 32, value);
}

std::int8_t weight_of(unsigned lane, unsigned tap) { return static_cast<std::int8_t>(7 * lane + 5 * tap - 30); }
std::int8_t input_of(unsigned word, unsigned pixel) { return static_cast<std::int8_t>(13 * word + 29 * pixel + 3); }
std::int32_t bias_of(unsigned lane) { return static_cast<std::int32_t>(lane) * 100 - 500; }

Beat transfer(unsigned opcode, unsigned window, unsigned offset, unsigned run) {
  Beat beat = 0;
  set_bits(beat, abi::CmdOpcodeLsb, abi::CmdOpcodeBits, opcode);
  set_bits(beat, abi::CmdWindowLsb, abi::CmdWindowBits, window);
  set_bits(beat, abi::CmdOffsetLsb, abi::CmdOffsetBits, offset);
  set_bits(beat, abi::CmdRunLsb, abi::CmdRunBits, run);
  set_bits(beat, abi::CmdPlanesLsb, abi::CmdPlanesBits, 1);
  return beat;
}

/// OpWeight uses offset, run, format and items.
Beat weights(unsigned format, unsigned offset, unsigned items, unsigned bytes) {
  Beat beat =
      transfer(abi::OpWeight, abi::WindowProgram, offset, (items * bytes + abi::BeatBytes - 1) / abi::BeatBytes);
  set_bits(beat, abi::CmdPlanesLsb, abi::CmdPlanesBits, 0);
  set_bits(beat, abi::CmdFormatLsb, abi::CmdFormatBits, format);
  set_bits(beat, abi::CmdItemsLsb, abi::CmdItemsBits, items);
  return beat;
}

/// Rows of `Taps` slots, one for each lane, at four positions; results go to words of their own behind the inputs.
Beat compute() {
  Beat beat = 0;
  set_bits(beat, abi::CmdOpcodeLsb, abi::CmdOpcodeBits, abi::OpCompute);
  set_bits(beat, abi::CmdWaitLoadLsb, abi::CmdWaitBits, 1);
  set_bits(beat, abi::CmdWaitWeightLsb, abi::CmdWaitBits, 5);
  set_bits(beat, abi::CmdSplitLsb, abi::CmdSplitBits, 1);
  set_bits(beat, abi::CmdSlotsLsb, abi::CmdSlotsBits, Taps);
  set_bits(beat, abi::CmdCountXLsb, abi::CmdCountXBits, Positions);
  set_bits(beat, abi::CmdCountYLsb, abi::CmdCountYBits, 1);
  set_bits(beat, abi::CmdStepXLsb, abi::CmdStepXBits, 1);
  set_bits(beat, abi::CmdUnrollLsb, abi::CmdUnrollBits, 1);
  set_bits(beat, abi::CmdOutputLsb, abi::CmdOutputBits, 256);
  set_bits(beat, abi::CmdZeroLsb, abi::CmdZeroBits, 4);
  set_bits(beat, abi::CmdLowLsb, abi::CmdLowBits, 128);
  set_bits(beat, abi::CmdHighLsb, abi::CmdHighBits, 127);
  return beat;
}

void make_memory() {
  for (unsigned tap = 0; tap < Taps; ++tap) {
    for (unsigned k = 0; k < Machine::Lanes; ++k) {
      const std::uint32_t last = tap + 1 == Taps ? 1U << abi::EntryLastLsb : 0;
      set_word(
          Slots, tap * Machine::Lanes + k,
          static_cast<std::uint8_t>(weight_of(k, tap)) | tap << abi::EntryOffsetLsb | 1U << abi::EntryValidLsb | last);
    }
  }
  for (unsigned k = 0; k < Machine::Lanes; ++k) {
    set_word(Rows, k, k * Positions);
    set_word(Scales, 2 * k, static_cast<std::uint32_t>(bias_of(k)));
    set_word(Scales, 2 * k + 1, Multiplier | Shift << (abi::ScaleShiftLsb - 32));
  }
  for (unsigned n = 0; n < Positions; ++n) set_word(Program, 2 * n, n);
  for (unsigned p = 0; p < Machine::Pixels; ++p) {
    set_bits(memory[ProgramBeat + Permutation], 8 * p, 8, p | abi::PermuteCopy << abi::PermuteModeLsb);
    for (unsigned word = 0; word < Taps + Positions; ++word) {
      const unsigned byte = word * Machine::Pixels + p;
      set_bits(memory[InputBeat + byte / abi::BeatBytes], byte % abi::BeatBytes * 8, 8,
               static_cast<std::uint8_t>(input_of(word, p)));
    }
  }
}

/// The list; returns the number of its commands.
unsigned make_list() {
  constexpr unsigned Results = Machine::Lanes * Positions * Machine::Pixels / abi::BeatBytes;
  Beat* list = memory + ProgramBeat + Commands;
  list[0] = transfer(abi::OpLoad, abi::WindowInput, 0, (Taps + Positions) * Machine::Pixels / abi::BeatBytes + 1);
  list[1] = weights(abi::FormatRow, Rows, Machine::Lanes, abi::RowBits / 8);
  list[2] = weights(abi::FormatScale, Scales, Machine::Lanes, abi::ScaleBits / 8);
  list[3] = weights(abi::FormatProgram, Program, Positions, abi::ProgramBits / 8);
  list[4] = weights(abi::FormatPermute, Permutation, 1, Machine::Pixels);
  list[5] = weights(abi::FormatSparse, Slots, Taps, Machine::Lanes * abi::EntryBits / 8);
  list[6] = compute();
  list[7] = transfer(abi::OpStore, abi::WindowOutput, 0, Results);
  set_bits(list[7], abi::CmdAddressLsb, abi::CmdAddressBits, 256);
  set_bits(list[7], abi::CmdWaitComputeLsb, abi::CmdWaitBits, 1);
  list[8] = 0;
  set_bits(list[8], abi::CmdOpcodeLsb, abi::CmdOpcodeBits, abi::OpMark);
  set_bits(list[8], abi::CmdLayerLsb, abi::CmdLayerBits, 5);
  return 9;
}

std::int8_t expected(unsigned lane, unsigned position, unsigned pixel) {
  std::int32_t acc = bias_of(lane);
  for (unsigned tap = 0; tap < Taps; ++tap) acc += weight_of(lane, tap) * input_of(position + tap, pixel);
  return abi::requantise(acc, Multiplier, Shift, 4, -128, 127);
}

unsigned wrong_bytes() {
  unsigned wrong = 0;
  for (unsigned byte = 0; byte < Machine::Lanes * Positions * Machine::Pixels; ++byte) {
    const unsigned word = byte / Machine::Pixels;
    const int low = static_cast<int>(byte % abi::BeatBytes * 8);
    const auto is =
        static_cast<std::int8_t>(memory[OutputBeat + byte / abi::BeatBytes].range(low + 7, low).to_uint64());
    const std::int8_t wanted = expected(word / Positions, word % Positions, byte % Machine::Pixels);
    if (is != wanted && wrong++ < 8) std::printf("byte %u: expected %d, is %d\n", byte, wanted, is);
  }
  return wrong;
}

struct Report {
  std::uint32_t error, position, detail, read_beats, write_beats, macs;
};

constexpr std::uint64_t address(unsigned beat) { return std::uint64_t{beat} * abi::BeatBytes; }

Report run(unsigned commands, hls::stream<std::uint32_t>& marks) {
  Report report = {};
  esp_machine_core(address(ProgramBeat), WindowBytes, address(InputBeat), WindowBytes, address(OutputBeat), WindowBytes,
                   address(ArenaBeat), WindowBytes, Commands, commands, 1000, memory, memory, memory, memory, marks,
                   &report.error, &report.position, &report.detail, &report.read_beats, &report.write_beats,
                   &report.macs);
  return report;
}

}  // namespace

int main() {
  hls::stream<std::uint32_t> marks("marks");
  make_memory();
  const unsigned commands = make_list();
  const Report good = run(commands, marks);
  bool right = good.error == abi::ErrorNone && good.macs == Machine::Lanes * Taps * Positions;
  right = right && !marks.empty() && marks.read() == 5;
  const unsigned wrong = wrong_bytes();

  set_bits(memory[ProgramBeat + Commands + 7], abi::CmdWindowLsb, abi::CmdWindowBits, abi::WindowProgram);
  const Report fault = run(commands, marks);
  right = right && fault.error == abi::ErrorReadOnly && fault.position == 7 && fault.detail == abi::WindowProgram;
  std::printf("%u lanes: %u bytes differ, %u entries executed, error %u at %u: %s\n", Machine::Lanes, wrong, good.macs,
              fault.error, fault.position, right && wrong == 0 ? "passed" : "FAILED");
  return right && wrong == 0 ? 0 : 1;
}
