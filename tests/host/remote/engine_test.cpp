// Properties:
//   - answers are those of a session; every call ends exactly once, also under cancels from other threads
//   - a full queue refuses; a cancelled call ends whether it waits or runs, and the device works afterwards
//   - a load puts the next version into service, a version that the device does not execute leaves the one before, and
//     requests under way keep theirs; one step back is possible
//   - similar requests get the answer that was given, as often as the cache says; a new version gives its own
//   - a name for several models gets the most accurate one whose bound meets the deadline
//   - draining answers what waits, and gives up what takes longer than the grace
#include "remote/engine.hpp"

#include <gtest/gtest.h>

#include <random>

#include "esp_error.hpp"
#include "serving.hpp"

namespace espalier::remote {
namespace {

using test::Serving;

constexpr std::size_t InputSize = 3 * 6 * 6;

struct Pending {
  std::uint64_t ticket = 0;
  std::future<Result> result;
};

Pending submit(Engine& engine, std::optional<Nanoseconds> budget = {}) {
  auto promise = std::make_shared<std::promise<Result>>();
  Pending pending{0, promise->get_future()};
  pending.ticket = engine.submit({engine.find("layer", ""), {test::ramp(InputSize)}, budget, [promise](Result result) {
                                    promise->set_value(std::move(result));
                                  }});
  return pending;
}

std::optional<Failure> failure_of(const Result& result) {
  const Refusal* refusal = std::get_if<Refusal>(&result);
  return refusal == nullptr ? std::nullopt : std::optional(refusal->failure);
}

TEST(Engine, AnswersAsASessionDoes) {
  const Serving serving;
  const VersionPtr version = serving.load();
  EXPECT_EQ(version->version, "1");
  EXPECT_GT(version->bound, 0);
  const Result result = submit(*serving.engine).result.get();
  ASSERT_TRUE(std::holds_alternative<Answer>(result)) << std::get<Refusal>(result).text;
  const Answer& answer = std::get<Answer>(result);
  EXPECT_EQ(answer.report.outputs.at(0).values, test::expected_outputs(test::SmallLayer, test::ramp(InputSize)));
  EXPECT_EQ(answer.version->plan_id, plan_id(version->executable));
}

TEST(Engine, SimilarRequestsGetTheAnswerThatWasGiven) {
  Serving serving;
  EngineSettings settings;
  settings.cache_bytes = 1 << 16;
  settings.cache_key = {.step = 16, .cells = 4};
  std::vector<std::unique_ptr<driver::Bus>> buses;
  buses.push_back(std::make_unique<test::GatedBus>(serving.gate));
  serving.engine = std::make_unique<Engine>(std::move(buses), settings);
  serving.load();
  const Answer first = std::get<Answer>(submit(*serving.engine).result.get());
  const Answer again = std::get<Answer>(submit(*serving.engine).result.get());
  EXPECT_FALSE(first.cached);
  EXPECT_TRUE(again.cached);
  EXPECT_EQ(again.report.outputs.at(0).values, first.report.outputs.at(0).values);
  EXPECT_EQ(again.report.outputs.at(0).name, first.report.outputs.at(0).name);
  serving.load("conv ic3 ih6 oc5 kh3 ph1");
  EXPECT_FALSE(std::get<Answer>(submit(*serving.engine).result.get()).cached);
  const ModelCounts counts = serving.engine->counts().models.at("layer");
  EXPECT_EQ(counts.cached, 1U);
  EXPECT_EQ(counts.executions, 2U);
  EXPECT_EQ(counts.outcomes.at("ok"), 3U);
}

TEST(Engine, ChoosesAmongModelsByTheDeadline) {
  const Serving serving;
  Engine& engine = *serving.engine;
  const VersionPtr small = engine.load("small", test::make_layer("conv ic3 ih6 oc5").executable);
  const VersionPtr large = engine.load("large", test::make_layer("conv ic3 ih6 oc5 kh3 ph1").executable);
  ASSERT_LT(small->bound, large->bound);
  engine.offer("both", {{"small", 9000}, {"large", 9500}});
  EXPECT_EQ(engine.choose("both", "", {}), large);
  EXPECT_EQ(engine.choose("both", "", large->bound), large);
  EXPECT_EQ(engine.choose("both", "", large->bound - 1), small);
  EXPECT_EQ(engine.choose("both", "", 1), small);
  EXPECT_EQ(engine.choose("small", "", {}), small);
  EXPECT_EQ(engine.choose("neither", "", {}), nullptr);
  engine.load("other", test::make_layer("conv ic4 ih6 oc5").executable);
  EXPECT_THROW(engine.offer("wrong", {{"small", 9000}, {"other", 9500}}), Error);
  EXPECT_THROW(engine.offer("wrong", {{"small", 9000}, {"absent", 9500}}), Error);
  EXPECT_THROW(engine.offer("small", {{"small", 9000}}), Error);
}

TEST(Engine, RefusesWhatFindsNoRoom) {
  const Serving serving(2);
  serving.load();
  serving.gate->open = false;
  std::vector<Pending> pending;
  pending.push_back(submit(*serving.engine));
  serving.wait_for_run();
  for (int i = 0; i < 5; ++i) pending.push_back(submit(*serving.engine));
  for (std::size_t i = 3; i < 6; ++i) EXPECT_EQ(failure_of(pending[i].result.get()), Failure::Full);
  EXPECT_EQ(serving.engine->counts().queued, 2U);
  serving.gate->open = true;
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(failure_of(pending[i].result.get()), std::nullopt);
  EXPECT_EQ(serving.engine->counts().models.at("layer").outcomes.at("full"), 3U);
}

TEST(Engine, RefusesADeadlineThatItsBoundExceeds) {
  const Serving serving;
  serving.load();
  EXPECT_EQ(failure_of(submit(*serving.engine, 1).result.get()), Failure::Late);
}

TEST(Engine, CancelsWhatWaitsAndWhatRuns) {
  const Serving serving;
  serving.load();
  serving.gate->open = false;
  Pending runs = submit(*serving.engine);
  serving.wait_for_run();
  Pending waits = submit(*serving.engine);
  serving.engine->cancel(waits.ticket);
  EXPECT_EQ(failure_of(waits.result.get()), Failure::Cancelled);
  serving.engine->cancel(runs.ticket);
  EXPECT_EQ(failure_of(runs.result.get()), Failure::Cancelled);
  EXPECT_EQ(serving.gate->resets, 1);
  serving.engine->cancel(runs.ticket);
  serving.gate->open = true;
  EXPECT_EQ(failure_of(submit(*serving.engine).result.get()), std::nullopt);
}

TEST(Engine, SwapsVersionsAndGoesBack) {
  const Serving serving;
  const VersionPtr first = serving.load();
  EXPECT_THROW(serving.engine->roll_back("layer"), Error);
  serving.gate->open = false;
  Pending under_way = submit(*serving.engine);
  serving.wait_for_run();
  std::thread opener([&] { serving.gate->open = true; });
  const VersionPtr second = serving.load("conv ic3 ih6 oc7 kh3 ph1");
  opener.join();
  EXPECT_EQ(std::get<Answer>(under_way.result.get()).version, first);
  EXPECT_EQ(serving.engine->find("layer", ""), second);
  EXPECT_EQ(serving.engine->find("layer", "1"), first);
  EXPECT_NE(first->plan_id, second->plan_id);
  EXPECT_EQ(serving.engine->roll_back("layer"), first);
  EXPECT_EQ(std::get<Answer>(submit(*serving.engine).result.get()).version, first);
}

TEST(Engine, KeepsTheVersionThatWorks) {
  const Serving serving;
  const VersionPtr first = serving.load();
  run::Executable other = test::make_layer(test::SmallLayer).executable;
  other.compiled = compile::compile(test::make_layer(test::SmallLayer).network, abi::Array16x16);
  EXPECT_THROW(serving.engine->load("layer", std::move(other)), Error);
  EXPECT_EQ(serving.engine->find("layer", ""), first);
  EXPECT_EQ(failure_of(submit(*serving.engine).result.get()), std::nullopt);
}

TEST(Engine, DrainsGracefully) {
  const Serving serving;
  serving.load();
  std::vector<Pending> pending;
  for (int i = 0; i < 4; ++i) pending.push_back(submit(*serving.engine));
  EXPECT_TRUE(serving.engine->drain(std::chrono::minutes(1)));
  for (Pending& one : pending) EXPECT_EQ(failure_of(one.result.get()), std::nullopt);
  EXPECT_EQ(failure_of(submit(*serving.engine).result.get()), Failure::Draining);
}

TEST(Engine, GivesUpWhatTakesTooLong) {
  const Serving serving;
  serving.load();
  serving.gate->open = false;
  Pending runs = submit(*serving.engine);
  serving.wait_for_run();
  Pending waits = submit(*serving.engine);
  EXPECT_FALSE(serving.engine->drain(std::chrono::milliseconds(1)));
  EXPECT_TRUE(failure_of(runs.result.get()).has_value());
  EXPECT_EQ(failure_of(waits.result.get()), Failure::Draining);
}

TEST(Engine, EveryCallEndsOnceUnderCancels) {
  const Serving serving(16, 2);
  serving.load();
  std::mt19937 engine(5);
  std::atomic<int> ended{0};
  std::vector<std::uint64_t> tickets;
  for (int i = 0; i < 500; ++i) {
    tickets.push_back(serving.engine->submit(
        {serving.engine->find("layer", ""), {test::ramp(InputSize)}, {}, [&](const Result&) { ++ended; }}));
    if (engine() % 3 == 0) serving.engine->cancel(tickets[engine() % tickets.size()]);
  }
  serving.engine->drain(std::chrono::minutes(1));
  EXPECT_EQ(ended, 500);
  std::uint64_t counted = 0;
  const Counts counts = serving.engine->counts();
  for (const auto& [outcome, number] : counts.models.at("layer").outcomes) counted += number;
  EXPECT_EQ(counted, 500U);
}

}  // namespace
}  // namespace espalier::remote
