// Which of several compiled models, or which resolution and frame rate, an input gets.
//
//   std::optional<std::size_t> model = choose_model(models, {.time = 5'000'000, .difficulty = 3});
//   RateDecision rate = adapt_rate(settings, std::move(state), {.now = t, .took = 4'000'000});
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "plan/cost/units.hpp"

namespace espalier::plan {

/// A compiled model with its exact time and its accuracy, measured on data: over all inputs, and by class of
/// difficulty where inputs have one (a cheap measure of the input such as its contrast, or the exit that the input
/// before it took).
struct ModelOption {
  Nanoseconds bound = 0;
  BasisPoints accuracy = 0;
  std::vector<BasisPoints> by_difficulty;  // none: `accuracy` for all
  Nanojoules energy = 0;
};

struct InputNeed {
  Nanoseconds time = 0;                   // until the deadline
  std::optional<std::size_t> difficulty;  // class of this input
  BasisPoints enough = Whole;             // no more accuracy is paid for than this
};

/// The most accurate model that meets the deadline; of those that reach `enough`, the one of least energy, then of
/// least time. None if no bound fits.
std::optional<std::size_t> choose_model(const std::vector<ModelOption>& models, const InputNeed& need);

/// A resolution with the time of its model, and a frame interval with it.
struct RateLevel {
  Nanoseconds bound = 0;     // of the model at this resolution
  Nanoseconds interval = 0;  // between frames; at least the bound
  std::int64_t bytes = 0;    // of a frame, for the link
};

struct RateSettings {
  std::vector<RateLevel> levels;  // from the cheapest to the best; at least one
  int calm = 20;                  // frames with room for the next level before it is taken
};

struct RateState {
  std::size_t level = 0;
  int calm = 0;
};

struct RateSample {
  Nanoseconds took = 0;        // from the frame to its answer
  std::int64_t link_rate = 0;  // bytes per second; 0: frames are not sent
};

struct RateDecision {
  RateState state;
  RateLevel level;
};

/// Down at once when the last frame took longer than its interval, or the link carries no frame of this size in an
/// interval; up by one level after `calm` frames in which the next level would have fitted, by the exact bounds.
RateDecision adapt_rate(const RateSettings& settings, RateState state, const RateSample& sample);

}  // namespace espalier::plan
