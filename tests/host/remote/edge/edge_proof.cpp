// ./run proof edge: what the cost model predicts against processes that keep its times:
//   - 21 named scenarios: every device of a plan is a process of `espalier serve`, paced to its modelled times and
//     behind the relay's link; the median of 11 runs is within 5 % of the prediction, every answer has the bits of the
//     CPU reference
//   - some of them again between network namespaces, shaped by the kernel (tbf); left out, with the reason, where that
//     is not allowed
// PROGRAM is the espalier program; arguments behind it choose scenarios by parts of their names.
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <thread>

#include "child.hpp"
#include "compress/onnx_export.hpp"
#include "cpu/reference.hpp"
#include "edge_network.hpp"
#include "edge_scenario.hpp"
#include "namespaces.hpp"
#include "plan/cost/problem_json.hpp"
#include "relay.hpp"
#include "remote/part_client.hpp"
#include "run/placed_parts.hpp"
#include "run/shared_session.hpp"

namespace espalier::test {
namespace {

constexpr int Runs = 11;
constexpr double Tolerance = 0.05;

using Clock = std::chrono::steady_clock;

/// The network, its file and an input with the answer that it must have.
struct Subject {
  compress::Quantised quantised;
  std::filesystem::path folder;
  std::vector<run::Feature> input, answer;

  run::Ports ports() const { return {quantised.inputs, quantised.outputs}; }
  std::string model() const { return (folder / "edge.onnx").string(); }
};

Subject make_subject() {
  Subject subject{
      edge_network(), std::filesystem::temp_directory_path() / fmt::format("espalier_edge_{}", getpid()), {}, {}};
  std::filesystem::create_directories(subject.folder);
  compress::export_onnx(subject.quantised, subject.model());
  const model::Network& network = subject.quantised.network;
  run::Feature& input = subject.input.emplace_back();
  for (std::size_t i = 0; i < network.features[static_cast<std::size_t>(network.inputs[0])].elements(); ++i)
    input.push_back(static_cast<std::int8_t>(i * 37 % 251 - 125));
  subject.answer = {cpu::run(network, subject.input)[static_cast<std::size_t>(network.outputs[0])]};
  return subject;
}

/// A plan's machines as processes: those of home are asked directly, others over a link.
class Stage {
 public:
  Stage(const Subject& subject, const EdgeScenario& scenario, const std::string& program, Namespaces* namespaces)
      : namespaced_(namespaces != nullptr),
        parts_(run::placed_parts(subject.quantised.network, scenario.problem, scenario.plan)) {
    const std::string file = (subject.folder / "plan.json").string();
    nlohmann::ordered_json document{{"problem", plan::to_json(scenario.problem)},
                                    {"plans", {plan::to_json(scenario.plan)}}};
    std::ofstream(file) << document;
    runners_.resize(scenario.problem.devices.size(), nullptr);
    for (const run::PlacedPart& part : parts_) {
      if (runners_[part.runner] != nullptr) continue;
      const bool home = static_cast<int>(part.runner) == scenario.problem.home;
      std::vector<std::string> arguments{"edge=" + subject.model(),
                                         "--array",
                                         "8x8",
                                         "--port",
                                         "0",
                                         "--plan",
                                         file,
                                         "--plan-device",
                                         scenario.problem.devices[part.runner].name,
                                         "--pace",
                                         std::to_string(scenario.dilation)};
      std::vector<std::string> command{program};
      if (namespaces != nullptr && !home) {
        command = namespaces->inside(command);
        arguments.insert(arguments.end(), {"--address", Namespaces::ServerAddress, "--insecure"});
      }
      processes_.push_back(std::make_unique<ServeProcess>(command, arguments));
      std::string address = fmt::format("127.0.0.1:{}", processes_.back()->port());
      if (namespaces != nullptr && !home)
        address = fmt::format("{}:{}", Namespaces::ServerAddress, processes_.back()->port());
      if (namespaces == nullptr && !home) {
        const LinkPair link = phases_of(scenario, static_cast<int>(part.runner));
        relays_.push_back(std::make_unique<Relay>(processes_.back()->port(), LinkSchedule(link.up, scenario.seed),
                                                  LinkSchedule(link.down, scenario.seed + 1)));
        address = fmt::format("127.0.0.1:{}", relays_.back()->port());
      }
      clients_.push_back(std::make_unique<remote::Client>(address, remote::ClientSettings{}));
      remotes_.push_back(std::make_unique<remote::RemoteRunner>(
          *clients_.back(), remote::RemoteModel{address, "edge", {}, run::network_id(subject.quantised.network)},
          scenario.in_flight));
      runners_[part.runner] = remotes_.back().get();
    }
    session_ = std::make_unique<run::SharedSession>(subject.quantised.network, subject.ports(), parts_, runners_,
                                                    scenario.in_flight);
  }

  /// One run of all frames, in nanoseconds. Throws std::runtime_error for a wrong answer.
  std::int64_t run(const Subject& subject, const EdgeScenario& scenario) {
    // Long enough to fill the buckets.
    if (namespaced_) std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    if (!scenario.up.empty())
      for (const std::unique_ptr<Relay>& relay : relays_) relay->restart();
    const std::vector<std::vector<run::Feature>> frames(scenario.frames, subject.input);
    const auto start = Clock::now();
    const std::vector<run::SharedFrame> answers = session_->run(frames);
    const auto took = Clock::now() - start;
    for (const run::SharedFrame& answer : answers)
      if (answer.outputs != subject.answer) throw std::runtime_error("the answer differs from the CPU reference");
    return std::chrono::duration_cast<std::chrono::nanoseconds>(took).count();
  }

