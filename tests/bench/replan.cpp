// Planning again after a change of link or load: percentiles of the processor time, share proven optimal, gaps of the
// rest; and planning with full effort.
//
//   bench_replan [rounds] [seed] [latency of the server's links in microseconds]
//
// Once from plans that were kept before the changes, once from nothing.
//
// The network has 100 layers with residual blocks, 5 exits, 3 devices and 3 precisions.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <random>
#include <vector>

#include "esp_error.hpp"
#include "plan/search/solve.hpp"

namespace espalier::plan {
namespace {

constexpr int Layers = 100;

Problem network(std::mt19937_64& engine) {
  const auto between = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); };
  Problem problem;
  problem.name = "bench";
  problem.devices = {{"accelerator", DeviceKind::Accelerator, 0, Whole},
                     {"cpu", DeviceKind::Cpu, 0, Whole},
                     {"server", DeviceKind::Remote, 0, Whole}};
  problem.links = {{0, 1, 2'000'000'000, 5000, 0, 10},     {1, 0, 2'000'000'000, 5000, 0, 10},
                   {0, 2, 1'000'000, 10'000'000, 100, 90}, {2, 0, 2'000'000, 10'000'000, 100, 60},
                   {1, 2, 1'000'000, 10'000'000, 100, 90}, {2, 1, 2'000'000, 10'000'000, 100, 60}};
  for (int layer = 0; layer < Layers; ++layer) {
    std::vector<int> inputs{layer - 1};
    if (layer % 3 == 2) inputs.push_back(layer - 3);  // the end of a residual block
    problem.layers.push_back({"layer" + std::to_string(layer), inputs, std::nullopt, 0});
  }
  const int percent[] = {100, 60, 40};  // time and bytes of int8, int4 and ternary
  for (const int part : percent) {
    Variant variant{"precision" + std::to_string(part), 150'000LL * part / 100, {}, false};
    for (int layer = 0; layer < Layers; ++layer) {
      const std::int64_t time = between(50'000, 150'000) * static_cast<std::int64_t>(part) / 100;
      const auto cost = [&](std::int64_t nanoseconds, std::int64_t watts) {
        return Cost{{nanoseconds, nanoseconds, TimeSource::Exact}, nanoseconds * watts};
      };
      variant.layers.push_back(
          {(400'000LL / (1 + layer / 8)) * part / 100, 10'000, {cost(time, 5), cost(time * 8, 3), cost(time / 4, 0)}});
    }
    problem.variants.push_back(std::move(variant));
  }
  for (int exit = 0; exit < 5; ++exit) {
    problem.exits.push_back({"exit" + std::to_string(exit), exit * 20 + 19});
    problem.policies.push_back(
        {"exit" + std::to_string(exit), {{exit, Whole}}, {8000 + exit * 400, 7900 + exit * 400, 7600 + exit * 400}});
  }
  problem.accuracy_floor = 8300;
  return problem;
}

double milliseconds_since(std::clock_t begin) {
  constexpr double MillisecondsPerSecond = 1000;
  return MillisecondsPerSecond * static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

struct Effects {
  double prepared = 0;        // milliseconds of the longest solve before the changes
  std::vector<double> times;  // milliseconds
  std::vector<double> gaps;   // of plans that are not proven optimal
  int planned = 0;

  double percentile(std::vector<double> values, double share) const {
    if (values.empty()) return 0;
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
  }
  double proven() const { return 100.0 * (planned - static_cast<int>(gaps.size())) / std::max(planned, 1); }
};

constexpr int ShortestDeadline = 4, LongestDeadline = 40;  // milliseconds
constexpr Nanoseconds Millisecond = 1'000'000;

// Full solves before anything changes, without a deadline and with the shortest, are kept for those to come. Returns
// the longest time.
double prepare(PreparedProblem& prepared, Objective objective) {
  double longest = 0;
  for (const std::optional<Nanoseconds>& deadline :
       {std::optional<Nanoseconds>(), std::optional<Nanoseconds>(ShortestDeadline * Millisecond)}) {
    const Request request{objective, deadline};
    const std::clock_t begin = std::clock();
    try {
      prepared.keep(request, prepared.solve(request));
    } catch (const espalier::Error&) {
      // Too short for every plan: there is none to keep.
    }
    longest = std::max(longest, milliseconds_since(begin));
  }
  return longest;
}

enum class Start { Kept, Nothing };

struct Changes {
  int rounds = 1000;
  std::uint64_t seed = 1;
  Nanoseconds latency = 5 * Millisecond;  // of the server's links
};

Effects measure(Objective objective, const Changes& changes, std::size_t labels, Start start) {
  std::mt19937_64 engine(changes.seed);
  PreparedProblem prepared(network(engine));
  Effects effects;
  if (start == Start::Kept) effects.prepared = prepare(prepared, objective);
  for (int round = 0; round < changes.rounds; ++round) {
    const double bandwidth = std::exp(std::uniform_real_distribution<double>(std::log(6e3), std::log(1e8))(engine));
    const BasisPoints load = Whole * std::uniform_int_distribution<int>(1, 20)(engine);
    const Nanoseconds deadline =
        std::uniform_int_distribution<int>(ShortestDeadline, LongestDeadline)(engine) * Millisecond;
    const std::clock_t begin = std::clock();
    for (const int link : {2, 3, 4, 5}) prepared.set_link(link, static_cast<std::int64_t>(bandwidth), changes.latency);
    prepared.set_load(2, load);
    try {
      const SharedPlan plan = prepared.solve({objective, deadline}, {.labels = labels});
      effects.times.push_back(milliseconds_since(begin));
      const Certificate& certificate = plan.certificate.front();
      ++effects.planned;
      if (!certificate.proven())
        effects.gaps.push_back(100 - 100 * static_cast<double>(certificate.lower_bound) /
                                         static_cast<double>(certificate.value));
    } catch (const espalier::Error&) {
      effects.times.push_back(milliseconds_since(begin));
    }
  }
  return effects;
}

void print_again(Objective objective, const Changes& changes, Start start) {
  constexpr std::size_t Labels = 2400;  // as many as the time allows
  const Effects again = measure(objective, changes, Labels, start);
  std::printf(
      "%-10s %s p50 %.3f ms  p95 %.3f ms  p99 %.3f ms  planned %d of %d  proven %.1f %%  gaps of the rest: "
      "median %.2g %%  p95 %.2g %%  largest %.2g %%\n",
      to_string(objective), start == Start::Kept ? "kept plans:" : "no plans:  ", again.percentile(again.times, 0.5),
      again.percentile(again.times, 0.95), again.percentile(again.times, 0.99), again.planned, changes.rounds,
      again.proven(), again.percentile(again.gaps, 0.5), again.percentile(again.gaps, 0.95),
      again.percentile(again.gaps, 1));
  if (start == Start::Kept)
    std::printf("%-10s preparing: longest solve %.1f ms\n", to_string(objective), again.prepared);
}

void print(Objective objective, const Changes& changes) {
  for (const Start start : {Start::Kept, Start::Nothing}) print_again(objective, changes, start);
  constexpr int FullRounds = 20;
  Changes few = changes;
  few.rounds = std::min(few.rounds, FullRounds);
  const Effects full = measure(objective, few, Effort().labels, Start::Nothing);
  std::printf("%-10s full effort: longest %.1f ms, not proven %zu of %d, largest gap %.2g %%\n", to_string(objective),
              full.percentile(full.times, 1), full.gaps.size(), full.planned, full.percentile(full.gaps, 1));
}

}  // namespace
}  // namespace espalier::plan

int main(int argc, char** argv) {
  using espalier::plan::Objective;
  espalier::plan::Changes changes;
  if (argc > 1) changes.rounds = std::max(std::atoi(argv[1]), 1);
  if (argc > 2) changes.seed = std::strtoull(argv[2], nullptr, 10);
  if (argc > 3) changes.latency = std::max(std::atoll(argv[3]), 0LL) * 1000;
  std::printf("100 layers, 5 exits, 3 devices, 3 precisions; %d changes, seed %llu, server %.3g ms away\n",
              changes.rounds, static_cast<unsigned long long>(changes.seed),
              static_cast<double>(changes.latency) / espalier::plan::Millisecond);
  for (const Objective objective : {Objective::Latency, Objective::Energy, Objective::Throughput})
    espalier::plan::print(objective, changes);
  return 0;
}
