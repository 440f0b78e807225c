#include <bit>

#include "compile/timing/machine.hpp"

namespace espalier::compile::timing {

Sequencer::Issue Sequencer::signals(std::uint32_t busy_lanes, bool command_ready) const {
  Issue issue;
  if (active_ && loaded_) {
    issue.slot = &slot(current_);
    issue.issue = (issue.slot->last & busy_lanes) == 0;
  }
  if (issue.issue) {
    const abi::Command& command = contexts_[context_];
    issue.base = base_;
    issue.entry = entry_;
    issue.context = context_;
    issue.position_end = slot_index_ + 1 == command.slots;
    issue.finish = issue.position_end && x_ + 1 == command.count_x && y_ + 1 == command.count_y;
  }
  const std::size_t free_context = active_ ? 1U - context_ : context_;
  issue.start = command_ready && (!active_ || issue.finish) && !issued_[free_context];
  return issue;
}

void Sequencer::clock(const Issue& issue, const SlotTiming* written, const std::array<unsigned, 2>& finished,
                      const abi::Command* started) {
  const bool completes = issued_[oldest_] && outstanding_[oldest_] == 0;
  std::uint32_t next = current_;
  bool last_position = false;
  if (issue.issue) {
    const abi::Command& command = contexts_[context_];
    last_position = x_ + 1 == command.count_x && y_ + 1 == command.count_y;
    next = issue.position_end && !last_position ? chunk_ : current_ + 1;
    outstanding_[context_] += static_cast<std::uint32_t>(std::popcount(issue.slot->last));
    if (last_position) freed_ = current_ + 1;
    ++slot_index_;
    if (issue.position_end) {
      slot_index_ = 0;
      entry_ = static_cast<std::uint16_t>(entry_ + command.unroll);
      if (x_ + 1 == command.count_x) {
        x_ = 0;
        ++y_;
        row_base_ = static_cast<std::uint16_t>(row_base_ + command.step_y);
        base_ = row_base_;
      } else {
        ++x_;
        base_ = static_cast<std::uint16_t>(base_ + command.step_x);
      }
    }
  }
  loaded_ = next < written_;
  current_ = next;
  if (written != nullptr) {
    slots_.push_back(*written);
    ++written_;
  }
  while (first_slot_ < freed_) {
    slots_.pop_front();
    ++first_slot_;
  }
  for (unsigned c = 0; c < 2; ++c) outstanding_[c] -= finished[c];
  if (completes) {
    issued_[oldest_] = false;
    oldest_ ^= 1U;
    ++done_;
  }
  if (issue.finish) {
    active_ = false;
    issued_[context_] = true;
    context_ ^= 1U;
    chunk_ = next;
  }
  if (started != nullptr) {
    active_ = true;
    contexts_[context_] = *started;
    slot_index_ = 0;
    x_ = y_ = 0;
    base_ = row_base_ = started->address;
    entry_ = started->program;
  }
}

}  // namespace espalier::compile::timing
