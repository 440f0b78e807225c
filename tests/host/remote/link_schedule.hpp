// A link over time: when bytes that are sent now arrive. Pure but for its own random numbers; no clock.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::test {

/// Until a moment, counted from the start; the last phase holds for ever. Rate 0: cut.
struct LinkPhase {
  std::int64_t until = 0;  // ns
  std::int64_t bytes_per_second = 0;
  std::int64_t delay = 0;  // ns, one way
  double loss = 0;         // probability that a burst of losses begins with a packet
};

/// "until_ms:bytes_per_second:delay_ms:loss", e.g. "2000:125000:10:0.01". Throws std::invalid_argument.
LinkPhase parse_phase(const std::string& text);

/// One direction. Bytes leave in order, as fast as the integral of the rate allows; a lost packet is sent again after a
/// time-out, and what is behind it waits, as in a TCP stream. Packets are stretches of the stream of bytes, so that the
/// same ones are lost in whatever pieces the bytes come.
class LinkSchedule {
 public:
  static constexpr std::int64_t Never = INT64_MAX / 4;
  static constexpr std::int64_t Packet = 1500;
  static constexpr std::int64_t Retry = 200'000'000;  // ns, the least retransmission time-out of Linux
  static constexpr double StayBad = 0.5;              // that the next packet of a burst is lost, too

  LinkSchedule(std::vector<LinkPhase> phases, std::uint64_t seed) : phases_(std::move(phases)), seed_(seed) {}

  /// Sends bytes; returns when the last of them arrives, or Never.
  std::int64_t send(std::int64_t now, std::int64_t bytes);

  /// As if nothing had been sent: moments are counted from the start again, and the same packets are lost.
  void restart();

 private:
  const LinkPhase& phase(std::int64_t at) const;
  std::int64_t transmitted(std::int64_t start, std::int64_t bytes) const;
  bool lost(double probability, int attempt);

  std::vector<LinkPhase> phases_;
  std::uint64_t seed_;
  std::int64_t sent_ = 0;  // bytes
  std::int64_t free_ = 0, arrived_ = 0;
};

}  // namespace espalier::test
