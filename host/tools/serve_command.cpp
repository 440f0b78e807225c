#include <fmt/format.h>
#include <pthread.h>

#include <csignal>
#include <filesystem>
#include <map>
#include <memory>

#include "backends.hpp"
#include "commands.hpp"
#include "esp_error.hpp"
#include "files.hpp"
#include "model_loader.hpp"
#include "plan_document.hpp"
#include "remote/server.hpp"
#include "run/part.hpp"
#include "run/placed_parts.hpp"
#include "run/session.hpp"

namespace espalier::tools {
namespace {

struct ServeOptions {
  std::vector<std::string> models;  // NAME=FILE or FILE
  ModelOptions model;               // how they are compiled; without a path
  std::string device = "functional";
  unsigned workers = 1;
  std::string address = "127.0.0.1";
  std::uint16_t port = 8001;
  std::optional<std::uint16_t> metrics_port;
  std::string token_file, certificate, key, authority;
  bool insecure = false;
  bool allow_load = false;
  std::size_t queue = 64;
  int most_megabytes = 16;
  double grace = 10;  // seconds
  std::optional<double> clock;
  std::optional<double> pace;
  std::string plan, plan_device;
  std::vector<std::string> choices;  // NAME=MODEL:ACCURACY,MODEL:ACCURACY
  double cache_megabytes = 0;
  plan::KeySettings cache_key;
};

/// Name on the wire and file of every model.
std::map<std::string, std::string> named_files(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> files;
  for (const std::string& text : texts) {
    const std::size_t equal = text.find('=');
    const bool named = equal != std::string::npos && equal != 0;
    const std::string file = named ? text.substr(equal + 1) : text;
    const std::string name = named ? text.substr(0, equal) : std::filesystem::path(file).stem().string();
    if (!files.emplace(name, file).second)
      throw Error(ErrorCode::Usage, "two models have one name", "MODEL", name, "write NAME=FILE");
  }
  return files;
}

/// A model with what its parts are made of.
struct Served {
  run::Executable executable;
  remote::Divisible divisible;
};

/// Loads the file of a model, compiled for `array` if one is given.
Served served_of(const ServeOptions& options, const std::string& file, const std::optional<abi::Configuration>& array,
                 Console& console) {
  ModelOptions model = options.model;
  model.path = file;
  if (array) model.array = array_text(*array);
  LoadedModel loaded = load_model(model, {}, console);
  Served served{std::move(loaded.executable), {}};
  if (!loaded.network) return served;
  const CompileSettings settings = parse_compile_settings(model);
  const PlanDocument paced = options.plan.empty() ? PlanDocument{} : read_plan(options.plan);
  const std::optional<int> device =
      options.plan.empty() ? std::nullopt : std::optional(paced.device(options.plan_device));
  const auto network = std::make_shared<const model::Network>(std::move(*loaded.network));
  served.divisible.network_id = run::network_id(*network);
  served.divisible.make = [network, settings, paced, device, name = served.executable.name,
                           ports = served.executable.ports,
                           array = served.executable.compiled.configuration](const std::string& text) {
    const run::Part part =
        run::make_part(*network, ports, run::parse_part(text, network->layers.size()), run::PartEdge::Features);
    remote::MadePart made{{name, compile::compile(part.network, array, compile_options(settings)), part.ports}, {}};
    if (device) made.bound = run::part_time(paced.problem, paced.plan, *device, part.layers);
    return made;
  };
  return served;
}

/// "NAME=MODEL:0.95,MODEL:0.99" to the models with their accuracies.
std::pair<std::string, std::vector<remote::Choice>> parse_choice(const std::string& text) {
  const auto refuse = [&] {
    throw Error(ErrorCode::Usage, "not a choice of models", "--choice", text, "write NAME=MODEL:0.95,MODEL:0.99");
  };
  const std::size_t equal = text.find('=');
  if (equal == std::string::npos || equal == 0) refuse();
  std::vector<remote::Choice> choices;
  for (std::size_t begin = equal + 1; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size()), colon = text.find(':', begin);
    if (colon == std::string::npos || colon > end) refuse();
    const double accuracy = parse_numbers(text.substr(colon + 1, end - colon - 1), "--choice").front();
    if (!(accuracy >= 0 && accuracy <= 1)) refuse();
    choices.push_back({text.substr(begin, colon - begin),
                       static_cast<plan::BasisPoints>(accuracy * static_cast<double>(plan::Whole))});
    begin = end + 1;
  }
  if (choices.empty()) refuse();
  return {text.substr(0, equal), std::move(choices)};
}

std::vector<std::unique_ptr<driver::Bus>> open_workers(const ServeOptions& options, const CompileSettings& settings,
                                                       const abi::Configuration& array) {
  const DeviceChoice choice = parse_device(options.device);
  if (options.workers > 1 && choice.kind == DeviceKind::Xrt)
    throw Error(ErrorCode::Usage, "a card is one worker", "--workers", std::to_string(options.workers),
                "start a server per card");
  BackendOptions backend;
  backend.device = choice;
  backend.configuration = array;
  set_memory(backend, settings);
  std::vector<std::unique_ptr<driver::Bus>> buses;
  for (unsigned i = 0; i < options.workers; ++i) buses.push_back(open_bus(backend));
  return buses;
}

remote::ServerSettings server_settings(const ServeOptions& options) {
  remote::ServerSettings settings;
  settings.address = options.address;
  settings.port = options.port;
  settings.metrics_port = options.metrics_port;
  settings.version = ESPALIER_VERSION;
  settings.most_message_bytes = options.most_megabytes << 20;
  if (!options.certificate.empty()) settings.tls.certificate = read_text(options.certificate);
  if (!options.key.empty()) settings.tls.key = read_text(options.key);
  if (!options.authority.empty()) settings.tls.authority = read_text(options.authority);
  if (settings.tls.certificate.empty() != settings.tls.key.empty() ||
      (settings.tls.certificate.empty() && !settings.tls.authority.empty()))
    throw Error(ErrorCode::Usage, "TLS needs a certificate and its key", "--tls-certificate", options.certificate,
                "give --tls-certificate and --tls-key");
  if (!remote::is_loopback(options.address) && !settings.tls.used() && !options.insecure)
    throw Error(ErrorCode::Usage, "an address that others reach needs TLS", "--address", options.address,
                "give --tls-certificate and --tls-key, or --insecure where the network is trusted");
  if (!options.token_file.empty()) {
    const std::string text = read_text(options.token_file);
    settings.token = text.substr(0, text.find_first_of("\r\n"));
    if (settings.token.empty())
      throw Error(ErrorCode::Usage, "the token is empty", "--token-file", options.token_file, "write it on line 1");
  }
  return settings;
}

sigset_t ending_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

void announce(const ServeOptions& options, const remote::Engine& engine, const remote::Server& server,
              Console& console) {
  Json json = document("serve");
  json["address"] = options.address;
  json["port"] = server.port();
  json["metrics_port"] = server.metrics_port() ? Json(*server.metrics_port()) : Json(nullptr);
  json["models"] = Json::array();
  std::string text = fmt::format("listening on {}:{}\n", options.address, server.port());
  if (server.metrics_port())
    text += fmt::format("metrics on http://{}:{}/metrics\n", options.address, *server.metrics_port());
  for (const std::string& name : engine.models()) {
    const remote::VersionPtr version = engine.find(name, {});
    json["models"].push_back({{"name", name},
                              {"version", version->version},
                              {"plan_id", version->plan_id},
                              {"predicted_cycles", version->cycles},
                              {"bound_ns", version->bound}});
    text += fmt::format("model {} version {} plan {}: {} cycles, {:.6f} ms\n", name, version->version, version->plan_id,
                        version->cycles, static_cast<double>(version->bound) / 1e6);
  }
  console.report(json, text);
}

/// Until SIGTERM or SIGINT; SIGHUP reads the files of all models again.
void serve_until_signal(const sigset_t& signals, const std::map<std::string, std::string>& files,
                        const std::function<void(const std::string&)>& reload, Console& console) {
  int signal = 0;
  while (sigwait(&signals, &signal) == 0 && signal == SIGHUP) {
    for (const auto& [name, file] : files) {
      try {
        reload(name);
      } catch (const Error& error) {
        console.progress(fmt::format("{} stays as it is: {}", name, error.what()));
      }
    }
  }
}

void execute(const ServeOptions& options, Console& console) {
  const sigset_t signals = ending_signals();
  // Every thread made later inherits the mask, so that only sigwait() takes them.
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const CompileSettings settings = parse_compile_settings(options.model);
  const std::map<std::string, std::string> files = named_files(options.models);
  remote::ServerSettings server_options = server_settings(options);

  std::map<std::string, Served> served;
  std::optional<abi::Configuration> array = settings.array;
  for (const auto& [name, file] : files) {
    served[name] = served_of(options, file, array, console);
    array = served[name].executable.compiled.configuration;
  }
  remote::EngineSettings engine_settings;
  engine_settings.device = options.device;
  engine_settings.memory = settings.memory;
  engine_settings.capacity = options.queue;
  engine_settings.clock_mhz = machine_clock(options.clock, settings);
  engine_settings.paced = options.pace.has_value();
  engine_settings.dilation = options.pace.value_or(1);
  engine_settings.cache_bytes = static_cast<std::size_t>(options.cache_megabytes * 1e6);
  engine_settings.cache_key = options.cache_key;
  remote::Engine engine(open_workers(options, settings, *array), engine_settings);
  for (auto& [name, one] : served) engine.load(name, std::move(one.executable), std::move(one.divisible));

  for (const std::string& text : options.choices) {
    auto [name, choices] = parse_choice(text);
    engine.offer(name, std::move(choices));
  }

  const auto reload = [&](const std::string& name) {
    Served again = served_of(options, files.at(name), array, console);
    const remote::VersionPtr version = engine.load(name, std::move(again.executable), std::move(again.divisible));
    console.progress(fmt::format("{} version {} is in service", name, version->version));
  };
  if (options.allow_load) server_options.reload = reload;
  remote::Server server(engine, std::move(server_options));
  announce(options, engine, server, console);
  serve_until_signal(signals, files, reload, console);
  console.progress("ending: what waits is still answered");
  const bool clean = server.stop(std::chrono::milliseconds(static_cast<std::int64_t>(options.grace * 1000)));
  console.progress(clean ? "ended" : "ended; requests that took longer than the grace were given up");
}

void add_protection(CLI::App& command, ServeOptions& options) {
  command.add_option("--token-file", options.token_file, "file whose first line every caller must present");
  command.add_option("--tls-certificate", options.certificate, "PEM file: the server's certificate; speak TLS only");
  command.add_option("--tls-key", options.key, "PEM file: its key");
  command.add_option("--tls-authority", options.authority, "PEM file: demand a certificate by it of every client");
  command.add_flag("--insecure", options.insecure, "allow an address that others reach without TLS");
  command.add_flag("--allow-load", options.allow_load,
                   "callers may have a model's file read again, or go back to the version before");
  command.add_option("--queue", options.queue, "requests that may wait; more are refused")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  command.add_option("--most-megabytes", options.most_megabytes, "of a request")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command.add_option("--grace", options.grace, "seconds that requests may still take after SIGTERM")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
}

}  // namespace

