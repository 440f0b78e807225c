// What cache, filter, choice of model and adaptation of the rate save, and what answers they cost, on streams made of
// digits. Each is measured on and off.
//
//   std::vector<LeverRow> rows = lever_rows({images, labels, &pruned, &dense, 30'000, 140'000});
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "model_loader.hpp"
#include "plan/cost/units.hpp"

namespace espalier::tools {

/// One row: how much was computed, how many answers are those of computing all, how many are right, and the time that
/// accelerator and link took.
struct LeverRow {
  std::string lever, setting;
  int frames = 0, computed = 0, same = 0, right = 0;
  plan::Nanoseconds time = 0;
  std::string note;

  double microseconds_per_frame() const { return static_cast<double>(time) / 1000 / std::max(frames, 1); }
};

struct LeverInput {
  std::filesystem::path images, labels;  // IDX files: N x 28 x 28 and N bytes
  const QuantisedModel* fast = nullptr;
  const QuantisedModel* slow = nullptr;  // more accurate
  plan::Nanoseconds fast_bound = 0, slow_bound = 0;
  int requests = 1000;  // to cache, filter and choice
  std::uint64_t seed = 1;
};

/// The same numbers for the same seed, but for the host's times in the notes. Throws Error (Input) for files that are
/// not such images.
std::vector<LeverRow> lever_rows(const LeverInput& input);

}  // namespace espalier::tools
