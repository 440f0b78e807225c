#include <bit>

#include "compile/timing/machine.hpp"

namespace espalier::compile::timing {

SlotTiming Sequencer::current_slot() const {
  if (vector()) return queue_.front();
  if (contexts_[context_].weights == abi::WeightsDense) return taps_.slot();
  return lines_[current_ - first_line_].slots[slot_in_line_];
}

/// A chunk's last slot ends its line, full or not.
bool Sequencer::line_ends() const {
  return slot_in_line_ + 1 == line_slots_ || slot_index_ + 1 == contexts_[context_].slots;
}

Sequencer::Issue Sequencer::signals(std::uint32_t busy_lanes, bool command_ready) const {
  Issue issue;
  if (active_ && slot_ready()) {
    issue.slot = current_slot();
    issue.issue = (issue.slot.last & busy_lanes) == 0;
  }
  if (issue.issue) {
    const abi::Command& command = contexts_[context_];
    issue.base = vector() ? std::uint16_t{0} : base_;  // its banks are fixed
    issue.entry = entry_;
    issue.context = context_;
    issue.position_end = slot_index_ + 1 == command.slots;
    issue.finish = issue.position_end && x_ + 1 == command.count_x && y_ + 1 == command.count_y;
  }
  const std::size_t free_context = active_ ? 1U - context_ : context_;
  issue.start = command_ready && (!active_ || issue.finish) && !issued_[free_context];
  return issue;
}

/// Moves on by a slot, and by a position at the end of the chunk.
void Sequencer::next_slot() {
  const abi::Command& command = contexts_[context_];
  slot_in_line_ = line_ends() ? 0 : slot_in_line_ + 1;
  if (command.weights == abi::WeightsDense) taps_.advance();
  if (++slot_index_ != command.slots) return;
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

void Sequencer::start(const abi::Command& command) {
  active_ = true;
  contexts_[context_] = command;
  line_slots_ = configuration_.line_slots(command.weights, command.split);
  slot_index_ = slot_in_line_ = 0;
  taps_.start(command, configuration_.lanes);
  x_ = y_ = 0;
  base_ = row_base_ = command.address;
  entry_ = command.program;
}

void Sequencer::clock(const Issue& issue, const LineTiming* written, const SlotTiming* queued,
                      const std::array<unsigned, 2>& finished, const abi::Command* started) {
  const bool completes = issued_[oldest_] && outstanding_[oldest_] == 0;
  std::uint32_t next = current_;
  if (issue.issue) {
    const abi::Command& command = contexts_[context_];
    const bool last_position = x_ + 1 == command.count_x && y_ + 1 == command.count_y;
    if (vector()) {
      queue_.pop_front();
    } else if (line_ends()) {
      next = issue.position_end && !last_position ? chunk_ : current_ + 1;
      if (last_position) freed_ = current_ + 1;
    }
    outstanding_[context_] += static_cast<std::uint32_t>(std::popcount(issue.slot.last));
    next_slot();
  }
  loaded_ = next < written_;
  current_ = next;
  if (written != nullptr) {
    lines_.push_back(*written);
    ++written_;
  }
  if (queued != nullptr) queue_.push_back(*queued);
  while (first_line_ < freed_) {
    lines_.pop_front();
    ++first_line_;
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
  if (started != nullptr) start(*started);
}

}  // namespace espalier::compile::timing
