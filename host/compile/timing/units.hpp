// The machine's units as plain integers: every register of the RTL that decides when something happens, and no data.
//
// Each class mirrors the RTL module named beside it. Getters are signals of the current cycle (functions of registers);
// clock() is the edge.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <deque>
#include <span>

#include "compile/timing/lines.hpp"
#include "esp_abi.hpp"
#include "esp_memory_model.hpp"

namespace espalier::compile::timing {

/// Where a burst begins.
struct BeatAddress {
  std::uint8_t window = 0;
  std::uint32_t offset = 0;  // beats
};

/// esp_read_dma: when bursts are requested, and how many beats are staged.
class ReadDma {
 public:
  ReadDma(unsigned master, unsigned depth) : master_(master), depth_(depth) {}

  bool ready() const { return planes_left_ == 0; }
  bool ar_valid() const { return ar_valid_; }
  std::uint8_t ar_len() const { return ar_len_; }
  BeatAddress ar_address() const { return ar_address_; }
  bool beat_valid() const { return staged_ != 0; }

  /// `pop`: a staged beat is taken. `started`: the transfer that begins with this edge, or nullptr.
  void clock(const abi::MemoryResponse& response, bool pop, const abi::Command* started);

 private:
  unsigned master_;
  unsigned depth_;
  bool ar_valid_ = false;
  std::uint8_t ar_len_ = 0;
  BeatAddress ar_address_;
  std::uint8_t window_ = 0;
  std::uint32_t offset_ = 0, plane_ = 0, run_ = 0, run_left_ = 0, pitch_ = 0;
  std::uint32_t planes_left_ = 0;
  std::uint32_t reserved_ = 0, staged_ = 0;
};

/// The words of a beat that wait for their banks; word i is in bank (address + i) mod 16.
struct PendingWords {
  std::uint32_t address = 0;
  std::uint32_t words = 0;  // one bit each

  std::uint32_t banks() const {
    const std::uint32_t wide = words << (address % abi::Banks);
    return (wide | (wide >> abi::Banks)) & 0xffffU;
  }
  std::uint32_t granted(std::uint32_t banks) const {
    const std::uint32_t twice = banks | (banks << abi::Banks);
    return words & (twice >> (address % abi::Banks));
  }
};

/// Walks `planes` runs of beats: scratchpad address of each.
struct PlaneWalk {
  std::uint16_t address = 0, plane = 0, pitch = 0;
  std::uint32_t planes_left = 0, run = 0, run_left = 0;

  void start(const abi::Command& command);
  bool last() const { return run_left == 1 && planes_left == 1; }
  /// The next beat; `words` per beat.
  void advance(unsigned words);
};

/// esp_load_unit.
class LoadUnit {
 public:
  explicit LoadUnit(unsigned words) : words_(words) {}

  bool accepts() const { return jobs_.size() < 4; }
  std::uint32_t done() const { return done_; }
  std::uint32_t banks() const {
    if (replicate_) return pending_.words == 0 ? 0 : left_;
    return pending_.banks();
  }
  bool takes(bool beat_valid, std::uint32_t grants) const { return active_ && beat_valid && words_left(grants) == 0; }
  void clock(bool take, std::uint32_t grants, const abi::Command* started);

 private:
  /// Of the beat, behind this cycle.
  std::uint32_t words_left(std::uint32_t grants) const {
    if (!replicate_) return pending_.words & ~pending_.granted(grants);
    return (left_ & ~grants) == 0 ? pending_.words & (pending_.words - 1U) : pending_.words;
  }

  unsigned words_;
  std::deque<abi::Command> jobs_;
  bool active_ = false, last_ = false;
  bool job_replicate_ = false, replicate_ = false;  // of the job, of the beat: every word goes to all banks
  std::uint32_t left_ = 0;                          // banks that wait for the word
  PendingWords pending_;
  PlaneWalk walk_;
  std::uint32_t done_ = 0;
};

/// esp_store_unit.
class StoreUnit {
 public:
  /// depth: beats gathered ahead.
  StoreUnit(unsigned words, unsigned depth) : words_(words), depth_(depth) {}

  bool accepts() const { return !gather_active_ && !write_active_ && ends_.size() < 8; }
  std::uint32_t done() const { return done_; }
  std::uint32_t banks() const { return pending_.banks(); }
  bool aw_valid() const { return aw_valid_; }
  std::uint8_t aw_len() const { return static_cast<std::uint8_t>(aw_beats_ - 1U); }
  BeatAddress aw_address() const { return aw_address_; }
  bool w_valid() const { return !bursts_.empty(); }
  bool w_last() const { return !bursts_.empty() && sent_ + 1 == bursts_.front(); }
  void clock(const abi::MemoryResponse& response, std::uint32_t grants, const abi::Command* started);

 private:
  void gather(std::uint32_t grants, bool sent, const abi::Command* started);
  bool issue(const abi::MemoryResponse& response, unsigned& length) const;

