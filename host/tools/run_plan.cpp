#include "run_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "esp_error.hpp"
#include "files.hpp"
#include "plan/cost/evaluate.hpp"
#include "plan/policy/reserve.hpp"
#include "plan_document.hpp"
#include "race.hpp"
#include "remote/part_client.hpp"
#include "run/part_runners.hpp"
#include "run/placed_parts.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

using plan::Nanoseconds;

constexpr double NanosecondsPerMillisecond = 1e6;
constexpr Nanoseconds Reaction = 1'000'000;

double milliseconds(std::int64_t value) { return static_cast<double>(value) / NanosecondsPerMillisecond; }

/// The machines of a plan that its parts use, by the index of the problem's device.
struct Machines {
  std::unique_ptr<driver::Bus> bus;
  std::unique_ptr<driver::Device> device;
  std::map<std::size_t, std::unique_ptr<remote::Client>> clients;
  std::map<std::size_t, remote::RemoteModel> models;
  std::vector<std::unique_ptr<run::PartRunner>> runners;  // null: not used
};

/// "HOST:PORT" for the only remote device, or "NAME=HOST:PORT,NAME=HOST:PORT".
std::map<std::size_t, std::string> addresses(const std::string& text, const PlanDocument& document) {
  std::map<std::size_t, std::string> result;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t equal = part.find('=');
    if (equal != std::string::npos) {
      result[static_cast<std::size_t>(document.device(part.substr(0, equal)))] = part.substr(equal + 1);
      continue;
    }
    for (std::size_t i = 0; i < document.problem.devices.size(); ++i)
      if (document.problem.devices[i].kind == plan::DeviceKind::Remote && !result.contains(i)) {
        result[i] = part;
        break;
      }
  }
  return result;
}

void open_device(const PlanRun& run, Machines& machines, Console& console) {
  if (machines.device != nullptr) return;
  console.progress("opening " + run.device.device);
  machines.bus = run.open();
  machines.device = std::make_unique<driver::Device>(*machines.bus);
}

abi::Configuration array_of(const CompileSettings& settings) { return settings.array.value_or(abi::Array16x16); }

Machines open_machines(const PlanDocument& document, const std::vector<run::PlacedPart>& parts,
                       const PlanRunOptions& options, const RemoteOptions& remote, const PlanRun& run,
                       Console& console) {
  Machines machines;
  const std::map<std::size_t, std::string> servers = addresses(remote.address, document);
  machines.runners.resize(document.problem.devices.size());
  for (const run::PlacedPart& part : parts) {
    if (machines.runners[part.runner] != nullptr) continue;
    const plan::Device& device = document.problem.devices[part.runner];
    std::unique_ptr<run::PartRunner>& runner = machines.runners[part.runner];
    if (device.kind == plan::DeviceKind::Accelerator) {
      open_device(run, machines, console);
      runner = std::make_unique<run::AcceleratorRunner>(*machines.device, array_of(run.settings),
                                                        compile_options(run.settings), run.device);
    } else if (device.kind == plan::DeviceKind::Cpu) {
      runner = std::make_unique<run::HostRunner>();
    } else {
      if (!servers.contains(part.runner))
        throw Error(ErrorCode::Usage, "the plan uses a server without an address", device.name, remote.address,
                    "add --remote " + device.name + "=HOST:PORT");
      machines.models[part.runner] = {servers.at(part.runner),
                                      remote.model.empty() ? run.model.network.name : remote.model, remote.version,
                                      run::network_id(run.model.network)};
      machines.clients[part.runner] =
          std::make_unique<remote::Client>(servers.at(part.runner), client_settings(remote));
      runner = std::make_unique<remote::RemoteRunner>(*machines.clients[part.runner], machines.models[part.runner],
                                                      options.in_flight);
    }
  }
  return machines;
}

/// How a frame was answered.
struct Answered {
  std::vector<run::Feature> outputs;
  std::vector<run::PartTime> parts;
  std::vector<bool> planned;  // per part; false: not run, the device alone has answered
  Nanoseconds latency = 0;
  std::optional<Nanoseconds> slack;
  std::optional<plan::RemoteFailure> failure;  // of a server, the last one
};

