// The scratchpad: 16 banks, a copy of them for every 8 lanes. A copy is read by its lanes, or by stores, and written by
// results and loads, so that each of its RAMs has one read and one write port.
#pragma once

#include <hls_stream.h>

#include <cstdint>

#include "esp_beat.hpp"
#include "esp_commands.hpp"

namespace espalier::kernel {

template <typename S>
struct Scratchpad {
  std::int8_t copies[S::Groups][abi::Banks][S::BankRows][S::Pixels];
};

/// Of the words of a beat that starts at word `address`, that of `bank`: Banks and above, if there is none.
inline unsigned word_of_bank(std::uint32_t address, unsigned bank) { return (bank - address) % abi::Banks; }

/// Row of its bank.
template <typename S>
std::uint32_t bank_row(std::uint32_t address) {
  return address / abi::Banks % S::BankRows;
}

/// OpLoad: beats to the words from `address` on.
template <typename S>
void load_words(const Transfer& command, hls::stream<Beat>& beats, Scratchpad<S>& scratch) {
  for (std::uint32_t plane = 0; plane < command.planes; ++plane) {
#pragma HLS LOOP_TRIPCOUNT min = 0 max = 1024
    const std::uint32_t first = command.address + plane * command.word_pitch;
    // II = 1: the words of a beat lie in banks of their own.
    for (std::uint32_t i = 0; i < command.run; ++i) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 1024
      const Beat beat = beats.read();
      const std::uint32_t address = first + i * S::WordsPerBeat;
      for (unsigned bank = 0; bank < abi::Banks; ++bank) {
#pragma HLS UNROLL
        const unsigned word = word_of_bank(address, bank);
        const std::uint32_t row = bank_row<S>(address + word);
        if (word < S::WordsPerBeat) {
          for (unsigned quad = 0; quad < S::Pixels / 4; ++quad) {
#pragma HLS UNROLL
            const std::uint32_t bytes = word_of(beat, word * (S::Pixels / 4) + quad);
            for (unsigned p = 0; p < 4; ++p) {
#pragma HLS UNROLL
              for (unsigned g = 0; g < S::Groups; ++g) {
#pragma HLS UNROLL
                scratch.copies[g][bank][row][quad * 4 + p] = static_cast<std::int8_t>(bytes >> (8 * p));
              }
            }
          }
        }
      }
    }
  }
}

/// OpLoad with FlagReplicate: a word to all banks, in rows from that of `address` on.
template <typename S>
void replicate_words(const Transfer& command, hls::stream<Beat>& beats, Scratchpad<S>& scratch) {
  for (std::uint32_t plane = 0; plane < command.planes; ++plane) {
#pragma HLS LOOP_TRIPCOUNT min = 0 max = 64
    const std::uint32_t first = command.address / abi::Banks + plane * (command.word_pitch / abi::Banks);
    const std::uint64_t words = std::uint64_t{command.run} * S::WordsPerBeat;
    Beat beat = 0;
    // II = 1: a word a cycle, because every bank takes it; a beat is read with its first word.
    for (std::uint64_t i = 0; i < words; ++i) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 4096
      const auto word = static_cast<unsigned>(i % S::WordsPerBeat);
      const auto row = static_cast<std::uint32_t>((first + i) % S::BankRows);
      if (word == 0) beat = beats.read();
      for (unsigned p = 0; p < S::Pixels; ++p) {
#pragma HLS UNROLL
        const std::uint32_t bytes = word_of(beat, word * (S::Pixels / 4) + p / 4);
        for (unsigned copy = 0; copy < S::Groups * abi::Banks; ++copy) {
#pragma HLS UNROLL
          scratch.copies[copy / abi::Banks][copy % abi::Banks][row][p] = static_cast<std::int8_t>(bytes >> (p % 4 * 8));
        }
      }
    }
  }
}

/// OpStore: the words from `address` on to beats.
template <typename S>
void store_words(const Transfer& command, const Scratchpad<S>& scratch, hls::stream<Beat>& beats) {
  for (std::uint32_t plane = 0; plane < command.planes; ++plane) {
#pragma HLS LOOP_TRIPCOUNT min = 0 max = 1024
    const std::uint32_t first = command.address + plane * command.word_pitch;
    // II = 1: the words of a beat lie in banks of their own.
    for (std::uint32_t i = 0; i < command.run; ++i) {
#pragma HLS PIPELINE II = 1
#pragma HLS LOOP_TRIPCOUNT min = 1 max = 1024
      Beat beat = 0;
      const std::uint32_t address = first + i * S::WordsPerBeat;
      for (unsigned bank = 0; bank < abi::Banks; ++bank) {
#pragma HLS UNROLL
        const unsigned word = word_of_bank(address, bank);
        const std::uint32_t row = bank_row<S>(address + word);
        if (word < S::WordsPerBeat) {
          for (unsigned quad = 0; quad < S::Pixels / 4; ++quad) {
#pragma HLS UNROLL
            std::uint32_t bytes = 0;
            for (unsigned p = 0; p < 4; ++p) {
#pragma HLS UNROLL
              const auto byte = static_cast<std::uint8_t>(scratch.copies[0][bank][row][quad * 4 + p]);
              bytes |= static_cast<std::uint32_t>(byte) << (8 * p);
            }
            const int low = static_cast<int>((word * (S::Pixels / 4) + quad) * 32);
            beat.range(low + 31, low) = bytes;
          }
        }
      }
      beats.write(beat);
    }
  }
}

}  // namespace espalier::kernel
