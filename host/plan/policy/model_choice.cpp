#include "plan/policy/model_choice.hpp"

#include <algorithm>
#include <tuple>

namespace espalier::plan {
namespace {

constexpr std::int64_t SecondInNanoseconds = 1'000'000'000;

BasisPoints expected(const ModelOption& model, const InputNeed& need) {
  if (!need.difficulty || *need.difficulty >= model.by_difficulty.size()) return model.accuracy;
  return model.by_difficulty[*need.difficulty];
}

bool fits_link(const RateLevel& level, const RateSample& sample) {
  if (sample.link_rate <= 0) return true;
  return scaled(level.bytes, SecondInNanoseconds, sample.link_rate) <= level.interval;
}

/// Whether the level would have kept its interval: what the frame took beside the model stays the same.
bool would_fit(const RateLevel& level, const RateLevel& present, const RateSample& sample) {
  const Nanoseconds beside = std::max<Nanoseconds>(0, sample.took - present.bound);
  return add(level.bound, beside) <= level.interval && fits_link(level, sample);
}

}  // namespace

std::optional<std::size_t> choose_model(const std::vector<ModelOption>& models, const InputNeed& need) {
  std::optional<std::size_t> best;
  const auto rank = [&](const ModelOption& model) {
    return std::tuple(std::min(expected(model, need), need.enough), -model.energy, -model.bound);
  };
  for (std::size_t i = 0; i < models.size(); ++i) {
    if (models[i].bound > need.time) continue;
    if (!best || rank(models[i]) > rank(models[*best])) best = i;
  }
  return best;
}

RateDecision adapt_rate(const RateSettings& settings, RateState state, const RateSample& sample) {
  const RateLevel present = settings.levels[state.level];
  if (!fits_link(present, sample) || sample.took > present.interval) {
    state.calm = 0;
    while (state.level > 0) {
      --state.level;
      if (would_fit(settings.levels[state.level], present, sample)) break;
    }
    return {state, settings.levels[state.level]};
  }
  const bool room =
      state.level + 1 < settings.levels.size() && would_fit(settings.levels[state.level + 1], present, sample);
  state.calm = room ? state.calm + 1 : 0;
  if (state.calm >= settings.calm) {
    ++state.level;
    state.calm = 0;
  }
  return {state, settings.levels[state.level]};
}

}  // namespace espalier::plan
