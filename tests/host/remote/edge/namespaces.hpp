// A server behind a wire between two network namespaces, with rates kept by the kernel's token bucket filter.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::test {

class Namespaces {
 public:
  static constexpr const char* ServerAddress = "10.203.7.2";
  static constexpr std::int64_t BurstBytes = 2896;  // of payload that passes at once: two full frames

  /// Why there can be none here; empty: there can.
  static std::string refusal();

  /// Rates are of the payload of TCP, in bytes per second. Throws std::runtime_error if the system refuses.
  Namespaces(std::int64_t up, std::int64_t down);
  ~Namespaces();
  Namespaces(const Namespaces&) = delete;
  Namespaces& operator=(const Namespaces&) = delete;

  /// A command that runs on the server's side.
  std::vector<std::string> inside(const std::vector<std::string>& command) const;
};

}  // namespace espalier::test
