// Properties:
//   - model choice equals brute force; no bound beyond the deadline is chosen
//   - the cache never exceeds its memory, never confuses keys, and forgets the least recently used; its effect on a
//     stream with repetitions is that of an unlimited one where it is large enough
//   - the filter passes equal frames by, lets a change in one cell through, and does not drift; its effect is measured
//   - frame rates fall at once and rise after a calm; every level held keeps its interval
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "plan/policy/frame_filter.hpp"
#include "plan/policy/model_choice.hpp"
#include "plan/policy/result_cache.hpp"

namespace espalier::plan {
namespace {

TEST(ModelChoice, EqualsBruteForce) {
  std::mt19937 engine(7);
  for (int round = 0; round < 1000; ++round) {
    std::vector<ModelOption> models(1 + engine() % 6);
    for (ModelOption& model : models)
      model = {static_cast<Nanoseconds>(1 + engine() % 20),
               static_cast<BasisPoints>(engine() % 10) * 1000,
               {static_cast<BasisPoints>(engine() % 10000)},
               static_cast<Nanojoules>(engine() % 5)};
    InputNeed need{.time = static_cast<Nanoseconds>(engine() % 25), .difficulty = {}};
    if (engine() % 2 == 0) need.difficulty = 0;
    const std::optional<std::size_t> chosen = choose_model(models, need);
    const auto accuracy = [&](const ModelOption& model) {
      return need.difficulty ? model.by_difficulty[0] : model.accuracy;
    };
    BasisPoints best = -1;
    for (const ModelOption& model : models)
      if (model.bound <= need.time) best = std::max(best, accuracy(model));
    ASSERT_EQ(chosen.has_value(), best >= 0);
    if (!chosen) continue;
    EXPECT_LE(models[*chosen].bound, need.time);
    EXPECT_EQ(accuracy(models[*chosen]), best);
  }
}

TEST(ModelChoice, PaysForNoMoreThanIsEnough) {
  const std::vector<ModelOption> models{{10, 9000, {}, 5}, {20, 9900, {}, 50}};
  EXPECT_EQ(choose_model(models, {.time = 30, .difficulty = {}}), 1U);
  EXPECT_EQ(choose_model(models, {.time = 30, .difficulty = {}, .enough = 8500}), 0U);
  EXPECT_EQ(choose_model(models, {.time = 15, .difficulty = {}}), 0U);
  EXPECT_FALSE(choose_model(models, {.time = 5, .difficulty = {}}).has_value());
}

TEST(ResultCache, SimilarInputsShareAnAnswer) {
  std::vector<float> values(64, 0.5F), near = values, far = values;
  for (std::size_t i = 0; i < near.size(); ++i) near[i] += i % 2 == 0 ? 0.01F : -0.01F;
  far[3] += 0.4F;
  const KeySettings settings{.step = 0.1F, .cells = 16};
  EXPECT_EQ(similarity_key(values, settings), similarity_key(near, settings));
  EXPECT_NE(similarity_key(values, settings), similarity_key(far, settings));
  EXPECT_NE(similarity_key(values, {}), similarity_key(near, {}));
}

TEST(ResultCache, StaysInItsMemoryAndForgetsTheOldest) {
  ResultCache cache(4096);
  for (std::int32_t i = 0; i < 1000; ++i) {
    cache.put("m", {i}, CachedResult(8, static_cast<float>(i)));
    EXPECT_LE(cache.bytes(), 4096U);
    ASSERT_NE(cache.find("m", {i}), nullptr);
    EXPECT_EQ(cache.find("m", {i})->front(), static_cast<float>(i));
    if (i > 0) {
      EXPECT_NE(cache.find("m", {0}), nullptr) << "used all the time";
    }
  }
  EXPECT_EQ(cache.find("other", {999}), nullptr);
  EXPECT_EQ(cache.find("m", {500}), nullptr);
  cache.put("m", {7}, CachedResult(10'000));
  EXPECT_EQ(cache.find("m", {7}), nullptr);
  cache.forget("m");
  EXPECT_EQ(cache.entries(), 0U);
  EXPECT_EQ(cache.bytes(), 0U);
}

TEST(ResultCache, ItsEffectOnARepeatingStream) {
  std::mt19937 engine(3);
  ResultCache cache(std::size_t{1} << 20);
  int hits = 0;
  for (int i = 0; i < 2000; ++i) {
    // Few inputs are frequent, many are rare.
    const auto item = static_cast<std::int32_t>(engine() % (1U + engine() % 100U));
    if (cache.find("m", {item}) != nullptr) {
      ++hits;
    } else {
      cache.put("m", {item}, {0});
    }
  }
  EXPECT_GE(hits, 1900);  // of 2000: all but the first of each of 100
  RecordProperty("hits_of_2000", hits);
}

TEST(FrameFilter, LetsChangesThroughAndDoesNotDrift) {
  FilterSettings settings{.threshold = 0.05F, .cells = 16};
  FrameFilter state;
  std::vector<float> frame(256, 0.2F);
  int inferred = 0;
  const auto show = [&] {
    FrameDecision decision = filter_frame(settings, std::move(state), frame);
    state = std::move(decision.state);
    inferred += decision.action == FrameAction::Infer ? 1 : 0;
  };
  for (int i = 0; i < 50; ++i) show();
  EXPECT_EQ(inferred, 1);
  for (std::size_t i = 32; i < 48; ++i) frame[i] = 1;  // one cell of sixteen
  show();
  EXPECT_EQ(inferred, 2);
  // A fade by 0.012 a frame is seen when it has added up, though no step is.
  for (int i = 0; i < 60; ++i) {
    for (float& value : frame) value += 0.012F;
    show();
  }
  EXPECT_EQ(inferred, 14);
  settings.most_same = 4;
  for (int i = 0; i < 10; ++i) show();
  EXPECT_EQ(inferred, 16);
  frame.resize(64);
  show();
  EXPECT_EQ(inferred, 17);
}

TEST(Rate, FallsAtOnceAndRisesAfterACalm) {
  const RateSettings settings{.levels = {{2, 40, 100}, {8, 20, 400}, {15, 16, 1600}}, .calm = 3};
  RateState state{.level = 2};
  const auto frame = [&](Nanoseconds took, std::int64_t rate) {
    const RateDecision decision = adapt_rate(settings, state, {.took = took, .link_rate = rate});
    state = decision.state;
    return state.level;
  };
  EXPECT_EQ(frame(15, 0), 2U);
  EXPECT_EQ(frame(30, 0), 0U);  // 15 beside the model: 8 + 15 exceeds 20, 2 + 15 fits 40
  for (int i = 0; i < 2; ++i) EXPECT_EQ(frame(4, 0), 0U);
  EXPECT_EQ(frame(4, 0), 1U);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(frame(10, 0), 1U) << "15 + 2 does not fit 16";
  EXPECT_EQ(frame(8, 5'000'000'000), 0U);  // 5 bytes a nanosecond: 400 bytes take 80
}

}  // namespace
}  // namespace espalier::plan
