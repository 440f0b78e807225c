// One channel of a DRAM with its controller's scheduler: banks with open rows, refresh, and queues of reads and writes.
//
// A command per clock. Accesses whose row is open come first, the oldest of them before others; else the oldest burst
// that needs a bank gets its row opened. Rows stay open until another is needed or all banks are refreshed. Reads come
// before writes; writes are collected and drained together when the queue fills, when no read waits, or when a read
// waits for one of them; neither direction waits for more than a queue of the other. A burst's accesses are made in
// order.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "dram/parameters.hpp"
#include "esp_abi.hpp"

namespace espalier::dram {

/// Since the last restart.
struct ChannelCounters {
  std::uint64_t reads = 0, writes = 0;           // accesses
  std::uint64_t row_hits = 0;                    // bursts' accesses to a row that was open already
  std::uint64_t row_closed = 0;                  // that found the bank closed
  std::uint64_t row_conflicts = 0;               // that found another row open
  std::uint64_t turnarounds = 0, refreshes = 0;  // changes of direction; refreshes of all banks
};

class Channel {
 public:
  /// The channel moves whole bursts of beats; `parameters` must outlive it.
  explicit Channel(const Parameters& parameters);

  bool read_room() const { return reads_.size() < parameters_->read_queue; }
  bool write_room() const { return writes_.size() < parameters_->write_queue; }
  /// `id` comes back with every beat; `address` is one of the channel, of `beats` beats inside 1 KiB.
  void read(std::uint64_t id, std::uint64_t address, unsigned beats) { reads_.push_back(make(id, address, beats)); }
  void write(std::uint64_t id, std::uint64_t address, unsigned beats) { writes_.push_back(make(id, address, beats)); }

  /// The last data of a beat of a read are on the bus until clock `end`.
  struct Beat {
    std::uint64_t id = 0;
    std::uint64_t end = 0;
  };
  /// One clock, numbered from 0: the beat whose last access it commands, if any.
  std::optional<Beat> tick(std::uint64_t now);

  const ChannelCounters& counters() const { return counters_; }

 private:
  static constexpr std::uint64_t Closed = ~std::uint64_t{0};

  struct Bank {
    std::uint64_t row = Closed;
    std::uint64_t activate_from = 0, precharge_from = 0, access_from = 0;
    bool touched = false;  // the open row was accessed
  };
  struct Burst {
    std::uint64_t id = 0, address = 0;
    unsigned accesses = 0, done = 0;  // of one command each
  };
  struct Place {
    unsigned group = 0, bank = 0;  // bank: among all of the channel
    std::uint64_t row = 0;
  };

  Burst make(std::uint64_t id, std::uint64_t address, unsigned beats) const {
    return {id, address, beats * static_cast<unsigned>(abi::BeatBytes) / parameters_->access_bytes, 0};
  }
  Place place(const Burst& burst, unsigned access) const;
  bool refresh(std::uint64_t now);
  void choose_direction();
  bool read_waits_for_write() const;
  bool may_access(const Place& place, std::uint64_t now) const;
  std::optional<Beat> access(std::uint64_t now);
  void open_row(std::uint64_t now);
  bool may_activate(const Place& place, std::uint64_t now) const;
  void activate(const Place& place, std::uint64_t now);
  void precharge(Bank& bank, std::uint64_t now);

  const Parameters* parameters_;
  std::vector<Bank> banks_;
  std::deque<Burst> reads_, writes_;
  bool writing_ = false;
  unsigned turn_ = 0;                               // bursts ended since the direction changed
  std::uint64_t read_from_ = 0, write_from_ = 0;    // for any group, from turnaround
  std::vector<std::uint64_t> group_access_from_;    // tCCD_L
  std::vector<std::uint64_t> group_read_from_;      // tWTR_L
  std::uint64_t access_from_ = 0;                   // tCCD_S
  std::vector<std::uint64_t> group_activate_from_;  // tRRD_L
  std::uint64_t activate_from_ = 0;                 // tRRD_S
  std::array<std::uint64_t, 4> activated_{};        // clocks of the last four, + 1; 0: none
  unsigned next_activated_ = 0;
  std::uint64_t refresh_due_;
  std::uint64_t refreshed_ = 0;  // when the refresh under way ends
  ChannelCounters counters_;
};

}  // namespace espalier::dram
