// A port that answers GET requests for a few pages, for metrics and health.
//
//   HttpPort port("127.0.0.1", 0, [](const std::string& path) { return Page{200, "ok\n"}; });
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <thread>

namespace espalier::remote {

struct Page {
  int status = 200;
  std::string body;
};

/// One connection at a time, one request each; a request line longer than 4 KiB, or one that takes longer than a
/// second, is dropped.
class HttpPort {
 public:
  /// `port` 0: chosen by the system. Throws Error (Usage) if the address cannot be bound.
  HttpPort(const std::string& address, std::uint16_t port, std::function<Page(const std::string& path)> page);
  ~HttpPort();
  HttpPort(const HttpPort&) = delete;
  HttpPort& operator=(const HttpPort&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  void serve();
  void answer(int connection) const;

  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::function<Page(const std::string&)> page_;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace espalier::remote
