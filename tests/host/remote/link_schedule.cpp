#include "link_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace espalier::test {
namespace {

constexpr double Second = 1e9;

}  // namespace

LinkPhase parse_phase(const std::string& text) {
  double until = 0, rate = 0, delay = 0, loss = 0;
  int used = 0;
  const int found = std::sscanf(text.c_str(), "%lf:%lf:%lf:%lf%n", &until, &rate, &delay, &loss, &used);
  if (found != 4 || static_cast<std::size_t>(used) != text.size() || until < 0 || rate < 0 || delay < 0 || loss < 0 ||
      loss > 1)
    throw std::invalid_argument("not a phase: " + text);
  return {static_cast<std::int64_t>(until * 1e6), static_cast<std::int64_t>(rate),
          static_cast<std::int64_t>(delay * 1e6), loss};
}

const LinkPhase& LinkSchedule::phase(std::int64_t at) const {
  for (const LinkPhase& phase : phases_)
    if (at < phase.until) return phase;
  return phases_.back();
}

/// The moment at which the integral of the rate from `start` on reaches `bytes`.
std::int64_t LinkSchedule::transmitted(std::int64_t start, std::int64_t bytes) const {
  auto left = static_cast<double>(bytes);
  std::int64_t at = start;
  for (std::size_t i = 0; i < phases_.size(); ++i) {
    const bool last = i + 1 == phases_.size();
    if (!last && at >= phases_[i].until) continue;
    const double rate = static_cast<double>(phases_[i].bytes_per_second) / Second;
    const double room = last ? INFINITY : static_cast<double>(phases_[i].until - at) * rate;
    if (rate > 0 && left <= room) return at + static_cast<std::int64_t>(std::ceil(left / rate));
    if (last) break;
    left -= room;
    at = phases_[i].until;
  }
  return Never;
}

/// Losses come in bursts: two states, as in Gilbert's model (1960).
bool LinkSchedule::lost(double probability) {
  const double draw = static_cast<double>(random_() >> 11) * 0x1p-53;
  bad_ = draw < (bad_ ? StayBad : probability);
  return bad_;
}

std::int64_t LinkSchedule::send(std::int64_t now, std::int64_t bytes) {
  for (std::int64_t sent = 0; sent < bytes; sent += Packet) {
    const std::int64_t size = std::min(Packet, bytes - sent);
    free_ = transmitted(std::max(now, free_), size);
    if (free_ >= Never) return arrived_ = Never;
    std::int64_t end = free_;
    bad_ = false;
    while (lost(phase(end).loss)) end = transmitted(end + Retry, size);
    arrived_ = std::max(arrived_, end >= Never ? Never : end + phase(end).delay);
  }
  return arrived_;
}

}  // namespace espalier::test