std::vector<Answered> overlapped(run::SharedSession& session, const std::vector<std::vector<run::Feature>>& frames) {
  std::vector<Answered> all;
  for (run::SharedFrame& frame : session.run(frames)) {
    Answered answered;
    answered.outputs = std::move(frame.outputs);
    answered.planned.assign(frame.parts.size(), true);
    answered.parts = std::move(frame.parts);
    answered.latency = frame.end - frame.start;
    all.push_back(std::move(answered));
  }
  return all;
}

/// One frame at a time: at every part the rest is held in reserve as one program on the device.
class Reserved {
 public:
  Reserved(const PlanRun& run, const RemoteOptions& remote, Machines& machines,
           const std::vector<run::PlacedPart>& parts, const plan::Problem& problem)
      : run_(run), machines_(machines), network_(run.model.network) {
    nanoseconds_per_cycle_ = 1000.0 / machine_clock(remote.clock, run.settings) * remote.dilate;
    for (std::size_t p = 0; p < parts.size(); ++p) add_stage(parts, p, problem.devices[parts[p].runner]);
    for (std::size_t p = 0; p < parts.size(); ++p)
      if (stages_[p].own == nullptr) add_race(p, *machines.clients.at(parts[p].runner));
  }

  Answered answer(const std::vector<run::Feature>& inputs, const std::string& name, Nanoseconds budget) {
    const Nanoseconds start = steady_now();
    std::vector<run::Feature> features(network_.features.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) features[at(network_.inputs[i])] = inputs[i];
    Answered answered;
    answered.planned.assign(stages_.size(), false);
    answered.parts.resize(stages_.size());
    bool goes_on = true;
    for (std::size_t p = 0; p < stages_.size() && goes_on; ++p) {
      const Nanoseconds begin = steady_now();
      goes_on = stages_[p].race ? compete(p, features, {name, start + budget}, answered)
                                : compute(p, features, {name, start + budget});
      answered.parts[p] = {begin - start, steady_now() - start};
      answered.planned[p] = goes_on;
    }
    for (const int output : network_.outputs) answered.outputs.push_back(features[at(output)]);
    answered.latency = steady_now() - start;
    answered.slack = budget - answered.latency;
    return answered;
  }

 private:
  struct Stage {
    run::WantedPart part;
    std::unique_ptr<run::PartProgram> own;  // of a part of the device
    std::unique_ptr<Race> race;             // of a part of a server
    remote::RemoteRequest request;
    run::Part rest;  // this part and all behind it
    std::unique_ptr<run::PartProgram> all_rest;
  };
  struct Due {
    const std::string& name;
    Nanoseconds deadline = 0;
  };

  static std::size_t at(int index) { return static_cast<std::size_t>(index); }

  std::unique_ptr<run::PartProgram> program(const run::Part& part) const {
    run::Executable made{network_.name,
                         compile::compile(part.network, array_of(run_.settings), compile_options(run_.settings)),
                         part.ports};
    return std::make_unique<run::PartProgram>(*machines_.device, std::move(made), run_.device);
  }

  Nanoseconds bound(const run::PartProgram& program) const {
    const auto cycles = static_cast<double>(program.session.predicted().totals.predicted_cycles);
    return static_cast<Nanoseconds>(std::ceil(cycles * nanoseconds_per_cycle_));
  }
  Nanoseconds rest_bound(std::size_t stage) const {
    return stage < stages_.size() ? bound(*stages_[stage].all_rest) : 0;
  }

  void add_stage(const std::vector<run::PlacedPart>& parts, std::size_t p, const plan::Device& device) {
    if (device.kind == plan::DeviceKind::Cpu)
      throw Error(ErrorCode::Unsupported, "the time of a part on the CPU has no bound", run::part_text(parts[p].layers),
                  device.name, "plan with --cpu none, or run without --deadline");
    std::vector<int> rest;
    for (std::size_t later = p; later < parts.size(); ++later)
      rest.insert(rest.end(), parts[later].layers.begin(), parts[later].layers.end());
    std::sort(rest.begin(), rest.end());
    Stage& stage = stages_.emplace_back();
    stage.part.part = run::make_part(network_, run_.model.ports, parts[p].layers, run::PartEdge::Features);
    for (std::size_t i = 0; i < stage.part.part.outputs.size(); ++i) stage.part.outputs.push_back(i);
    stage.rest = run::make_part(network_, run_.model.ports, rest, run::PartEdge::Features);
    stage.all_rest = program(stage.rest);
    if (device.kind == plan::DeviceKind::Accelerator)
      stage.own = program(stage.part.part);
    else
      stage.request = remote::part_request(machines_.models.at(parts[p].runner), stage.part);
  }

