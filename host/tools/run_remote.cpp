#include "run_remote.hpp"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <thread>

#include "esp_error.hpp"
#include "files.hpp"
#include "remote/client.hpp"
#include "remote/engine.hpp"
#include "run/contract.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

using plan::Nanoseconds;

constexpr double NanosecondsPerMillisecond = 1e6;
constexpr plan::BasisPoints LocalAccuracy = 0, RemoteAccuracy = 1;  // the server is asked where both are possible

Nanoseconds now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find_first_of("\r\n")); }

std::string pem(const std::string& path) { return path.empty() ? std::string() : read_text(path); }

remote::ClientSettings client_settings(const RemoteOptions& options) {
  remote::ClientSettings settings;
  settings.tls = {pem(options.certificate), pem(options.key), pem(options.authority)};
  if (!options.token_file.empty()) settings.token = first_line(read_text(options.token_file));
  return settings;
}

remote::RemoteRequest request_of(const RemoteOptions& options, const run::Executable& executable,
                                 const RunInput& input) {
  remote::RemoteRequest request;
  request.model = options.model;
  request.version = options.version;
  request.ports = executable.ports;
  request.inputs = input.values;
  return request;
}

Json optional_json(const std::optional<std::int64_t>& value) { return value ? Json(*value) : Json(nullptr); }

/// How one input was answered.
struct Served {
  bool remote = false;
  int exit = 0;
  std::optional<Nanoseconds> slack;
  std::vector<run::Output> outputs;
  std::optional<remote::Reply> reply;  // of the server, also one that came to nothing
};

/// One task at a time under the contract, in real time.
class Race {
 public:
  Race(remote::Client& client, remote::RemoteRequest request, run::Session& session, plan::DeadlineSettings settings)
      : client_(client), request_(std::move(request)), session_(session), contract_(std::move(settings), actions()) {}
  Race(const Race&) = delete;
  Race& operator=(const Race&) = delete;
  ~Race() { stop_local(); }

  Served run(const RunInput& input, Nanoseconds budget) {
    request_.inputs = input.values;
    served_ = {};
    ended_ = false;
    ++task_;
    const Nanoseconds start = now();
    contract_.handle({.kind = plan::EventKind::Arrive, .now = start, .task = task_, .deadline = start + budget});
    while (!ended_) {
      Happened happened = next();
      if (happened.task != task_) continue;
      if (happened.reply) served_.reply = std::move(happened.reply);
      if (!happened.outputs.empty()) local_outputs_ = std::move(happened.outputs);
      contract_.handle({.kind = happened.kind, .now = now(), .task = task_, .failure = happened.failure});
    }
    stop_local();
    if (refused_)
      throw Error(ErrorCode::Timeout, "no local exit fits before the deadline", input.name,
                  fmt::format("{} ns", budget), "give a later --deadline");
    return std::move(served_);
  }

 private:
  struct Happened {
    plan::EventKind kind = plan::EventKind::Timer;
    std::uint64_t task = 0;
    plan::RemoteFailure failure = plan::RemoteFailure::Unreachable;
    std::optional<remote::Reply> reply;
    std::vector<run::Output> outputs;
  };

  void post(Happened happened) {
    {
      const std::scoped_lock lock(mutex_);
      events_.push_back(std::move(happened));
    }
    changed_.notify_all();
  }

