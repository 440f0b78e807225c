// A client of any server of the Open Inference Protocol, version 2, over gRPC.
//
//   Client client("127.0.0.1:8001", {});
//   Reply reply = client.infer({.model = "digits", .ports = client.ports("digits"), .inputs = values});
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "esp_error.hpp"
#include "plan/policy/deadline.hpp"
#include "remote/security.hpp"
#include "run/session.hpp"

namespace espalier::remote {

struct ClientSettings {
  Tls tls;
  std::string token;
  int most_message_bytes = 16 << 20;
};

struct RemoteRequest {
  std::string model, version;        // version empty: the one in service
  std::string plan_id;               // empty: any
  std::string network_id;            // empty: any
  std::string part;                  // layers, see run/part.hpp; empty: the whole model
  std::vector<std::size_t> outputs;  // indices of those that are wanted; none: all
  run::Ports ports;
  std::vector<std::vector<float>> inputs;
  std::optional<plan::Nanoseconds> budget;
  std::optional<std::int64_t> exit;
};

/// What came back: outputs, or why there are none.
struct Reply {
  std::optional<plan::RemoteFailure> failure;
  std::string text;  // of the failure
  std::vector<run::Output> outputs;
  std::string version, plan_id;
  std::optional<std::int64_t> bound_ns, executed_ns, waited_ns, predicted_cycles, measured_cycles, exit;
};

class Client {
 public:
  Client(const std::string& address, const ClientSettings& settings);
  /// Cancels what is under way and waits for its end.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Whether the server answers within `limit` that it is ready.
  bool ready(plan::Nanoseconds limit = 1'000'000'000);

  /// Inputs and outputs of a model. Throws Error (Device) if the server does not answer within `limit`, Error (Usage)
  /// for a model or token that it does not know.
  run::Ports ports(const std::string& model, plan::Nanoseconds limit = 5'000'000'000);

  /// Sends a request; `done` is called exactly once, from another thread. The ticket is for cancel().
  std::uint64_t send(const RemoteRequest& request, std::function<void(Reply)> done);
  void cancel(std::uint64_t ticket);

  /// send() and wait.
  Reply infer(const RemoteRequest& request);

  /// Requests under way.
  std::size_t pending() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// The error that a failed reply is.
Error to_error(const Reply& reply, const std::string& address);

}  // namespace espalier::remote