  // The server must have answered before what follows its part would be late, so that is the race's deadline.
  void add_race(std::size_t p, remote::Client& client) {
    plan::DeadlineSettings settings;
    settings.local = {{0, std::max<Nanoseconds>(1, rest_bound(p) - rest_bound(p + 1)), 0}};
    settings.remote_accuracy = 1;
    settings.reaction = Reaction;
    stages_[p].race = std::make_unique<Race>(client, stages_[p].all_rest->session, settings);
  }

  static std::vector<run::Feature> gather(const std::vector<run::Feature>& features, const std::vector<int>& wanted) {
    std::vector<run::Feature> result;
    for (const int feature : wanted) result.push_back(features[at(feature)]);
    return result;
  }
  static void scatter(std::vector<run::Feature> made, const std::vector<int>& places,
                      std::vector<run::Feature>& features) {
    for (std::size_t i = 0; i < places.size(); ++i) features[at(places[i])] = std::move(made.at(i));
  }

  /// A part of the device, or all that is left. True if the plan goes on.
  bool compute(std::size_t p, std::vector<run::Feature>& features, const Due& due) {
    Stage& stage = stages_[p];
    const Nanoseconds left = due.deadline - steady_now() - Reaction;
    const plan::NextPart next = plan::next_part({bound(*stage.own) + rest_bound(p + 1), rest_bound(p)}, left);
    if (next == plan::NextPart::Refuse)
      throw Error(ErrorCode::Timeout, "no local exit fits before the deadline", due.name, fmt::format("{} ns", left),
                  "give a later --deadline");
    const bool planned = next == plan::NextPart::AsPlanned;
    const run::Part& part = planned ? stage.part.part : stage.rest;
    run::Session& session = planned ? stage.own->session : stage.all_rest->session;
    scatter(session.run_features(gather(features, part.inputs)).features, part.outputs, features);
    return planned;
  }

  /// A part of a server, or all that is left on the device. True if the plan goes on.
  bool compete(std::size_t p, std::vector<run::Feature>& features, const Due& due, Answered& answered) {
    Stage& stage = stages_[p];
    RaceTask task{stage.request, remote::as_values(gather(features, stage.rest.inputs)), due.name};
    task.request.inputs = remote::as_values(gather(features, stage.part.part.inputs));
    Served served = stage.race->run(task, due.deadline - rest_bound(p + 1));
    if (served.reply && served.reply->failure) answered.failure = served.reply->failure;
    scatter(remote::as_features(served.outputs), served.remote ? stage.part.part.outputs : stage.rest.outputs,
            features);
    return served.remote;
  }

  const PlanRun& run_;
  Machines& machines_;
  const model::Network& network_;
  double nanoseconds_per_cycle_ = 0;
  std::vector<Stage> stages_;
};

/// Compiles the parts on the servers that can be reached; one that cannot is met again at every frame.
void warm_up(const std::vector<run::PlacedPart>& parts, const PlanRun& run, Machines& machines, Console& console) {
  for (const run::PlacedPart& part : parts) {
    if (!machines.models.contains(part.runner)) continue;
    try {
      machines.runners[part.runner]->prepare(
          {run::make_part(run.model.network, run.model.ports, part.layers, run::PartEdge::Features), {}});
    } catch (const Error& error) {
      console.progress(error.what());
    }
  }
}

Json parts_json(const std::vector<run::PlacedPart>& parts, const plan::Problem& problem) {
  Json json = Json::array();
  for (const run::PlacedPart& part : parts)
    json.push_back({{"layers", run::part_text(part.layers)}, {"device", problem.devices[part.runner].name}});
  return json;
}

