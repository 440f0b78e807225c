// The functional model and the RTL side by side, for tests that compare what they say of a fault.
#pragma once

#include <functional>
#include <utility>

#include "fault_session.hpp"
#include "functional/functional_bus.hpp"
#include "rtl/rtl_bus.hpp"

namespace espalier::test {

/// The functional model and the RTL with the same history.
struct Pair {
  functional::FunctionalBus functional{abi::Array8x8};
  rtl::RtlBus rtl;

  explicit Pair(std::uint64_t seed = 1) : rtl(abi::Array8x8, {{abi::BeatBytes, 20}, {}, {}, false, seed}) {}

  void expect_usable(Random& random) {
    scrub(functional);
    scrub(rtl);
    const RandomProgram good = random_program(abi::Array8x8, random, 1);
    FaultSession expected(functional, good);
    FaultSession actual(rtl, good);
    EXPECT_EQ(expected.run(), Outcome{});
    EXPECT_EQ(actual.run(), Outcome{});
    EXPECT_EQ(expected.output(), actual.output());
  }

  /// Runs on both; `damage` may change the arguments.
  std::pair<Outcome, Outcome> run(const RandomProgram& p, const std::function<void(FaultSession&)>& damage = {}) {
    FaultSession expected(functional, p);
    FaultSession actual(rtl, p);
    if (damage) {
      damage(expected);
      damage(actual);
    }
    return {expected.run(), actual.run()};
  }
};

/// The index of a random command with this opcode.
inline std::uint32_t pick(const RandomProgram& p, unsigned opcode, Random& random) {
  std::vector<std::uint32_t> found;
  for (std::uint32_t i = 0; i < p.program.command_count; ++i) {
    if (command_of(p, i).opcode == opcode) found.push_back(i);
  }
  return found[static_cast<std::size_t>(random.between(0, static_cast<int>(found.size()) - 1))];
}

}  // namespace espalier::test
