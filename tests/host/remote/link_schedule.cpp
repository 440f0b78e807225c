#include "link_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>

namespace espalier::test {
namespace {

constexpr double Second = 1e9;
constexpr int MostAttempts = 64;

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

/// Losses come in bursts: two states, as in Gilbert's model (1960). One draw per packet and attempt, by splitmix64.
bool LinkSchedule::lost(double probability, int attempt) {
  std::uint64_t mixed = seed_ * 0x9e3779b97f4a7c15 + static_cast<std::uint64_t>(sent_ / Packet) * 64 +
                        static_cast<std::uint64_t>(attempt);
  mixed = (mixed + 0x9e3779b97f4a7c15) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  mixed ^= mixed >> 31;
  const double draw = static_cast<double>(mixed >> 11) * 0x1p-53;
  return draw < (attempt > 0 ? StayBad : probability);
}

std::int64_t LinkSchedule::send(std::int64_t now, std::int64_t bytes) {
  for (std::int64_t left = bytes; left > 0;) {
    const bool begins = sent_ % Packet == 0;
    const std::int64_t size = std::min(Packet - sent_ % Packet, left);
    free_ = transmitted(std::max(now, free_), size);
    if (free_ >= Never) return arrived_ = Never;
    std::int64_t end = free_;
    for (int attempt = 0; begins && attempt < MostAttempts && end < Never && lost(phase(end).loss, attempt); ++attempt)
      end = transmitted(end + Retry, size);
    arrived_ = std::max(arrived_, end >= Never ? Never : end + phase(end).delay);
    sent_ += size;
    left -= size;
  }
  return arrived_;
}

void LinkSchedule::restart() { sent_ = free_ = arrived_ = 0; }

}  // namespace espalier::test
