// The array without a clock: scratchpad, weight store, tables, and what a compute command does with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "esp_abi.hpp"
#include "functional/lane.hpp"

namespace espalier::functional {

/// Slots in the order in which they arrived, K encoded entries each.
class SlotQueue {
 public:
  explicit SlotQueue(unsigned lanes) : lanes_(lanes) {}

  std::size_t slots() const { return (entries_.size() - head_) / lanes_; }
  /// Room for `slots` new slots at the end, to be filled by the caller.
  std::span<std::uint32_t> append(std::size_t slots);
  /// The first `slots` slots.
  std::span<const std::uint32_t> front(std::size_t slots) const { return {entries_.data() + head_, slots * lanes_}; }
  void pop(std::size_t slots);
  void clear();

 private:
  unsigned lanes_;
  std::size_t head_ = 0;
  std::vector<std::uint32_t> entries_;
};

class Array {
 public:
  /// Throws Error Usage if no engine exists for the size (P of 8, 16 or 32; powers of two elsewhere).
  explicit Array(const abi::Configuration& configuration);

  const abi::Configuration& configuration() const { return configuration_; }

  /// Copies whole words into or out of the scratchpad; word addresses wrap.
  void write_words(std::uint32_t address, std::span<const std::uint8_t> bytes);
  void read_words(std::uint32_t address, std::span<std::uint8_t> bytes) const;

  /// OpWeight: bytes of one slot or table entry.
  std::size_t item_bytes(unsigned format) const;
  /// OpWeight: the items of `bytes`, at most command.items. Returns how many there were; those beyond the bytes are
  /// not.
  std::size_t write_weights(const abi::Command& command, std::span<const std::uint8_t> bytes);

  std::size_t queued_slots() const { return slots_.slots(); }

  struct ComputeResult {
    std::uint64_t macs = 0;  // lane entries executed
    bool finished = true;    // false: a chain of the write program never ends
  };
  /// OpCompute with all fields in range and its slots queued.
  ComputeResult compute(const abi::Command& command);

  /// Forgets slots that no compute command took.
  void drop_slots() { slots_.clear(); }

  /// Scratchpad and tables to zero, no slots.
  void clear();

 private:
  struct LaneRows {
    std::vector<Tap> taps;
    std::vector<Row> rows;
  };

  void write_entry(unsigned format, std::size_t entry, std::span<const std::uint8_t> item);
  std::uint64_t take_slots(std::size_t slots);
  template <std::size_t P>
  bool run_positions(const abi::Command& command);
  template <std::size_t P>
  bool write_result(const abi::Command& command, const abi::Parameter& parameter, std::uint32_t position,
                    const Accumulators<P>& acc);

  abi::Configuration configuration_;
  std::size_t word_mask_;
  std::vector<std::int8_t> scratch_;
  std::vector<abi::Parameter> parameters_;
  std::vector<abi::ProgramEntry> program_;
  std::vector<std::uint8_t> permutations_;
  SlotQueue slots_;
  std::vector<LaneRows> lanes_;
};

}  // namespace espalier::functional
