#include "compile/timing/units.hpp"

#include <algorithm>

namespace espalier::compile::timing {
namespace {

constexpr std::uint32_t AllBanks = (1U << abi::Banks) - 1U;

unsigned burst_length(std::uint32_t offset, std::uint32_t left) {
  return std::min<std::uint32_t>(left, abi::BurstBeats - offset % abi::BurstBeats);
}

}  // namespace

void ReadDma::clock(const abi::MemoryResponse& response, bool pop, const abi::Command* started) {
  const bool accepted = response.ar_ready[master_];
  const unsigned length = burst_length(offset_, run_left_);
  const bool issue = planes_left_ != 0 && reserved_ + length <= depth_ && (!ar_valid_ || accepted);
  if (issue) {
    ar_valid_ = true;
    ar_len_ = static_cast<std::uint8_t>(length - 1);
    ar_address_ = {window_, offset_};
    reserved_ += length;
    if (run_left_ == length) {
      plane_ += pitch_;
      offset_ = plane_;
      run_left_ = run_;
      --planes_left_;
    } else {
      offset_ += length;
      run_left_ -= length;
    }
  } else if (accepted) {
    ar_valid_ = false;
  }
  if (pop) {
    --reserved_;
    --staged_;
  }
  if (response.r_valid[master_]) ++staged_;
  if (started != nullptr) {
    window_ = started->window;
    offset_ = plane_ = started->offset;
    run_ = run_left_ = started->run;
    const bool planar = started->opcode == abi::OpLoad;
    pitch_ = planar ? started->pitch : 0;
    planes_left_ = planar ? started->planes : 1;
  }
}

void PlaneWalk::start(const abi::Command& command) {
  address = plane = command.address;
  pitch = command.word_pitch;
  planes_left = command.planes;
  run = run_left = command.run;
}

void PlaneWalk::advance(unsigned words) {
  if (run_left == 1) {
    plane = static_cast<std::uint16_t>(plane + pitch);
    address = plane;
    run_left = run;
    --planes_left;
  } else {
    address = static_cast<std::uint16_t>(address + words);
    --run_left;
  }
}

void LoadUnit::clock(bool take, std::uint32_t grants, const abi::Command* started) {
  const std::uint32_t left = words_left(grants);
  if (last_ && pending_.words != 0 && left == 0) ++done_;
  left_ = left != pending_.words ? AllBanks : left_ & ~grants;
  pending_.words = left;
  const bool was_active = active_;
  if (take) {
    replicate_ = job_replicate_;
    left_ = AllBanks;
    pending_.words = (1U << words_) - 1U;
    pending_.address = walk_.address;
    last_ = walk_.last();
    if (last_) active_ = false;
    walk_.advance(words_);
  }
  if (!was_active && !jobs_.empty()) {
    active_ = true;
    job_replicate_ = (jobs_.front().flags & abi::FlagReplicate) != 0;
    walk_.start(jobs_.front());
    jobs_.pop_front();
  }
  if (started != nullptr) jobs_.push_back(*started);
}

bool StoreUnit::issue(const abi::MemoryResponse& response, unsigned& length) const {
  length = burst_length(offset_, burst_left_);
  return write_active_ && filled_ >= length && bursts_.size() < 15 && (!aw_valid_ || response.aw_ready);
}

void StoreUnit::gather(std::uint32_t grants, bool sent, const abi::Command* started) {
  const bool room = allocated_ <= depth_ - 2;
  const std::uint32_t left = pending_.words & ~pending_.granted(grants);
  const bool completes = pending_.words != 0 && left == 0;
  const std::uint32_t all = (1U << words_) - 1U;
  if (complete_) ++filled_;
  complete_ = completes;
  if (gather_active_ && pending_.words == 0) {
    if (room) pending_.words = all;
  } else if (completes) {
    const bool ends = walk_.last();
    pending_.words = !ends && room ? all : 0;
    if (ends) gather_active_ = false;
    walk_.advance(words_);
    pending_.address = walk_.address;
  } else {
    pending_.words = left;
  }
  allocated_ += (completes ? 1U : 0U) - (sent ? 1U : 0U);
  if (started != nullptr) {
    gather_active_ = true;
    walk_.start(*started);
    pending_.address = walk_.address;
  }
}

void StoreUnit::clock(const abi::MemoryResponse& response, std::uint32_t grants, const abi::Command* started) {
  unsigned length = 0;
  const bool issues = issue(response, length);
  const bool sends = w_valid() && response.w_ready;
  const bool sends_last = sends && w_last();
  const bool ends = !ends_.empty() && ends_.front() == answered_;
  const bool accepted = aw_valid_ && response.aw_ready;

  gather(grants, sends, started);

  if (sends) sent_ = sends_last ? 0 : sent_ + 1;
  if (sends_last) bursts_.pop_front();
  if (accepted) bursts_.push_back(aw_beats_);
  if (response.aw_ready) aw_valid_ = false;
  if (ends) {
    ends_.pop_front();
    ++done_;
  }
  if (response.b_valid) ++answered_;
  if (issues) {
    aw_valid_ = true;
    aw_beats_ = length;
    aw_address_ = {window_, offset_};
    filled_ -= length;
    ++issued_;
    if (burst_left_ == length) {
      burst_plane_ += burst_pitch_;
      offset_ = burst_plane_;
      burst_left_ = burst_run_;
      if (--burst_planes_ == 0) {
        write_active_ = false;
        ends_.push_back(issued_);
      }
    } else {
      offset_ += length;
      burst_left_ -= length;
    }
  }
  if (started != nullptr) {
    write_active_ = true;
    window_ = started->window;
    offset_ = burst_plane_ = started->offset;
    burst_pitch_ = started->pitch;
    burst_run_ = burst_left_ = started->run;
    burst_planes_ = started->planes;
  }
}

void CodeDecoder::start(std::span<const abi::CodeRound> rounds) {
  rounds_ = rounds;
  round_ = 0;
  taken_ = next_ = 0;
  held_ = false;
}

CodeDecoder::Signals CodeDecoder::signals(bool more, bool beat_valid, bool ready) const {
  const bool behind = more && beat_valid;
  const unsigned available = held_ ? abi::WordsPerBeat - next_ + (behind ? abi::WordsPerBeat : 0U) : 0U;
  const unsigned wanted = rounds_[round_].words - taken_;
  Signals signals;
  signals.given = std::min({wanted, available, abi::WordsPerBeat});
  const bool served = signals.given == wanted || (!more && signals.given == available);
  signals.slot = served && rounds_[round_].slot;
  signals.round = served && (!signals.slot || ready);
  signals.pop = behind && (!held_ || next_ + signals.given >= abi::WordsPerBeat);
  return signals;
}

void CodeDecoder::clock(const Signals& signals, bool popped) {
  next_ += signals.given;
  taken_ += signals.given;
  if (signals.round) {
    ++round_;
    taken_ = 0;
  }
  if (next_ >= abi::WordsPerBeat) {
    next_ -= abi::WordsPerBeat;
    held_ = false;
  }
  if (popped) held_ = true;
}

/// A piece is what the unit takes from a beat in one cycle: at most 16 entries of a slot, a line's weights or a table
/// entry.
unsigned WeightUnit::pieces_per_beat() const {
  switch (job_.format) {
    case abi::FormatSparse:
      return configuration_.lanes < 16 ? 16 / configuration_.lanes : 1;
    case abi::FormatDense:
    case abi::FormatBlock:
      return 1;
    case abi::FormatRow:
      return abi::BeatBytes * 8 / abi::RowBits / piece_items();
    case abi::FormatCode:
      return abi::BeatBytes * 8 / abi::CodeBits;
    case abi::FormatPacked:
      return 8 / job_.value_bits;
    case abi::FormatScale:
      return abi::BeatBytes * 8 / abi::ScaleBits / piece_items();
    case abi::FormatProgram:
      return abi::BeatBytes * 8 / abi::ProgramBits;
    default:
      return abi::BeatBytes / configuration_.pixels;
  }
}

/// Rows and scales are written in groups, as the tables of the writers are wide, if the first entry begins one.
std::uint32_t WeightUnit::piece_items() const {
  const bool grouped = job_.format == abi::FormatRow || job_.format == abi::FormatScale;
  return grouped && job_.address % configuration_.max_split() == 0 ? configuration_.max_split() : 1;
}

unsigned WeightUnit::pieces_per_line() const {
  const unsigned entry_pieces = std::max(1U, configuration_.lanes / 16);
  switch (job_.format) {
    case abi::FormatSparse:
      return configuration_.line_slots(abi::WeightsSparse, 1) * entry_pieces;
    case abi::FormatFixed:
    case abi::FormatHuffman:
      return configuration_.line_slots(abi::WeightsSparse, 1);
    case abi::FormatBlock:
      return abi::short_entries(job_) ? 2 : 1 + entry_pieces;
    default:
      return 1;
  }
}

/// An item of several pieces ends with the last of them.
bool WeightUnit::item_ends() const {
  if (coded()) return true;
  if (job_.format == abi::FormatSparse) return (phase_ + 1) % std::max(1U, configuration_.lanes / 16) == 0;
  return phase_ + 1 == pieces_per_line();
}

bool WeightUnit::line_ends() const { return phase_ + 1 == pieces_per_line() || (items_left_ == 1 && item_ends()); }

WeightUnit::Signals WeightUnit::signals(bool beat_valid, bool space) const {
  Signals signals;
  if (active_ && coded()) return coded_signals(beat_valid, space);
  if (!active_ || !beat_valid) return signals;
  signals.emit = items_left_ != 0 && (!fills_lines() || space);
  signals.take = items_left_ == 0 || signals.emit;
  signals.line = signals.emit && fills_lines() && line_ends();
  const bool over = items_left_ == 0 || (items_left_ <= piece_items() && item_ends());
  signals.pop = signals.take && (over || sub_ + 1 == pieces_per_beat());
  return signals;
}

/// The beats behind the last slot are dropped.
WeightUnit::Signals WeightUnit::coded_signals(bool beat_valid, bool space) const {
  Signals signals;
  const bool more = beats_left_ != 0;
  if (stream_over()) {
    signals.pop = more && beat_valid;
    return signals;
  }
  signals.code = decoder_.signals(more, beat_valid, space);
  signals.emit = signals.code.round && signals.code.slot;
  signals.line = signals.emit && fills_lines() && line_ends();
  signals.slot = signals.emit && fills_queue();
  signals.pop = signals.code.pop;
  return signals;
}

void WeightUnit::clock_coded(const Signals& signals) {
  if (stream_over()) {
    if (beats_left_ == 0) {
      active_ = false;
      ++done_;
    }
  } else {
    decoder_.clock(signals.code, signals.pop);
    if (signals.emit) end_piece();
  }
  if (signals.line || signals.slot) ++line_;
  if (signals.pop) --beats_left_;
}

void WeightUnit::end_piece() {
  const bool ends = item_ends();
  phase_ = line_ends() ? 0 : phase_ + 1;
  if (ends) items_left_ -= group();
}

void WeightUnit::clock(const Signals& signals, const abi::Command* started) {
  fresh_ = false;
  if (!active_) {
    if (!jobs_.empty()) {
      active_ = fresh_ = true;
      job_ = jobs_.front();
      jobs_.pop_front();
      beats_left_ = job_.run;
      items_left_ = job_.items;
      line_ = sub_ = phase_ = 0;
    }
  } else if (coded()) {
    clock_coded(signals);
  } else if (signals.take) {
    if (signals.emit) end_piece();
    if (signals.line) ++line_;
    sub_ = signals.pop ? 0 : sub_ + 1;
    if (signals.pop && --beats_left_ == 0) {
      active_ = false;
      ++done_;
    }
  }
  if (started != nullptr) jobs_.push_back(*started);
}

}  // namespace espalier::compile::timing
