// The array without a clock: scratchpad, weight store, tables, and what a compute command does with them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "esp_abi.hpp"
#include "esp_code.hpp"
#include "esp_vector.hpp"
#include "functional/lane.hpp"

namespace espalier::functional {

/// Lines of the weight store in the order in which they arrived, as they stand in memory.
class LineQueue {
 public:
  explicit LineQueue(std::size_t line_bytes) : line_bytes_(line_bytes) {}

  std::size_t lines() const { return (bytes_.size() - head_) / line_bytes_; }
  /// A new line at the end. `bytes`: its contents; the rest of the line is 0.
  void push(std::span<const std::uint8_t> bytes);
  /// Line `index`, counted from the oldest.
  const std::uint8_t* line(std::size_t index) const { return bytes_.data() + head_ + index * line_bytes_; }
  void pop(std::size_t lines);
  void clear();

 private:
  std::size_t line_bytes_;
  std::size_t head_ = 0;
  std::vector<std::uint8_t> bytes_;
};

class Array {
 public:
  /// Throws Error Usage if no engine exists for the size (K of 8 to 64, P of 8, 16 or 32; powers of two).
  explicit Array(const abi::Configuration& configuration);

  const abi::Configuration& configuration() const { return configuration_; }

  /// Copies whole words to row (address div 16) and up of every bank; rows wrap.
  void replicate_words(std::uint32_t address, std::span<const std::uint8_t> bytes);
  /// Copies whole words into or out of the scratchpad; word addresses wrap.
  void write_words(std::uint32_t address, std::span<const std::uint8_t> bytes);
  void read_words(std::uint32_t address, std::span<std::uint8_t> bytes) const;

  /// OpWeight: bytes of one slot, line or table entry; of a format that is not coded.
  std::size_t item_bytes(const abi::Command& command) const;
  /// What an OpWeight adds to the weight store and to the queue of WeightsVector.
  struct Stored {
    std::size_t lines = 0;
    std::size_t slots = 0;
  };
  /// OpWeight: the items of `bytes`, at most command.items.
  Stored write_weights(const abi::Command& command, std::span<const std::uint8_t> bytes);

  std::size_t queued_lines() const { return lines_.lines(); }
  std::size_t queued_slots() const { return vector_slots_.size() / configuration_.lanes; }

  struct ComputeResult {
    std::uint64_t macs = 0;  // lane entries executed
    bool finished = true;    // false: a chain of the write program never ends
  };
  /// OpCompute with all fields in range and its lines or slots queued.
  ComputeResult compute(const abi::Command& command);

  /// Forgets lines and slots that no compute command took.
  void drop_lines() {
    lines_.clear();
    vector_slots_.clear();
  }

  /// Scratchpad and tables to zero, no lines.
  void clear();

 private:
  struct LaneRows {
    std::vector<Tap> taps;
    std::vector<std::int16_t> weights;  // `split` for each tap
    std::vector<RowTaps> rows;

    void add(const abi::Entry& entry, std::span<const std::uint8_t> weights);
  };

  std::size_t write_coded(const abi::Command& command, std::span<const std::uint8_t> bytes);
  std::size_t write_vector(const abi::Command& command, std::span<const std::uint8_t> bytes);
  void push_short(std::span<const std::uint8_t> line);
  void push_packed(unsigned bits, std::span<const std::uint8_t> line);
  std::size_t write_sparse(std::uint32_t items, std::span<const std::uint8_t> bytes);
  void write_entry(unsigned format, std::size_t entry, std::span<const std::uint8_t> item);
  std::uint64_t take_lines(const abi::Command& command);
  void take_sparse(const abi::Command& command);
  void take_dense(const abi::Command& command);
  void take_block(const abi::Command& command);
  template <std::size_t P>
  bool run_positions(const abi::Command& command);
  std::uint64_t valid_vector_entries(const abi::Command& command) const;
  template <std::size_t P>
  bool run_vector(const abi::Command& command);
  template <std::size_t P>
  bool write_result(const abi::Command& command, std::uint32_t row, std::uint32_t position, const Accumulators<P>& acc);

  abi::Configuration configuration_;
  std::size_t word_mask_;
  std::vector<std::int8_t> scratch_;
  std::vector<abi::Row> rows_;
  std::vector<abi::ScaleEntry> scales_;
  std::vector<abi::ProgramEntry> program_;
  std::vector<std::uint8_t> permutations_;
  abi::CodeTable code_;
  LineQueue lines_;
  std::deque<abi::VectorEntry> vector_slots_;  // K for each slot
  std::vector<LaneRows> lanes_;
};

}  // namespace espalier::functional
