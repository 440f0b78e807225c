// One task at a time between a server and the device here, in real time, as the deadline contract decides.
//
//   Race race(client, session, settings);
//   Served served = race.run({request, values, "frame 7"}, deadline);
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "remote/client.hpp"
#include "run/contract.hpp"
#include "run/session.hpp"
#include "run_remote.hpp"

namespace espalier::tools {

/// TLS and token of the options of a run.
remote::ClientSettings client_settings(const RemoteOptions& options);

/// Now, on the steady clock.
plan::Nanoseconds steady_now();

/// How one input was answered.
struct Served {
  bool remote = false;
  int exit = 0;
  std::optional<plan::Nanoseconds> slack;
  std::vector<run::Output> outputs;
  std::optional<remote::Reply> reply;  // of the server, also one that came to nothing
};

/// What is asked: of the server by `request`, of the device with values of its own.
struct RaceTask {
  remote::RemoteRequest request;
  std::vector<std::vector<float>> local_inputs;
  std::string name;  // in errors
};

class Race {
 public:
  /// Client and session must outlive the race; nobody else uses the session while run() works.
  Race(remote::Client& client, run::Session& session, plan::DeadlineSettings settings);
  ~Race();
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;

  /// `deadline` is on the clock of steady_now(). Throws Error (Timeout) if no local exit fits before it, Error (Device)
  /// if the device fails and the server does not answer.
  Served run(const RaceTask& task, plan::Nanoseconds deadline);

 private:
  struct Happened {
    plan::EventKind kind = plan::EventKind::Timer;
    std::uint64_t task = 0;
    plan::RemoteFailure failure = plan::RemoteFailure::Unreachable;
    std::optional<remote::Reply> reply;
    std::vector<run::Output> outputs;
  };

  void post(Happened happened);
  Happened next();
  void send(const plan::Action& action);
  void start_local(const plan::Action& action);
  void stop_local();
  void answer(const plan::Action& action);
  run::ContractActions actions();

  remote::Client* client_;
  run::Session* session_;
  run::Contract contract_;
  RaceTask asked_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Happened> events_;
  std::thread local_;
  std::atomic<bool> stop_{false};
  plan::Nanoseconds timer_ = plan::Impossible;
  std::uint64_t task_ = 0, ticket_ = 0;
  std::size_t under_way_ = 0;  // requests that have not ended
  std::vector<run::Output> local_outputs_;
  Served served_;
  bool ended_ = false;
  std::optional<plan::RefuseReason> refused_;
};

}  // namespace espalier::tools
