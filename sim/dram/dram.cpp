#include "dram/dram.hpp"

#include <algorithm>

#include "esp_error.hpp"

namespace espalier::dram {

Dram::Dram(const Parameters& parameters, unsigned mhz, unsigned cores) : parameters_(&parameters), mhz_(mhz) {
  if (cores == 0 || mhz == 0) {
    throw Error(ErrorCode::Usage, "a memory needs cores and a clock", parameters.name,
                std::to_string(cores) + " cores, " + std::to_string(mhz) + " MHz", "use at least 1 of each");
  }
  half_latency_ = std::uint64_t{parameters.controller_ns} * parameters.clock_mhz / 2000;
  cores_.resize(cores);
  restart();
}

void Dram::restart() {
  channels_.assign(parameters_->channels, Channel(*parameters_));
  cores_.assign(cores_.size(), Core{});
  waiting_reads_.assign(parameters_->channels, 0);
  waiting_writes_.assign(parameters_->channels, 0);
  started_ = false;
  cycle_ = clock_ = 0;
  read_turn_ = write_turn_ = 0;
}

ChannelCounters Dram::counters() const {
  ChannelCounters sum;
  for (const Channel& channel : channels_) {
    const ChannelCounters& c = channel.counters();
    sum.reads += c.reads;
    sum.writes += c.writes;
    sum.row_hits += c.row_hits;
    sum.row_closed += c.row_closed;
    sum.row_conflicts += c.row_conflicts;
    sum.turnarounds += c.turnarounds;
    sum.refreshes += c.refreshes;
  }
  return sum;
}

bool Dram::any(std::span<const abi::MemoryRequest> requests) const {
  return std::any_of(requests.begin(), requests.end(), [](const abi::MemoryRequest& request) {
    return request.aw_valid || request.ar_valid != decltype(request.ar_valid){};
  });
}

void Dram::note(const Channel::Beat& beat) {
  for (Core& core : cores_) {
    for (std::deque<Read>& reads : core.reads) {
      for (Read& read : reads) {
        if (!read.queued || read.id != beat.id) continue;
        read.ready[read.known++] = beat.end + half_latency_;
        return;
      }
    }
  }
}

/// Bursts that have arrived at their channel.
void Dram::queue_bursts() {
  for (Core& core : cores_) {
    for (std::deque<Read>& reads : core.reads) {
      for (Read& read : reads) {
        if (read.queued) continue;
        if (clock_ < read.arrival) break;
        Channel& channel = channels_[channel_of(read.address)];
        if (!channel.read_room()) break;
        channel.read(read.id, within_channel(read.address), read.beats);
        read.queued = true;
      }
    }
    for (Write& write : core.writes) {
      if (write.queued) continue;
      if (write.taken != write.beats) break;
      Channel& channel = channels_[channel_of(write.address)];
      if (!channel.write_room()) break;
      channel.write(0, within_channel(write.address), write.beats);
      write.queued = true;
      write.answer = clock_ + 2 * half_latency_;
      --waiting_writes_[channel_of(write.address)];
    }
  }
}

void Dram::run_channels(std::uint64_t until) {
  for (; clock_ < until; ++clock_) {
    for (Channel& channel : channels_) {
      if (const std::optional<Channel::Beat> beat = channel.tick(clock_)) note(*beat);
    }
  }
}

/// The master whose oldest burst was accepted first gets its beat, if that is there.
void Dram::deliver(Core& core, abi::MemoryResponse& response) {
  int chosen = -1;
  std::uint64_t oldest = ~std::uint64_t{0};
  for (unsigned m = 0; m < abi::Masters; ++m) {
    if (core.reads[m].empty()) continue;
    const Read& read = core.reads[m].front();
    if (read.delivered == read.known || clock_ < read.ready[read.delivered] || read.id >= oldest) continue;
    oldest = read.id;
    chosen = static_cast<int>(m);
  }
  if (chosen < 0) return;
  std::deque<Read>& reads = core.reads[static_cast<unsigned>(chosen)];
  response.r_valid[static_cast<unsigned>(chosen)] = true;
  response.r_last = ++reads.front().delivered == reads.front().beats;
  if (!response.r_last) return;
  --waiting_reads_[channel_of(reads.front().address)];
  reads.pop_front();
}

void Dram::accept_read(std::span<const abi::MemoryRequest> requests, std::span<abi::MemoryResponse> responses) {
  for (unsigned i = 0; i < cores_.size(); ++i) {
    const auto c = static_cast<unsigned>((read_turn_ + i) % cores_.size());
    for (unsigned m = 0; m < abi::Masters; ++m) {
      if (!requests[c].ar_valid[m]) continue;
      const std::uint64_t address = requests[c].ar_address[m];
      unsigned& waiting = waiting_reads_[channel_of(address)];
      if (waiting == parameters_->read_queue) continue;
      ++waiting;
      responses[c].ar_ready[m] = true;
      Read read;
      read.id = next_id_++;
      read.address = address;
      read.arrival = clock_ + half_latency_;
      read.beats = requests[c].ar_len[m] + 1U;
      cores_[c].reads[m].push_back(read);
      read_turn_ = static_cast<unsigned>((c + 1) % cores_.size());
      return;
    }
  }
}

void Dram::accept_write(std::span<const abi::MemoryRequest> requests, std::span<abi::MemoryResponse> responses) {
  for (unsigned i = 0; i < cores_.size(); ++i) {
    const auto c = static_cast<unsigned>((write_turn_ + i) % cores_.size());
    if (!requests[c].aw_valid) continue;
    unsigned& waiting = waiting_writes_[channel_of(requests[c].aw_address)];
    if (waiting == parameters_->write_queue) continue;
    ++waiting;
    responses[c].aw_ready = true;
    cores_[c].writes.push_back({requests[c].aw_address, requests[c].aw_len + 1U, 0, 0, false});
    write_turn_ = static_cast<unsigned>((c + 1) % cores_.size());
    return;
  }
}

/// Room for the data was made when the address was accepted.
void Dram::take_data(Core& core, const abi::MemoryRequest& request, abi::MemoryResponse& response) {
  if (!core.writes.empty() && core.writes.front().queued && clock_ >= core.writes.front().answer) {
    response.b_valid = true;
    core.writes.pop_front();
  }
  if (!request.w_valid) return;
  for (Write& write : core.writes) {
    if (write.taken == write.beats) continue;
    ++write.taken;
    response.w_ready = true;
    return;
  }
}

void Dram::clock(std::span<const abi::MemoryRequest> requests, std::span<abi::MemoryResponse> responses) {
  for (abi::MemoryResponse& response : responses) response = {};
  started_ = started_ || any(requests);
  if (!started_) return;
  queue_bursts();
  run_channels(cycle_ * parameters_->clock_mhz / mhz_);
  ++cycle_;
  for (std::size_t c = 0; c < cores_.size(); ++c) {
    deliver(cores_[c], responses[c]);
    take_data(cores_[c], requests[c], responses[c]);
  }
  accept_read(requests, responses);
  accept_write(requests, responses);
}

}  // namespace espalier::dram