void add_serve(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("serve", "serve networks over the Open Inference Protocol v2 (gRPC)");
  const auto options = std::make_shared<ServeOptions>();
  command->add_option("MODEL", options->models, "NAME=FILE or FILE: .esp, .onnx or .tflite; several share the device")
      ->required();
  command->add_option("--calibrate", options->model.quantisation.calibrate,
                      "files of samples whose value ranges quantise a float network");
  add_import_options(*command, options->model.import_texts);
  add_array_options(*command, options->model);
  command->add_option("-d,--device", options->device, "functional, rtl, soc, soc-rtl, xrt or xrt:N")
      ->capture_default_str();
  command->add_option("--workers", options->workers, "simulated devices that work at the same time")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  command->add_option("--address", options->address, "to listen on")->capture_default_str();
  command->add_option("--port", options->port, "to listen on; 0: chosen by the system")->capture_default_str();
  command->add_option("--metrics-port", options->metrics_port,
                      "HTTP: /metrics for Prometheus, /v2/health/live, /v2/health/ready; 0: chosen by the system");
  add_protection(*command, *options);
  command->add_option("--clock", options->clock,
                      "MHz of the device, for its time bound; default of the memory, or 300");
  command
      ->add_option("--pace", options->pace,
                   "answer no sooner than the device's modelled time multiplied by this: a simulation in the place "
                   "of a card")
      ->check(CLI::PositiveNumber);
  CLI::Option* plan = command->add_option(
      "--plan", options->plan,
      "a document of espalier plan: parts take the time that it says for --plan-device, instead of this device's");
  command->add_option("--plan-device", options->plan_device, "a device of the plan, by name")->needs(plan);
  command->add_option(
      "--choice", options->choices,
      "NAME=MODEL:ACCURACY,MODEL:ACCURACY: requests for NAME get the most accurate of these models whose "
      "bound meets their deadline");
  command->add_option("--cache-megabytes", options->cache_megabytes, "of answers kept for similar requests; 0: none")
      ->check(CLI::Range(0.0, 65536.0))
      ->capture_default_str();
  command
      ->add_option("--cache-step", options->cache_key.step,
                   "requests are similar if the means of their stretches round to the same multiples of this; 0: equal")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--cache-cells", options->cache_key.cells, "stretches of an input")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier serve digits.esp --port 8001 --metrics-port 8002\n"
      "  espalier serve small=a.onnx large=b.onnx --array 16x16 --address 0.0.0.0 --tls-certificate c.pem --tls-key "
      "k.pem --token-file token\n\n"
      "SIGTERM ends gracefully; SIGHUP reads the files again and puts them into service as new versions.");
  command->callback([options, &console] { execute(*options, console); });
}

}  // namespace espalier::tools
