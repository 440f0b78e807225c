// The whole machine in the timing model: the units of units.hpp, and what stands between them.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "compile/timing/predict.hpp"
#include "compile/timing/units.hpp"

namespace espalier::compile::timing {

/// esp_sequencer: which slot is issued when.
class Sequencer {
 public:
  explicit Sequencer(const abi::Configuration& configuration) : configuration_(configuration) {}

  struct Issue {
    bool issue = false, position_end = false, finish = false, start = false;
    SlotTiming slot;  // while the line that holds it is loaded
    std::uint16_t base = 0, entry = 0;
    std::uint8_t context = 0;
  };

  bool active() const { return active_; }
  bool starved() const { return active_ && !slot_ready(); }
  bool line_space() const { return written_ - freed_ != configuration_.line_depth; }
  bool queue_space() const { return queue_.size() < abi::VectorDepth; }
  bool results_pending() const { return outstanding_[0] != 0 || outstanding_[1] != 0; }
  std::uint32_t done() const { return done_; }
  /// The command that a context holds.
  const abi::Command& context(unsigned index) const { return contexts_[index]; }

  /// Signals of this cycle. `busy_lanes`: lanes that cannot take another row.
  Issue signals(std::uint32_t busy_lanes, bool command_ready) const;
  /// Edge. `written`, `queued`: a line is written, a slot of WeightsVector arrives; `finished`: results of each context
  /// whose last word left.
  void clock(const Issue& issue, const LineTiming* written, const SlotTiming* queued,
             const std::array<unsigned, 2>& finished, const abi::Command* started);

 private:
  SlotTiming current_slot() const;
  bool vector() const { return contexts_[context_].weights == abi::WeightsVector; }
  bool slot_ready() const { return vector() ? !queue_.empty() : loaded_; }
  bool line_ends() const;
  void next_slot();
  void start(const abi::Command& command);

  abi::Configuration configuration_;
  std::deque<LineTiming> lines_;  // those in the store
  std::deque<SlotTiming> queue_;  // slots of WeightsVector
  std::uint32_t first_line_ = 0;
  TapWalk taps_;
  unsigned slot_in_line_ = 0, line_slots_ = 1;
  bool active_ = false, loaded_ = false;
  std::uint8_t context_ = 0, oldest_ = 0;
  std::array<abi::Command, 2> contexts_{};
  // Lines are numbered from the start of the run.
  std::uint32_t slot_index_ = 0, written_ = 0, freed_ = 0, chunk_ = 0, current_ = 0, done_ = 0;
  std::uint16_t x_ = 0, y_ = 0, base_ = 0, row_base_ = 0, entry_ = 0;
  std::array<bool, 2> issued_{};
  std::array<std::uint32_t, 2> outstanding_{};
};

/// esp_writer: results on their way to the bank queues.
class Writer {
 public:
  struct Result {
    bool valid = false;
    std::uint8_t context = 0;
    std::uint16_t entry = 0;   // write program
    std::uint16_t output = 0;  // destination plane
  };
  struct Push {
    bool valid = false, drop = false, last = false;
    std::uint8_t context = 0;
    unsigned bank = 0;
  };

  Result bias, multiply, round, expand;
  Push push;
  abi::ProgramEntry entry;  // of `expand`
  unsigned turn = 0;
};

class Machine {
 public:
  /// `windows`: their addresses, for memories that look at them.
  Machine(const DeviceProgram& program, const abi::Configuration& configuration,
          const std::array<std::uint64_t, abi::Windows>& windows = {});

  /// Pins of the memory masters in this cycle; idle in the first, which clears the machine.
  abi::MemoryRequest request() const;
  /// One cycle; false if it was the last.
  bool clock(const abi::MemoryResponse& response);
  /// Complete after the last cycle.
  const Prediction& prediction() const { return prediction_; }

 private:
  static constexpr unsigned UnitCount = 5;  // load, weight, compute, store, mark
  static constexpr unsigned Load = 0, Weight = 1, Compute = 2, Store = 3, Mark = 4;

  struct WriterSignals {
    bool free = false;   // the push stage empties
    bool front = false;  // select to round move
    bool pushes = false;
    int lane = -1;  // lane whose row is taken
  };

  /// The combinational signals of one cycle.
  struct Signals {
    abi::MemoryResponse response;
    std::uint32_t queue_pops = 0, store_grants = 0, load_grants = 0;
    std::array<WriterSignals, abi::MostWriters> writers;
    std::array<unsigned, 2> finished{};  // results whose last word leaves, by context
    Sequencer::Issue issue;
    WeightUnit::Signals weight;
    bool load_starts = false, weight_starts = false, store_starts = false, load_takes = false;
    bool dispatches = false, marks = false;
  };

  Signals settle(const abi::MemoryResponse& response) const;
  void count(const Signals& signals, const abi::MemoryRequest& pins);
  void clock_queues(const Signals& signals);
  void clock_writer(unsigned index, const WriterSignals& signals);
  void clock_lanes(const Signals& signals);
  void clock_units(const Signals& signals);

  bool waits_met(const abi::Command& command) const;
  bool head_ready(unsigned unit) const;
  static unsigned unit_of(const abi::Command& command);
  std::uint32_t done(unsigned unit) const;
  bool finished() const;
  WriterSignals writer_signals(unsigned index, std::uint32_t taken_banks) const;
  std::uint64_t byte_address(const BeatAddress& address) const;
  void write_table(std::uint32_t item);
  LineTiming take_line();
  SlotTiming take_slot();
  const StreamTiming& stream();
  std::span<const std::uint8_t> item_bytes(const abi::Command& job, std::uint32_t item, unsigned bytes) const;

  const DeviceProgram& program_;
  abi::Configuration configuration_;
  std::array<std::uint64_t, abi::Windows> windows_;
  std::vector<abi::Command> commands_;
  bool fetch_requested_ = false;
  std::uint32_t dispatched_ = 0;
  std::array<std::deque<abi::Command>, UnitCount> queues_;
  std::array<std::uint32_t, UnitCount> sent_{};
  std::uint32_t marked_ = 0;

  ReadDma command_dma_, weight_dma_, load_dma_;
  LoadUnit load_;
  StoreUnit store_;
  WeightUnit weight_;
  Sequencer sequencer_;
  std::vector<Lane> lanes_;
  std::array<Writer, abi::MostWriters> writers_;  // the first configuration_.writers
  std::array<std::uint8_t, abi::Banks> queue_count_{};
  std::uint32_t queue_nonempty_ = 0;

  // Slots travel five stages from issue to result; in the second, reads through port B occupy their banks.
  static constexpr unsigned ReadStage = 2, ResultStage = 5;
  std::array<std::uint32_t, 8> last_pipeline_{};
  std::array<std::uint32_t, 8> bank_pipeline_{};

  // Tables of the writers, as far as time depends on them.
  std::vector<abi::Row> rows_;
  std::vector<abi::ProgramEntry> entries_;
  abi::CodeTable code_;
  StreamTiming stream_;  // of the weight unit's current command
  std::uint32_t stream_serial_ = ~0U;

  std::uint32_t cycle_ = 0;
  std::uint32_t quiet_cycles_ = 0;  // without progress
  Prediction prediction_;
};

}  // namespace espalier::compile::timing
