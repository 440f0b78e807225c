// Random weight streams: the lines of a chunk in one of the formats of OpWeight, and the fields of the OpCompute that
// runs them.
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <vector>

#include "esp_abi.hpp"
#include "random.hpp"

namespace espalier::test {

/// A chunk: `compute` has the mode, split, flags, slots and taps; the rest of it is up to the caller.
struct RandomChunk {
  abi::Command compute;
  unsigned format = abi::FormatSparse;
  std::uint32_t items = 0;  // of OpWeight
  std::uint32_t lines = 0;
  bool fits_short = false;  // FormatBlock: all of its entries can be short
  std::vector<std::uint8_t> bytes;
  std::vector<int> rows;     // of each lane
  int below = 0, above = 0;  // words read are base - below .. base + above
};

class RandomStream {
 public:
  static constexpr int MaxRows = 8;  // of a lane

  RandomStream(const abi::Configuration& configuration, Random& random)
      : configuration_(configuration), random_(random) {}

  /// About `lines` lines of one format, exactly as many unless it is FormatDense; any split that the format allows.
  RandomChunk chunk(unsigned format, std::uint32_t lines) {
    RandomChunk chunk;
    chunk.format = format;
    chunk.compute.opcode = abi::OpCompute;
    chunk.compute.weights = static_cast<std::uint8_t>(format);  // modes and formats have the same order
    if (random_.chance(0.5)) chunk.compute.flags = abi::FlagBroadcast;
    chunk.rows.assign(configuration_.lanes, 0);
    if (format != abi::FormatSparse) {
      const int exponents = std::countr_zero(configuration_.max_split());
      chunk.compute.split = static_cast<std::uint8_t>(1 << random_.between(0, exponents));
    }
    if (format == abi::FormatDense) {
      dense(chunk, lines);
    } else {
      entries(chunk, lines);
    }
    return chunk;
  }

 private:
  bool broadcasts(const RandomChunk& chunk) const { return (chunk.compute.flags & abi::FlagBroadcast) != 0; }
  void append(RandomChunk& chunk, std::uint32_t value) const {
    for (unsigned b = 0; b < 4; ++b) chunk.bytes.push_back(static_cast<std::uint8_t>(value >> (8 * b)));
  }
  void garbage(RandomChunk& chunk, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i) chunk.bytes.push_back(static_cast<std::uint8_t>(random_.byte()));
  }

  // FormatSparse and FormatBlock: K entries per slot; lanes of a group that meet in a bank read the same word.
  void entries(RandomChunk& chunk, std::uint32_t lines) {
    const unsigned lanes = configuration_.lanes;
    abi::Command& c = chunk.compute;
    const std::uint32_t per_line = configuration_.line_slots(c.weights, c.split);
    c.slots = lines * per_line - static_cast<std::uint32_t>(random_.between(0, static_cast<int>(per_line) - 1));
    chunk.lines = lines;
    chunk.items = chunk.format == abi::FormatSparse ? c.slots : lines;
    chunk.fits_short = chunk.format == abi::FormatBlock && c.split <= 2 && random_.chance(0.6);
    chunk.below = chunk.fits_short ? 0 : random_.between(0, 50);
    chunk.above = random_.between(0, 150);
    const double density = random_.unit();
    const double ends = std::min(0.1, 4.0 / c.slots);
    std::vector<bool> open(lanes, false);  // the lane's row has valid entries and no end yet
    for (std::uint32_t s = 0; s < c.slots; ++s) {
      if (chunk.format == abi::FormatBlock) garbage(chunk, abi::BeatBytes);
      std::map<unsigned, std::uint16_t> taken;
      for (unsigned k = 0; k < lanes; ++k) {
        if (k % abi::LanesPerPort == 0) taken.clear();
        abi::Entry entry;
        entry.weight = random_.byte();
        entry.valid = random_.chance(density);
        const auto wanted = static_cast<std::uint16_t>(random_.between(-chunk.below, chunk.above));
        entry.offset = taken.try_emplace(wanted % abi::Banks, wanted).first->second;
        entry.segment = static_cast<std::uint8_t>(random_.between(0, segments_meant(chunk) - 1));
        open[k] = open[k] || entry.valid;
        entry.last = s + 1 == c.slots ? k == 0 || open[k] || random_.chance(0.5)
                                      : chunk.rows[k] + 1 < MaxRows && random_.chance(ends);
        if (entry.last) {
          ++chunk.rows[k];
          open[k] = false;
        }
        append(chunk, abi::encode(entry));
      }
      if (chunk.format == abi::FormatBlock && chunk.bytes.size() % abi::BeatBytes != 0) {
        garbage(chunk, abi::BeatBytes - chunk.bytes.size() % abi::BeatBytes);
      }
    }
  }

  /// Values of the segment field: those of the split where it counts, any elsewhere.
  int segments_meant(const RandomChunk& chunk) const {
    if (chunk.format == abi::FormatBlock && broadcasts(chunk)) return chunk.compute.split;
    return chunk.fits_short ? 2 : 1 << abi::EntrySegmentBits;
  }

  // Rows of three nested tap counters; steps may be negative (modulo 2^16), the last row may be cut off.
  void dense(RandomChunk& chunk, std::uint32_t lines) {
    abi::Command& c = chunk.compute;
    const std::uint32_t per_line = configuration_.line_slots(c.weights, c.split);
    const std::uint32_t segments = broadcasts(chunk) ? c.split : 1U;
    const std::uint32_t wanted = (lines - 1) * per_line + 1;
    c.tap_count[0] = static_cast<std::uint16_t>(random_.between(1, 4));
    c.tap_count[1] = static_cast<std::uint16_t>(random_.between(1, 3));
    const std::uint32_t inner = segments * c.tap_count[0] * c.tap_count[1];
    auto groups = static_cast<std::uint32_t>(random_.between(1, 3));
    std::uint32_t outer = std::max(1U, (wanted + groups * inner - 1) / (groups * inner));
    if (outer == 1) groups = std::min<std::uint32_t>(MaxRows, (wanted + inner - 1) / inner);
    c.tap_count[2] = static_cast<std::uint16_t>(outer);
    for (std::size_t i = 0; i < 3; ++i) {
      const int reach = random_.between(0, 60) / std::max(1, c.tap_count[i] - 1);
      const bool down = random_.chance(0.3);
      (down ? chunk.below : chunk.above) += reach * (c.tap_count[i] - 1);
      c.tap_step[i] = static_cast<std::uint16_t>(down ? -reach : reach);
    }
    const std::uint32_t row = inner * outer;
    c.slots = groups * row;
    if (random_.chance(0.3)) c.slots -= static_cast<std::uint32_t>(random_.between(0, static_cast<int>(row) - 1));
    c.tail_lanes = static_cast<std::uint8_t>(random_.between(1, static_cast<int>(configuration_.lanes)));
    for (unsigned k = 0; k < configuration_.lanes; ++k) {
      chunk.rows[k] = static_cast<int>(groups) - (k < c.tail_lanes ? 0 : 1);
    }
    chunk.items = chunk.lines = (c.slots + per_line - 1) / per_line;
    garbage(chunk, std::size_t{chunk.lines} * abi::BeatBytes);
  }

  const abi::Configuration& configuration_;
  Random& random_;
};

}  // namespace espalier::test