  Happened next() {
    std::unique_lock lock(mutex_);
    while (events_.empty()) {
      const Nanoseconds left = timer_ - now();
      if (left <= 0) {
        timer_ = plan::Impossible;
        return {.task = task_, .reply = {}, .outputs = {}};
      }
      changed_.wait_for(lock, std::chrono::nanoseconds(std::min<Nanoseconds>(left, 1'000'000'000)));
    }
    Happened happened = std::move(events_.front());
    events_.pop_front();
    return happened;
  }

  void send(const plan::Action& action) {
    request_.budget = action.when;
    ticket_ = client_.send(request_, [this, task = action.task](remote::Reply reply) {
      const bool failed = reply.failure.has_value();
      const plan::RemoteFailure failure = reply.failure.value_or(plan::RemoteFailure::Unreachable);
      post({failed ? plan::EventKind::RemoteFailed : plan::EventKind::RemoteAnswer,
            task,
            failure,
            std::move(reply),
            {}});
    });
  }

  void start_local(const plan::Action& action) {
    stop_local();
    stop_ = false;
    local_ = std::thread([this, task = action.task] {
      try {
        const std::optional<run::RunReport> report = session_.run(request_.inputs, [this] { return stop_.load(); });
        if (report) post({.kind = plan::EventKind::LocalDone, .task = task, .reply = {}, .outputs = report->outputs});
      } catch (const std::exception&) {
        post({.kind = plan::EventKind::LocalFailed, .task = task, .reply = {}, .outputs = {}});
      }
    });
  }

  void stop_local() {
    stop_ = true;
    if (local_.joinable()) local_.join();
  }

  void answer(const plan::Action& action) {
    served_.remote = action.place == plan::Place::Remote;
    served_.exit = action.exit;
    served_.slack = action.slack;
    served_.outputs = served_.remote ? served_.reply->outputs : std::move(local_outputs_);
    ended_ = true;
  }

  run::ContractActions actions() {
    return {.send_remote = [this](const plan::Action& action) { send(action); },
            .cancel_remote = [this](const plan::Action&) { client_.cancel(ticket_); },
            .start_local = [this](const plan::Action& action) { start_local(action); },
            .cancel_local = [this](const plan::Action&) { stop_local(); },
            .answer = [this](const plan::Action& action) { answer(action); },
            .refuse = [this](const plan::Action&) { refused_ = ended_ = true; },
            .set_timer = [this](const plan::Action& action) { timer_ = action.when; }};
  }

  remote::Client& client_;
  remote::RemoteRequest request_;
  run::Session& session_;
  run::Contract contract_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Happened> events_;
  std::thread local_;
  std::atomic<bool> stop_{false};
  Nanoseconds timer_ = plan::Impossible;
  std::uint64_t task_ = 0, ticket_ = 0;
  std::vector<run::Output> local_outputs_;
  Served served_;
  bool ended_ = false, refused_ = false;
};

plan::DeadlineSettings contract_settings(const RemoteOptions& options, const RemoteRun& run) {
  const double clock = machine_clock(options.clock, run.settings);
  const auto cycles = static_cast<double>(run.session->predicted().totals.predicted_cycles);
  plan::DeadlineSettings settings;
  const auto exit = static_cast<int>(run.executable.ports.outputs.size()) - 1;
  const auto bound = static_cast<Nanoseconds>(std::ceil(cycles * 1000.0 / clock * options.dilate));
  settings.local = {{exit, bound, LocalAccuracy}};
  settings.remote_exit = exit;
  settings.remote_accuracy = RemoteAccuracy;
  settings.reaction = 1'000'000;
  return settings;
}

std::vector<Served> under_deadline(const RemoteOptions& options, const RemoteRun& run, remote::Client& client,
                                   Nanoseconds deadline) {
  std::vector<Served> all;
  Race race(client, request_of(options, run.executable, run.inputs.front()), *run.session,
            contract_settings(options, run));
  for (const RunInput& input : run.inputs) all.push_back(race.run(input, deadline));
  return all;
}

std::vector<Served> on_server(const RemoteOptions& options, const RemoteRun& run, remote::Client& client) {
  std::vector<Served> all;
  for (const RunInput& input : run.inputs) {
    remote::Reply reply = client.infer(request_of(options, run.executable, input));
    if (reply.failure) throw remote::to_error(reply, options.address);
    Served served{true, static_cast<int>(run.executable.ports.outputs.size()) - 1, {}, reply.outputs, {}};
    served.reply = std::move(reply);
    all.push_back(std::move(served));
  }
  return all;
}

Json served_json(const Served& served, const std::string& name) {
  Json json{{"name", name}, {"from", served.remote ? "server" : "device"}, {"exit", served.exit}};
  json["slack_ns"] = optional_json(served.slack);
  if (!served.reply) return json;
  const remote::Reply& reply = *served.reply;
  if (reply.failure) {
    json["server_failure"] = plan::to_string(*reply.failure);
    return json;
  }
  json["version"] = reply.version;
  json["plan_id"] = reply.plan_id;
  json["bound_ns"] = optional_json(reply.bound_ns);
  json["executed_ns"] = optional_json(reply.executed_ns);
  json["waited_ns"] = optional_json(reply.waited_ns);
  json["predicted_cycles"] = optional_json(reply.predicted_cycles);
  json["measured_cycles"] = optional_json(reply.measured_cycles);
  return json;
}

void report(const std::vector<Served>& all, const RemoteRun& run, const RemoteOptions& options, Console& console) {
  Json json = document("run");
  json["model"] = run.executable.name;
  json["remote"] = options.address;
  json["outputs"] = Json::array();
  json["samples"] = Json::array();
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (const run::Output& output : all[i].outputs) {
      json["outputs"].push_back(output_json(output));
      json["outputs"].back()["sample"] = i;
    }
    json["samples"].push_back(served_json(all[i], run.inputs[i].name));
    text +=
        fmt::format("{}: exit {} from the {}", run.inputs[i].name, all[i].exit, all[i].remote ? "server" : "device");
    if (all[i].slack)
      text += fmt::format(", slack {:.3f} ms", static_cast<double>(*all[i].slack) / NanosecondsPerMillisecond);
    text += "\n";
  }
  console.report(json, text);
}

}  // namespace

std::int64_t parse_duration(const std::string& text, const std::string& option) {
  std::size_t used = 0;
  double number = -1;
  try {
    number = std::stod(text, &used);
  } catch (const std::exception&) {
    used = 0;
  }
  const std::string unit = used == 0 ? std::string() : text.substr(used);
  const double factor = unit == "s" ? 1e9 : unit == "ms" ? 1e6 : unit == "us" ? 1e3 : unit == "ns" ? 1 : 0;
  if (factor == 0 || !(number > 0 && number * factor <= 1e15))
    throw Error(ErrorCode::Usage, "not a duration", option, text, "write 5ms, 250us, 1.5s or 90000ns");
  return static_cast<std::int64_t>(number * factor);
}

void add_remote_options(CLI::App& command, RemoteOptions& options) {
  command.add_option("--remote", options.address, "HOST:PORT of a server of the Open Inference Protocol v2 over gRPC");
  command.add_option("--remote-model", options.model, "the model's name on the server; default: of the file");
  command.add_option("--remote-version", options.version, "its version; default: the one in service");
  command.add_option(
      "--deadline", options.deadline,
      "with --remote: an answer by then, 5ms say, from the server or, if that does not come, the device");
  command.add_option("--token-file", options.token_file, "file whose first line is the server's token");
  command.add_option("--tls-authority", options.authority, "PEM file: trust servers certified by it, speak TLS");
  command.add_option("--tls-certificate", options.certificate, "PEM file: this client's certificate");
  command.add_option("--tls-key", options.key, "PEM file: its key");
  command.add_option("--dilate", options.dilate, "factor on the device's modelled time, for devices simulated slowly")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void run_on_server(const RemoteOptions& options, const RemoteRun& run, Console& console) {
  RemoteOptions named = options;
  if (named.model.empty()) named.model = run.executable.name;
  remote::Client client(named.address, client_settings(named));
  console.progress("asking " + named.address);
  report(run.session == nullptr ? on_server(named, run, client)
                                : under_deadline(named, run, client, parse_duration(named.deadline, "--deadline")),
         run, named, console);
}

}  // namespace espalier::tools
