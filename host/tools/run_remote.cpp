#include "run_remote.hpp"

#include <fmt/format.h>

#include <cmath>

#include "esp_error.hpp"
#include "files.hpp"
#include "race.hpp"
#include "remote/client.hpp"

namespace espalier::tools {
namespace {

using plan::Nanoseconds;

constexpr double NanosecondsPerMillisecond = 1e6;
constexpr plan::BasisPoints LocalAccuracy = 0, RemoteAccuracy = 1;  // the server is asked where both are possible

std::string first_line(const std::string& text) { return text.substr(0, text.find_first_of("\r\n")); }

std::string pem(const std::string& path) { return path.empty() ? std::string() : read_text(path); }

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
  Race race(client, *run.session, contract_settings(options, run));
  for (const RunInput& input : run.inputs)
    all.push_back(
        race.run({request_of(options, run.executable, input), input.values, input.name}, steady_now() + deadline));
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

remote::ClientSettings client_settings(const RemoteOptions& options) {
  remote::ClientSettings settings;
  settings.tls = {pem(options.certificate), pem(options.key), pem(options.authority)};
  if (!options.token_file.empty()) settings.token = first_line(read_text(options.token_file));
  return settings;
}

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
  command.add_option("--remote", options.address,
                     "HOST:PORT of a server of the Open Inference Protocol v2 over gRPC; with --plan also "
                     "DEVICE=HOST:PORT,DEVICE=HOST:PORT");
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
