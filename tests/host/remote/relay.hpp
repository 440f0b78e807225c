// A TCP relay between loopback ports with the behaviour of a link: user space, no privileges.
//
//   Relay relay(server.port(), up, down);     // connect to relay.port() instead of the server's
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <thread>

#include "link_schedule.hpp"

namespace espalier::test {

class Relay {
 public:
  /// Both directions start their phases now; all connections share them. Throws std::runtime_error if no port is free.
  Relay(std::uint16_t target, LinkSchedule up, LinkSchedule down);
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  std::uint16_t port() const { return port_; }

  /// Both directions start their phases again, now; nothing may be under way. Returns when they have.
  void restart();

 private:
  struct Piece {
    std::int64_t due = 0;
    std::string bytes;
  };
  struct Way {
    int from = -1, to = -1;
    LinkSchedule* link = nullptr;
    std::deque<Piece> pieces;
    bool ended = false;  // nothing more comes from `from`
  };
  struct Connection {
    Way up, down;
    bool broken = false;
  };

  std::int64_t now() const;
  void serve();
  void accept_one();
  void read(Connection& connection, Way& way) const;
  void write_due(Connection& connection, Way& way) const;

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::uint16_t target_, port_ = 0;
  LinkSchedule up_, down_;
  int socket_ = -1;
  std::list<Connection> connections_;
  std::atomic<bool> stopping_{false}, restarting_{false};
  std::thread thread_;
};

}  // namespace espalier::test