 private:
  bool namespaced_;
  std::vector<run::PlacedPart> parts_;
  std::vector<std::unique_ptr<ServeProcess>> processes_;
  std::vector<std::unique_ptr<Relay>> relays_;
  std::vector<std::unique_ptr<remote::Client>> clients_;
  std::vector<std::unique_ptr<remote::RemoteRunner>> remotes_;
  std::vector<run::PartRunner*> runners_;
  std::unique_ptr<run::SharedSession> session_;
};

std::string plan_text(const EdgeScenario& scenario, const model::Network& network) {
  std::string text;
  for (const run::PlacedPart& part : run::placed_parts(network, scenario.problem, scenario.plan))
    text += (text.empty() ? "" : " ") + scenario.problem.devices[part.runner].name.substr(0, 3) + ":" +
            run::part_text(part.layers);
  return text;
}

void print_header(const char* title) {
  std::cout << title << "\n"
            << fmt::format("{:<46} {:<34} {:>8} {:>12} {:>12} {:>8} {:>8}\n", "scenario", "plan", "dilation",
                           "predicted ms", "median ms", "error", "spread");
}

/// One row of the table; whether it holds.
bool prove(const Subject& subject, const EdgeScenario& scenario, const std::string& program, Namespaces* namespaces,
           double expected) {
  std::vector<std::int64_t> times;
  try {
    Stage stage(subject, scenario, program, namespaces);
    for (int run = 0; run < Runs; ++run) times.push_back(stage.run(subject, scenario));
  } catch (const std::exception& error) {
    std::cout << fmt::format("{:<46} {}\n", scenario.name, error.what()) << std::flush;
    return false;
  }
  std::sort(times.begin(), times.end());
  const auto median = static_cast<double>(times[Runs / 2]);
  const double error = median / expected - 1, spread = static_cast<double>(times[Runs - 1] - times[0]) / median;
  const bool holds = std::abs(error) <= Tolerance;
  std::cout << fmt::format("{:<46} {:<34} {:>8} {:>12.1f} {:>12.1f} {:>+7.1f}% {:>7.1f}%{}\n", scenario.name,
                           plan_text(scenario, subject.quantised.network), scenario.dilation, expected / 1e6,
                           median / 1e6, 100 * error, 100 * spread, holds ? "" : "  NOT within 5 %")
            << std::flush;
  return holds;
}

bool prove_in_namespaces(const Subject& subject, std::vector<EdgeScenario> scenarios, const std::string& program) {
  const std::string reason = Namespaces::refusal();
  if (!reason.empty()) {
    std::cout << "left out: network namespaces with tbf: " << reason << "\n";
    return true;
  }
  print_header("\nover network namespaces, shaped by tbf; no delay of the wire");
  bool holds = true;
  for (EdgeScenario& scenario : scenarios) {
    for (plan::Link& link : scenario.problem.links) link.latency = 0;
    const LinkPhase up = phases_of(scenario, 1).up.front(), down = phases_of(scenario, 1).down.front();
    Namespaces namespaces(up.bytes_per_second, down.bytes_per_second);
    const auto expected = static_cast<double>(predicted_behind_buckets(scenario, Namespaces::BurstBytes));
    holds = prove(subject, scenario, program, &namespaces, expected) && holds;
  }
  return holds;
}

/// Ahead of whatever else the machine does, where that is allowed: what is measured is the plan, not the load. The
/// processes inherit it.
bool take_precedence() {
  const sched_param priority{1};
  return sched_setscheduler(0, SCHED_RR, &priority) == 0;
}

int prove_all(const std::string& program, const std::vector<std::string>& wanted) {
  const Subject subject = make_subject();
  if (!take_precedence()) std::cout << "real-time priority is not allowed: on a loaded machine times are longer\n";
  plan::TimesOptions options;
  options.positions = 1;
  const model::Network& network = subject.quantised.network;
  const std::vector<EdgeScenario> all = edge_scenarios(network, plan::network_times(network, abi::Array8x8, options));
  print_header("device processes behind the relay; median of 11 runs");
  bool holds = true;
  std::vector<EdgeScenario> shaped;
  for (const EdgeScenario& scenario : all) {
    const bool chosen = wanted.empty() || std::any_of(wanted.begin(), wanted.end(), [&](const std::string& part) {
                          return scenario.name.find(part) != std::string::npos;
                        });
    if (!chosen) continue;
    holds = prove(subject, scenario, program, nullptr, static_cast<double>(predicted(scenario))) && holds;
    for (const char* name : {"server alone, slow link", "cut behind the first pooling", "device, server, device"})
      if (scenario.name == name) shaped.push_back(scenario);
  }
  holds = prove_in_namespaces(subject, shaped, program) && holds;
  std::filesystem::remove_all(subject.folder);
  std::cout << (holds ? "all within 5 %\n" : "NOT all within 5 %\n");
  return holds ? 0 : 1;
}

}  // namespace
}  // namespace espalier::test

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.empty()) throw std::runtime_error("usage: edge_proof PROGRAM [SCENARIO...]");
    return espalier::test::prove_all(arguments.front(), {arguments.begin() + 1, arguments.end()});
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
    return 1;
  }
}
