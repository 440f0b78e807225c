// Every network of `espalier bench network` at densities 1, 0.25 and 0.1 on 16x16, whole on the RTL:
//   - the cycles of every row, and of the run from start to done, are the predicted ones
//   - the output bytes are those of the CPU reference
// Two runs go on at a time. Arguments are names of networks; without them all of them run.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "program.hpp"
#include "tools/table.hpp"

namespace espalier::test {
namespace {

constexpr int Processors = 2;

struct ProvenNetwork {
  const char* name;
  double macs;  // in millions, as published: what a run takes is about proportional to it
};
constexpr std::array<ProvenNetwork, 7> Networks{{{"vgg16", 15470},
                                                 {"resnet50", 4089},
                                                 {"resnet18", 1814},
                                                 {"mobilenet_v1", 569},
                                                 {"mobilenet_v2", 301},
                                                 {"resnet8", 12.5},
                                                 {"ds_cnn", 2.7}}};
constexpr std::array Densities{1.0, 0.25, 0.1};

/// One run, and what it gave.
struct Run {
  std::string network;
  double density = 1;
  double effort = 1;  // expected, in any unit
  bool done = false;
  std::string failure;  // empty: proven
  nlohmann::json document;

  std::string name() const { return network + " at density " + shortest(density); }
  static std::string shortest(double value) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%g", value);
    return text.data();
  }
};

/// Compiling, the CPU reference and masks take a share that does not fall with the density.
double effort_of(const ProvenNetwork& network, double density) { return network.macs * (density + 0.3) + 20; }

std::vector<Run> planned(std::span<char* const> wanted) {
  std::vector<Run> runs;
  for (const ProvenNetwork& network : Networks) {
    const auto same = [&](const char* name) { return std::string(name) == network.name; };
    if (!wanted.empty() && std::none_of(wanted.begin(), wanted.end(), same)) continue;
    for (const double density : Densities)
      runs.push_back({network.name, density, effort_of(network, density), false, {}, {}});
  }
  return runs;
}

/// What of a report is not as it must be; empty if nothing.
std::string check(const nlohmann::json& document) {
  const auto& totals = document["totals"];
  if (totals["bit_exact"] != true) return "output bytes differ from the CPU reference's";
  if (totals["measured_cycles"] != totals["predicted_cycles"]) return "cycles differ from the prediction";
  for (const auto& layer : document["layers"])
    if (layer["measured_cycles"] != layer["predicted_cycles"])
      return "cycles of layer " + layer["name"].get<std::string>() + " differ from the prediction";
  return {};
}

void execute(Run& run) {
  std::vector<std::string> arguments{"bench",   "network", run.network, "--density", Run::shortest(run.density),
                                     "--array", "16x16",   "--device",  "rtl",       "--threads",
                                     "1",       "--json"};
  if (run.network == "vgg16") arguments.emplace_back("--fully-connected");
  const Outcome outcome = run_program(arguments);
  if (outcome.code != 0) {
    const std::string& text = outcome.err.empty() ? outcome.out : outcome.err;
    run.failure = "exit code " + std::to_string(outcome.code) + ": " +
                  text.substr(text.size() - std::min<std::size_t>(text.size(), 500));
    return;
  }
  run.document = outcome.json();
  run.failure = check(run.document);
}

/// Runs that are handed out one by one, and what is said about them.
class Proof {
 public:
  explicit Proof(std::vector<Run> runs) : runs_(std::move(runs)), start_(std::chrono::steady_clock::now()) {}

  void run() {
    std::vector<std::thread> workers;
    for (int i = 0; i < Processors; ++i) workers.emplace_back([this] { work(); });
    for (std::thread& worker : workers) worker.join();
  }
  bool proven() const {
    return std::all_of(runs_.begin(), runs_.end(), [](const Run& run) { return run.done && run.failure.empty(); });
  }
  std::string table() const;

 private:
  void work() {
    while (Run* run = next()) {
      execute(*run);
      finish(*run);
    }
  }
  Run* next() {
    const std::scoped_lock lock(mutex_);
    return next_ < runs_.size() ? &runs_[next_++] : nullptr;
  }
  void finish(Run& run);
  std::string estimate() const;

  std::vector<Run> runs_;
  std::size_t next_ = 0;
  std::mutex mutex_;
  std::chrono::steady_clock::time_point start_;
};

std::string minutes(double seconds) {
  std::array<char, 32> text{};
  const int whole = static_cast<int>(seconds + 0.5);
  std::snprintf(text.data(), text.size(), "%d:%02d min", whole / 60, whole % 60);
  return text.data();
}

/// Time so far, and the time that the efforts of the rest lead to expect.
std::string Proof::estimate() const {
  double done = 0, all = 0;
  for (const Run& run : runs_) {
    all += run.effort;
    if (run.done) done += run.effort;
  }
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start_;
  const double left = elapsed.count() * (all - done) / done;
  return minutes(elapsed.count()) + " so far, about " + minutes(left) + " to go";
}

void Proof::finish(Run& run) {
  const std::scoped_lock lock(mutex_);
  run.done = true;
  const auto count = std::count_if(runs_.begin(), runs_.end(), [](const Run& each) { return each.done; });
  std::cout << "[" << count << "/" << runs_.size() << "] " << run.name() << ": ";
  if (run.failure.empty()) {
    const auto cycles = run.document["totals"]["measured_cycles"].get<std::uint64_t>();
    std::cout << tools::grouped(cycles) << " cycles as predicted, bits exact";
  } else {
    std::cout << "FAILED, " << run.failure;
  }
  std::cout << "; " << estimate() << std::endl;
}

std::string frames(double rate) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", rate);
  return text.data();
}

std::string Proof::table() const {
  using tools::Align;
  tools::Table table({{"network", Align::Left},
                      {"density"},
                      {"predicted"},
                      {"measured"},
                      {"bits", Align::Left},
                      {"MACs used"},
                      {"non-zero used"},
                      {"frames/s"},
                      {"result", Align::Left}});
  for (const Run& run : runs_) {
    const std::string density = Run::shortest(run.density);
    if (run.document.is_null()) {
      table.add({run.network, density, "-", "-", "-", "-", "-", "-", "FAILED"});
      continue;
    }
    const auto& totals = run.document["totals"];
    const auto cycles = [&](const char* key) { return tools::grouped(totals[key].get<std::uint64_t>()); };
    const auto share = [&](const char* key) { return tools::percent(totals[key].get<double>()); };
    table.add({run.network, density, cycles("predicted_cycles"), cycles("measured_cycles"),
               totals["bit_exact"] == true ? "exact" : "DIFFERENT", share("mac_utilisation"),
               share("nonzero_utilisation"), frames(totals["frames_per_second"].get<double>()),
               run.failure.empty() ? "proven" : "FAILED"});
  }
  return table.text();
}

int prove(std::span<char* const> wanted) {
  std::vector<Run> runs = planned(wanted);
  if (runs.empty()) {
    std::cerr << "no such network\n";
    return 2;
  }
  std::cout << runs.size() << " runs on the RTL of 16x16, " << Processors << " at a time" << std::endl;
  Proof proof(std::move(runs));
  proof.run();
  std::cout << "\n" << proof.table() << (proof.proven() ? "all proven\n" : "NOT proven\n");
  return proof.proven() ? 0 : 1;
}

}  // namespace
}  // namespace espalier::test

int main(int argc, char** argv) {
  return espalier::test::prove(std::span(argv, static_cast<std::size_t>(argc)).subspan(1));
}
