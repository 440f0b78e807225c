// Properties:
//   - threshold 0 runs all stages, one above the logarithm of the classes only the first; the exit is the first whose
//     entropy is below its threshold; its logits are those of the reference
//   - the rows are those of the stages that ran and sum to the predicted cycles of the exit
//   - wrong numbers of thresholds, networks of one output and plain sessions are refused
//   - a saved executable keeps its stages
#include "run/exit_session.hpp"

#include <gtest/gtest.h>

#include "cpu/reference.hpp"
#include "esp_error.hpp"
#include "exit_network.hpp"
#include "functional/functional_bus.hpp"
#include "random.hpp"
#include "run/executable_file.hpp"

namespace espalier::run {
namespace {

constexpr std::int32_t Never = 0;
constexpr std::int32_t Always = 1 << 20;

Feature random_image(test::Random& random) {
  Feature image(3 * 12 * 12);
  for (auto& value : image) value = random.byte();
  return image;
}

TEST(ExitSession, LeavesAtTheFirstExitBelowItsThreshold) {
  const test::ExitCase exits = test::exit_case(abi::Array8x8);
  functional::FunctionalBus bus(abi::Array8x8);
  driver::Device device(bus);
  test::Random random;
  for (int round = 0; round < 6; ++round) {
    const std::vector<Feature> image{random_image(random)};
    const auto expected = cpu::run(exits.network, image);
    std::vector<std::int32_t> entropies;
    for (std::size_t i = 0; i < 3; ++i)
      entropies.push_back(exit_entropy(exits.executable.ports.outputs[i],
                                       expected[static_cast<std::size_t>(exits.network.outputs[i])]));
    const auto leaves = [&](std::vector<std::int32_t> thresholds, std::size_t exit) {
      ExitSession session(device, exits.executable, {std::move(thresholds)},
                          {.device = "functional", .memory = {}, .limits = {}});
      const ExitRun run = session.run_features(image);
      EXPECT_EQ(run.exit, exit);
      EXPECT_EQ(run.logits, expected[static_cast<std::size_t>(exits.network.outputs[exit])]);
      EXPECT_EQ(run.entropies, std::vector<std::int32_t>(entropies.begin(),
                                                         entropies.begin() + 1 + static_cast<std::ptrdiff_t>(exit)));
      EXPECT_EQ(run.report.totals.predicted_cycles, session.predicted()[exit]);
    };
    leaves({Always, Always}, 0);
    leaves({Never, Never}, 2);
    leaves({Never, Always}, 1);
    leaves({entropies[0], entropies[1] + 1}, 1);
    leaves({entropies[0] + 1, Never}, 0);
  }
}

TEST(ExitSession, RefusesWhatHasNoExits) {
  const test::ExitCase exits = test::exit_case(abi::Array8x8);
  functional::FunctionalBus bus(abi::Array8x8);
  driver::Device device(bus);
  const Settings settings{.device = "functional", .memory = {}, .limits = {}};
  EXPECT_THROW(ExitSession(device, exits.executable, {{Never}}, settings), Error);
  EXPECT_THROW(Session(device, exits.executable, settings), Error);
  Executable plain = exits.executable;
  plain.compiled.stages.clear();
  plain.compiled.program.stages.clear();
  EXPECT_THROW(ExitSession(device, plain, {{Never, Never}}, settings), Error);
}

TEST(ExitSession, SurvivesAFile) {
  const test::ExitCase exits = test::exit_case(abi::Array8x8);
  const Executable read = deserialise(serialise(exits.executable), "memory");
  functional::FunctionalBus bus(abi::Array8x8);
  driver::Device device(bus);
  test::Random random;
  const std::vector<Feature> image{random_image(random)};
  const Settings settings{.device = "functional", .memory = {}, .limits = {}};
  ExitSession session(device, read, {{Never, Never}}, settings);
  EXPECT_EQ(session.run_features(image).logits,
            cpu::run(exits.network, image)[static_cast<std::size_t>(exits.network.outputs.back())]);
  EXPECT_EQ(session.predicted(), ExitSession(device, exits.executable, {{Never, Never}}, settings).predicted());
  EXPECT_EQ(session.predicted().back(), exits.executable.compiled.total_cycles);
}

}  // namespace
}  // namespace espalier::run