  unsigned words_, depth_;
  bool gather_active_ = false, complete_ = false;
  PendingWords pending_;
  PlaneWalk walk_;
  std::uint32_t allocated_ = 0, filled_ = 0;
  bool write_active_ = false, aw_valid_ = false;
  unsigned aw_beats_ = 0, sent_ = 0;
  BeatAddress aw_address_;
  std::uint8_t window_ = 0;
  std::uint32_t offset_ = 0, burst_plane_ = 0, burst_pitch_ = 0, burst_run_ = 0, burst_left_ = 0, burst_planes_ = 0;
  std::deque<unsigned> bursts_;
  std::deque<std::uint32_t> ends_;
  std::uint32_t issued_ = 0, answered_ = 0, done_ = 0;
};

/// esp_word_dealer and the rounds of esp_code_decoder.
class CodeDecoder {
 public:
  struct Signals {
    unsigned given = 0;  // words
    bool round = false;  // the round ends, and its slot, if it makes one, is taken
    bool slot = false;   // it makes one
    bool pop = false;
  };

  /// `rounds` outlive the stream.
  void start(std::span<const abi::CodeRound> rounds);
  bool ended() const { return round_ == rounds_.size(); }
  /// `more`: beats of the run are still to be popped; `ready`: a slot is taken.
  Signals signals(bool more, bool beat_valid, bool ready) const;
  void clock(const Signals& signals, bool popped);

 private:
  std::span<const abi::CodeRound> rounds_;
  std::size_t round_ = 0;
  unsigned taken_ = 0;  // words dealt in the round
  bool held_ = false;
  unsigned next_ = 0;  // word of the held beat
};

/// esp_weight_unit.
class WeightUnit {
 public:
  explicit WeightUnit(const abi::Configuration& configuration) : configuration_(configuration) {}

  struct Signals {
    bool take = false;  // the staged beat is used
    bool emit = false;  // a piece of it goes to a line or a table
    bool line = false;  // a line is written
    bool slot = false;  // a slot of WeightsVector goes to its queue
    bool pop = false;   // the staged beat is used up
    CodeDecoder::Signals code;
  };

  bool accepts() const { return jobs_.size() < 4; }
  std::uint32_t done() const { return done_; }
  /// `space`: for a line or slot, whichever the job makes.
  Signals signals(bool beat_valid, bool space) const;
  bool fills_lines() const { return abi::fills_store(job_.format); }
  bool fills_queue() const { return job_.format == abi::FormatVector; }
  /// A coded stream starts with the next cycle; its rounds must be given.
  bool starts_stream() const { return fresh_ && coded(); }
  void take_rounds(std::span<const abi::CodeRound> rounds) { decoder_.start(rounds); }
  const abi::Command& job() const { return job_; }
  /// Number of the table entry that would be written next.
  std::uint32_t item() const { return job_.items - items_left_; }
  /// Table entries that are written at once.
  std::uint32_t group() const { return std::min(items_left_, piece_items()); }
  /// Number of the line or slot of this command that would be written next.
  std::uint32_t line() const { return line_; }
  void clock(const Signals& signals, const abi::Command* started);

 private:
  bool coded() const { return abi::coded_stream(job_.format); }
  bool stream_over() const { return items_left_ == 0 || decoder_.ended(); }
  Signals coded_signals(bool beat_valid, bool space) const;
  void clock_coded(const Signals& signals);
  void end_piece();
  unsigned pieces_per_beat() const;
  std::uint32_t piece_items() const;
  unsigned pieces_per_line() const;
  bool item_ends() const;
  bool line_ends() const;

  abi::Configuration configuration_;
  std::deque<abi::Command> jobs_;
  bool active_ = false, fresh_ = false;  // fresh: since the last edge
  abi::Command job_;
  CodeDecoder decoder_;
  std::uint32_t beats_left_ = 0, items_left_ = 0, line_ = 0, done_ = 0;
  unsigned sub_ = 0, phase_ = 0;  // piece within the beat, within the line
};

/// A row that a lane was told of: context (command in flight), write program entry, number within the position.
struct RowTag {
  std::uint8_t context = 0;
  std::uint16_t entry = 0;
  std::uint16_t row = 0;
};

/// esp_lane, rows only.
class Lane {
 public:
  bool ready() const { return announced_ < abi::ResultDepth; }
  bool has_result() const { return arrived_ != 0; }
  const RowTag& oldest() const { return tags_[read_]; }

  void announce(std::uint8_t context, std::uint16_t entry) {
    tags_[(read_ + announced_) % abi::ResultDepth] = {context, entry, row_++};
    ++announced_;
  }
  void restart() { row_ = 0; }
  void arrive() { ++arrived_; }
  void pop() {
    read_ = (read_ + 1) % abi::ResultDepth;
    --announced_;
    --arrived_;
  }

 private:
  std::array<RowTag, abi::ResultDepth> tags_{};
  unsigned read_ = 0, announced_ = 0, arrived_ = 0;
  std::uint16_t row_ = 0;
};

}  // namespace espalier::compile::timing