Json document_start(const PlanDocument& plan, const std::vector<run::PlacedPart>& parts, const plan::Evaluation& cost) {
  Json json = document("run");
  json["plan"] = {{"planner", plan.plan.planner},
                  {"predicted_ns", cost.latency / plan::Whole},
                  {"bound_ns", cost.bound},
                  {"bottleneck_ns", cost.bottleneck / plan::Whole},
                  {"parts", parts_json(parts, plan.problem)}};
  json["outputs"] = Json::array();
  json["samples"] = Json::array();
  return json;
}

Json sample_json(const Answered& answered, const std::string& name) {
  const bool planned = std::all_of(answered.planned.begin(), answered.planned.end(), [](bool one) { return one; });
  Json json{{"name", name}, {"from", planned ? "plan" : "device"}, {"latency_ns", answered.latency}};
  json["slack_ns"] = answered.slack ? Json(*answered.slack) : Json(nullptr);
  if (answered.failure) json["server_failure"] = plan::to_string(*answered.failure);
  json["parts"] = Json::array();
  for (std::size_t p = 0; p < answered.parts.size(); ++p)
    json["parts"].push_back({{"start_ns", answered.parts[p].start},
                             {"end_ns", answered.parts[p].end},
                             {"as_planned", static_cast<bool>(answered.planned[p])}});
  return json;
}

void report(const std::vector<Answered>& all, const PlanDocument& document, const std::vector<run::PlacedPart>& parts,
            const PlanRun& run, Console& console) {
  const plan::Evaluation cost = plan::evaluate(document.problem, document.plan);
  Json json = document_start(document, parts, cost);
  json["model"] = run.model.network.name;
  std::string text =
      fmt::format("plan of {}: {:.3f} ms predicted\n", document.plan.planner, milliseconds(cost.latency / plan::Whole));
  for (const Json& part : json["plan"]["parts"])
    text += fmt::format("  layers {} on {}\n", part["layers"].get<std::string>(), part["device"].get<std::string>());
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t output = 0; output < run.model.ports.outputs.size(); ++output) {
      if (all[i].outputs[output].empty()) continue;  // of an exit that the plan's policy leaves out
      json["outputs"].push_back(output_json(run::present(run.model.ports.outputs[output], all[i].outputs[output])));
      json["outputs"].back()["sample"] = i;
    }
    json["samples"].push_back(sample_json(all[i], run.inputs[i].name));
    text += fmt::format("{}: {:.3f} ms, by the {}", run.inputs[i].name, milliseconds(all[i].latency),
                        json["samples"].back()["from"].get<std::string>());
    if (all[i].slack) text += fmt::format(", slack {:.3f} ms", milliseconds(*all[i].slack));
    text += "\n";
  }
  console.report(json, text);
}

}  // namespace

void run_plan(const PlanRunOptions& options, const RemoteOptions& remote, const PlanRun& run, Console& console) {
  const PlanDocument document = read_plan(options.file, options.planner);
  const std::vector<run::PlacedPart> parts = run::placed_parts(run.model.network, document.problem, document.plan);
  Machines machines = open_machines(document, parts, options, remote, run, console);
  std::vector<std::vector<run::Feature>> frames;
  for (const RunInput& input : run.inputs)
    frames.push_back(run::quantised_inputs(run.model.ports, input.values, run.model.network.name));
  std::vector<Answered> all;
  if (remote.deadline.empty()) {
    std::vector<run::PartRunner*> runners;
    for (const std::unique_ptr<run::PartRunner>& runner : machines.runners) runners.push_back(runner.get());
    run::SharedSession session(run.model.network, run.model.ports, parts, runners, options.in_flight);
    console.progress(fmt::format("running {} frames in {} parts", frames.size(), parts.size()));
    all = overlapped(session, frames);
    if (!options.timeline.empty()) write_file(options.timeline, run::chrome_trace(session.timeline()));
  } else {
    const Nanoseconds budget = parse_duration(remote.deadline, "--deadline");
    open_device(run, machines, console);
    Reserved reserved(run, remote, machines, parts, document.problem);
    warm_up(parts, run, machines, console);
    for (std::size_t i = 0; i < frames.size(); ++i)
      all.push_back(reserved.answer(frames[i], run.inputs[i].name, budget));
  }
  report(all, document, parts, run, console);
}

}  // namespace espalier::tools
