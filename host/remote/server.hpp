// A server of the Open Inference Protocol, version 2, over gRPC.
//
//   Server server(engine, {.address = "127.0.0.1", .port = 0});
//   ... server.port() ...
//   server.stop(std::chrono::seconds(5));
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "remote/engine.hpp"
#include "remote/security.hpp"

namespace espalier::remote {

struct ServerSettings {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;                     // 0: chosen by the system
  std::optional<std::uint16_t> metrics_port;  // HTTP on the same address: /metrics, /v2/health/live, /v2/health/ready
  std::string version;                        // of the program
  std::string token;
  Tls tls;
  int most_message_bytes = 16 << 20;
  int most_calls_per_connection = 256;
  std::size_t most_memory_bytes = std::size_t{512} << 20;  // of gRPC, for all connections
  std::function<void(const std::string& model)> reload;    // see ServiceSettings
};

class Server {
 public:
  /// The engine must outlive the server. Throws Error (Usage) if an address cannot be bound.
  Server(Engine& engine, ServerSettings settings);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  std::uint16_t port() const;
  std::optional<std::uint16_t> metrics_port() const;

  /// Graceful: refuses what comes, answers what waits, at most for `grace`. True if everything was answered.
  bool stop(std::chrono::milliseconds grace);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace espalier::remote
