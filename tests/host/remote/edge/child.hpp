// `espalier serve` as a child process that ends with this object.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::test {

class ServeProcess {
 public:
  /// Starts PROGRAM... serve with arguments and --json, and waits until it listens. `program` may begin with a command
  /// that runs another, such as ip netns exec. Throws std::runtime_error if it ends before.
  ServeProcess(const std::vector<std::string>& program, const std::vector<std::string>& arguments);
  ~ServeProcess();
  ServeProcess(const ServeProcess&) = delete;
  ServeProcess& operator=(const ServeProcess&) = delete;

  std::uint16_t port() const { return port_; }

 private:
  pid_t process_ = -1;
  std::uint16_t port_ = 0;
};

}  // namespace espalier::test
