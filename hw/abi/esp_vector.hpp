// Streams of FormatVector as the contract defines them: which symbols of which lane make a slot.
//
//   VectorReader reader(command, bytes, table, configuration);
//   std::vector<VectorEntry> slot(configuration.lanes);
//   while (!reader.ended()) {
//     if (reader.round(slot).slot) ... slot is the next item ...
//   }
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "esp_abi.hpp"
#include "esp_code.hpp"

namespace espalier::abi {

/// A product of a lane: byte `byte` of one of the two words it reads.
struct VectorProduct {
  std::int8_t weight = 0;
  std::uint8_t word = 0;
  std::uint8_t byte = 0;
};

/// What a lane does in a slot of WeightsVector.
struct VectorEntry {
  std::array<std::uint16_t, 2> words{};                  // of the vector, in banks 2 m and 2 m + 1
  std::uint8_t used = 0;                                 // of them
  bool last = false;                                     // the lane's row ends
  std::array<VectorProduct, VectorProducts> products{};  // of the symbols read; weight 0 where there is none

  bool valid() const { return used != 0; }
};

/// The lanes that read a stream of FormatVector, wherever its words come from.
class VectorLanes {
 public:
  /// The table is that at the start of the command.
  VectorLanes(const Command& command, const CodeTable& table, const Configuration& configuration)
      : table_(table),
        gap_bits_(command.gap_bits),
        value_bits_(command.value_bits),
        columns_(command.columns),
        pixels_(configuration.pixels),
        most_(configuration.vector_products()),
        lanes_(configuration.lanes) {}

  /// Whether no lane takes another word.
  bool over() const {
    return std::all_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.over; });
  }
  /// Whether rounds make slots, and in the next one no lane would read a symbol.
  bool idle() const {
    return prime_ == LaneWords - 1 && std::none_of(lanes_.begin(), lanes_.end(), [&](const Lane& lane) {
             return !lane.over && held(lane) >= width();
           });
  }

  /// The next round; `slot`: an entry per lane, complete if the round says so. `deal(lane)` is the next word of the
  /// stream, or none, for a lane that wants one.
  template <typename Deal>
  CodeRound round(std::span<VectorEntry> slot, Deal&& deal) {
    CodeRound result;
    result.slot = prime_ == LaneWords - 1;
    for (std::size_t k = 0; k < lanes_.size(); ++k) {
      Lane& lane = lanes_[k];
      const bool wants = !lane.over && lane.count <= prime_;
      if (result.slot) read(lane, slot[k]);
      if (!wants) continue;
      ++result.words;
      const std::optional<std::uint32_t> word = deal(k);
      if (word && !lane.over) lane.words[lane.count++] = *word;
    }
    if (!result.slot) ++prime_;
    return result;
  }

 private:
  struct Lane {
    std::array<std::uint32_t, LaneWords> words{};
    unsigned count = 0;        // words held
    unsigned bit = 0;          // of the first one, read next
    std::uint32_t column = 0;  // to read next
    bool over = false;         // it reads no more
  };

  unsigned width() const { return gap_bits_ + value_bits_; }
  static unsigned held(const Lane& lane) { return std::min(64U, 32 * lane.count - lane.bit); }

  static std::uint64_t window(const Lane& lane) {
    const std::uint64_t both = std::uint64_t{lane.words[0]} << 32 | lane.words[1];
    return lane.bit == 0 ? both : both << lane.bit | lane.words[2] >> (32 - lane.bit);
  }

  static void consume(Lane& lane, unsigned bits) {
    if (lane.over) lane.count = 0;
    for (lane.bit += bits; lane.bit >= 32 && lane.count > 0; lane.bit -= 32) {
      lane.words = {lane.words[1], lane.words[2], 0};
      --lane.count;
    }
  }

  std::int8_t weight(unsigned value) const {
    return value_bits_ == 8 ? static_cast<std::int8_t>(value) : table_.symbols[value].weight;
  }

  /// Adds the product of a symbol; false if its word is a third one.
  bool multiply(VectorEntry& entry, unsigned index, std::uint32_t column, unsigned value) const {
    const auto at = static_cast<std::uint16_t>(column / pixels_);
    unsigned which = 0;
    while (which < entry.used && entry.words[which] != at) ++which;
    if (which == entry.words.size()) return false;
    entry.words[which] = at;
    entry.used = static_cast<std::uint8_t>(std::max<unsigned>(entry.used, which + 1));
    entry.products[index] = {weight(value), static_cast<std::uint8_t>(which),
                             static_cast<std::uint8_t>(column % pixels_)};
    return true;
  }

  void read(Lane& lane, VectorEntry& entry) const {
    entry = {};
    if (lane.over) return;
    const std::uint64_t bits = window(lane);
    const unsigned most = std::min(most_, held(lane) / width());
    unsigned count = 0;
    bool ends = false;
    while (count < most && !ends) {
      const std::uint64_t symbol = bits << (count * width()) >> (64 - width());
      const auto gap = static_cast<std::uint32_t>(symbol >> value_bits_);
      const auto value = static_cast<unsigned>(symbol & ((1U << value_bits_) - 1U));
      const std::uint32_t column = lane.column + gap;
      const bool passes = gap + 1 == 1U << gap_bits_;
      ends = column >= columns_;
      if (ends) {
        entry.last = (value & 2U) == 0;
        lane.over = (value & 3U) != 0;
      } else if (!passes && !multiply(entry, count, column, value)) {
        break;
      }
      lane.column = ends ? 0 : passes ? column : column + 1;
      ++count;
    }
    consume(lane, count * width());
  }

  const CodeTable& table_;
  unsigned gap_bits_, value_bits_;
  std::uint32_t columns_;
  unsigned pixels_, most_;
  std::vector<Lane> lanes_;
  unsigned prime_ = 0;  // rounds without a step so far
};

/// The lanes and the words of a run.
class VectorReader {
 public:
  /// `bytes`: the beats of the run.
  VectorReader(const Command& command, std::span<const std::uint8_t> bytes, const CodeTable& table,
               const Configuration& configuration)
      : bytes_(bytes), items_(command.items), lanes_(command, table, configuration) {}

  bool ended() const { return items_ == 0 || (lanes_.idle() && (lanes_.over() || next_ == bytes_.size() / 4)); }

  CodeRound round(std::span<VectorEntry> slot) {
    const CodeRound result = lanes_.round(slot, [this](std::size_t) { return word(); });
    if (result.slot) --items_;
    return result;
  }

 private:
  std::optional<std::uint32_t> word() {
    if (next_ == bytes_.size() / 4) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t b = 4; b-- > 0;) value = value << 8 | bytes_[next_ * 4 + b];
    ++next_;
    return value;
  }

  std::span<const std::uint8_t> bytes_;
  std::size_t next_ = 0;  // word of the stream
  std::uint32_t items_;
  VectorLanes lanes_;
};

}  // namespace espalier::abi
