#include "dram/channel.hpp"

#include <algorithm>

namespace espalier::dram {

Channel::Channel(const Parameters& parameters)
    : parameters_(&parameters),
      banks_(std::size_t{parameters.groups} * parameters.banks),
      group_access_from_(parameters.groups),
      group_read_from_(parameters.groups),
      group_activate_from_(parameters.groups),
      refresh_due_(parameters.refresh_interval) {}

/// From the low bits: bytes of an access, bank group, column, bank, row. Successive accesses go to different groups, so
/// that a stream moves data in every clock, and touches few banks at a time.
Channel::Place Channel::place(const Burst& burst, unsigned access) const {
  const Parameters& p = *parameters_;
  std::uint64_t index = burst.address / p.access_bytes + access;
  Place place;
  place.group = static_cast<unsigned>(index % p.groups);
  index /= p.groups;
  index /= p.row_bytes / p.access_bytes;
  place.bank = place.group * p.banks + static_cast<unsigned>(index % p.banks);
  place.row = index / p.banks;
  return place;
}

void Channel::precharge(Bank& bank, std::uint64_t now) {
  bank.row = Closed;
  bank.activate_from = std::max(bank.activate_from, now + parameters_->precharge);
}

/// Whether a refresh holds the channel in this clock. It begins when all banks are closed, and banks close when their
/// last access allows it.
bool Channel::refresh(std::uint64_t now) {
  if (now < refreshed_) return true;
  if (now < refresh_due_) return false;
  std::uint64_t closed = now;
  for (Bank& bank : banks_) {
    if (bank.row != Closed && now < bank.precharge_from) return true;
    if (bank.row != Closed) precharge(bank, now);
    closed = std::max(closed, bank.activate_from);
  }
  refreshed_ = closed + parameters_->refresh;
  for (Bank& bank : banks_) bank.activate_from = refreshed_;
  refresh_due_ += parameters_->refresh_interval;
  ++counters_.refreshes;
  return true;
}

/// A burst lies inside 1 KiB, so two of them overlap only if they lie in the same one.
bool Channel::read_waits_for_write() const {
  const std::uint64_t block = reads_.front().address / 1024;
  return std::any_of(writes_.begin(), writes_.end(), [&](const Burst& w) { return w.address / 1024 == block; });
}

void Channel::choose_direction() {
  const Parameters& p = *parameters_;
  const std::size_t full = p.write_queue * 3 / 4;
  const bool before = writing_;
  if (reads_.empty() || writes_.empty()) {
    writing_ = reads_.empty();
  } else if (read_waits_for_write()) {
    writing_ = true;
  } else if (writing_) {
    writing_ = writes_.size() > full / 3 && turn_ < p.write_queue;
  } else {
    writing_ = writes_.size() >= full && turn_ >= p.read_queue / 2;
  }
  if (writing_ == before) return;
  turn_ = 0;
  if (writing_) ++counters_.turnarounds;
}

bool Channel::may_access(const Place& place, std::uint64_t now) const {
  const Bank& bank = banks_[place.bank];
  if (bank.row != place.row || now < bank.access_from || now < access_from_) return false;
  if (now < group_access_from_[place.group]) return false;
  return writing_ ? now >= write_from_ : now >= read_from_ && now >= group_read_from_[place.group];
}

std::optional<Channel::Beat> Channel::access(std::uint64_t now) {
  const Parameters& p = *parameters_;
  std::deque<Burst>& queue = writing_ ? writes_ : reads_;
  for (std::size_t i = 0; i < queue.size(); ++i) {
    Burst& burst = queue[i];
    const Place at = place(burst, burst.done);
    if (!may_access(at, now)) continue;
    Bank& bank = banks_[at.bank];
    if (bank.touched) ++counters_.row_hits;
    bank.touched = true;
    access_from_ = now + p.access_other_group;
    group_access_from_[at.group] = now + p.access_same_group;
    ++burst.done;
    std::optional<Beat> beat;
    if (writing_) {
      ++counters_.writes;
      const std::uint64_t end = now + p.write_latency + p.access_clocks;
      read_from_ = end + p.write_to_read_other;
      group_read_from_[at.group] = end + p.write_to_read_same;
      bank.precharge_from = std::max(bank.precharge_from, end + p.write_recovery);
    } else {
      ++counters_.reads;
      const std::uint64_t end = now + p.read_latency + p.access_clocks;
      write_from_ = end + 2 - p.write_latency;  // two clocks for the bus to turn around
      bank.precharge_from = std::max(bank.precharge_from, now + p.read_to_precharge);
      if (burst.done * p.access_bytes % abi::BeatBytes == 0) beat = Beat{burst.id, end};
    }
    if (burst.done == burst.accesses) {
      queue.erase(queue.begin() + static_cast<std::ptrdiff_t>(i));
      ++turn_;
    }
    return beat;
  }
  return {};
}

bool Channel::may_activate(const Place& place, std::uint64_t now) const {
  const Bank& bank = banks_[place.bank];
  const std::uint64_t fourth = activated_[next_activated_];
  return now >= bank.activate_from && now >= activate_from_ && now >= group_activate_from_[place.group] &&
         (fourth == 0 || now + 1 >= fourth + parameters_->four_activates);
}

void Channel::activate(const Place& place, std::uint64_t now) {
  const Parameters& p = *parameters_;
  Bank& bank = banks_[place.bank];
  bank.row = place.row;
  bank.touched = false;
  bank.access_from = now + p.activate_to_access;
  bank.precharge_from = now + p.row_active;
  activate_from_ = now + p.activate_other_group;
  group_activate_from_[place.group] = now + p.activate_same_group;
  activated_[next_activated_] = now + 1;
  next_activated_ = (next_activated_ + 1) % static_cast<unsigned>(activated_.size());
}

/// Opens a row for the oldest burst that needs one, and no row that an older burst of the queue needs is closed.
void Channel::open_row(std::uint64_t now) {
  const Parameters& p = *parameters_;
  std::uint64_t claimed = 0;  // banks that an older burst uses
  for (const Burst& burst : writing_ ? writes_ : reads_) {
    std::uint64_t own = 0;
    const unsigned end = std::min(burst.accesses, burst.done + p.groups);
    for (unsigned i = burst.done; i < end; ++i) {
      const Place at = place(burst, i);
      const std::uint64_t bit = std::uint64_t{1} << at.bank;
      if ((claimed & bit) != 0) continue;
      own |= bit;
      Bank& bank = banks_[at.bank];
      if (bank.row == at.row) continue;
      if (bank.row == Closed) {
        if (!may_activate(at, now)) continue;
        activate(at, now);
        ++counters_.row_closed;
        return;
      }
      if (now < bank.precharge_from) continue;
      precharge(bank, now);
      ++counters_.row_conflicts;
      return;
    }
    claimed |= own;
  }
}

std::optional<Channel::Beat> Channel::tick(std::uint64_t now) {
  if (refresh(now)) return {};
  if (reads_.empty() && writes_.empty()) return {};
  choose_direction();
  const std::size_t reads = counters_.reads, writes = counters_.writes;
  const std::optional<Beat> beat = access(now);
  if (counters_.reads == reads && counters_.writes == writes) open_row(now);
  return beat;
}

}  // namespace espalier::dram
