// Random numbers for tests: seeded from GoogleTest, so that --gtest_random_seed=N replays a failure.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>

namespace espalier::test {

/// A generator for case number `index` of the running test, and the trace line that says how to replay it.
class Random {
 public:
  explicit Random(std::uint64_t index = 0)
      : seed_(static_cast<std::uint64_t>(::testing::UnitTest::GetInstance()->random_seed())),
        engine_(seed_ * 1000003U + index),
        trace_(__FILE__, __LINE__,
               "replay with --gtest_random_seed=" + std::to_string(seed_) + ", case " + std::to_string(index)) {}

  /// Uniform integer in [low, high].
  int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine_); }
  /// Uniform real in [0, 1).
  double unit() { return std::uniform_real_distribution<double>(0.0, 1.0)(engine_); }
  bool chance(double probability) { return unit() < probability; }
  std::int8_t byte() { return static_cast<std::int8_t>(between(-128, 127)); }
  std::mt19937_64& engine() { return engine_; }

 private:
  std::uint64_t seed_;
  std::mt19937_64 engine_;
  ::testing::ScopedTrace trace_;
};

}  // namespace espalier::test
