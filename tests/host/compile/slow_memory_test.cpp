// Compiling for a memory of few bytes per cycle:
// - on the layers on which NVDLA nv_small was measured, with its multipliers and its memory, fewer cycles than it took
// - a fully connected layer takes at most 5 % more than its bytes take; a depthwise one 10 times NE16's share of the
// peak
// - every byte is that of the CPU reference, with any memory, tilings and strips
// - strips are whole, at most as high as allowed, and one where nothing is loaded or stored by rows
// - tilings and strips that are told are taken
#include <gtest/gtest.h>

#include <numeric>

#include "arrays.hpp"
#include "compile/strips.hpp"
#include "execution.hpp"
#include "model/layer_text.hpp"

namespace espalier::test {
namespace {

constexpr compile::MemoryParameters Slow{8, 20};

compile::Compiled compiled_for(const model::Network& network, const compile::MemoryParameters& memory,
                               const abi::Configuration& configuration = abi::Array8x8) {
  compile::Options options;
  options.memory = memory;
  return compile::compile(network, configuration, options);
}

/// Checks every byte on the functional machine.
void expect_exact(const model::Network& network, const compile::Compiled& compiled, std::uint64_t seed) {
  Random random(seed);
  EXPECT_EQ(differences(network, compiled, random_inputs(network, random)), "");
}

struct PeerLayer {
  const char* text;
  std::uint32_t cycles;  // NVDLA nv_small: 64 multipliers, 8 bytes per cycle, latency 20
};

class PeerLayers : public testing::TestWithParam<PeerLayer> {};

TEST_P(PeerLayers, TakeFewerCycles) {
  const model::Network network = model::parse_layer(GetParam().text);
  const compile::Compiled compiled = compiled_for(network, Slow);
  EXPECT_LT(compiled.total_cycles, GetParam().cycles);
  expect_exact(network, compiled, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Nvdla, PeerLayers,
    testing::Values(PeerLayer{"conv ic16 ih32 oc16 kh3 ph1", 39546}, PeerLayer{"conv ic64 ih8 oc64 kh3 ph1", 38236},
                    PeerLayer{"conv ic16 ih32 oc32 kh3 sh2 ph1", 21393}, PeerLayer{"conv ic32 ih24 oc32", 29409},
                    PeerLayer{"conv ic128 ih6 oc128", 10633}, PeerLayer{"conv ic128 ih128 iw1 oc128", 37160},
                    PeerLayer{"fc ic640 oc128", 11117}, PeerLayer{"conv ic128 ih28 oc128 kh3 ph1", 1825163},
                    PeerLayer{"conv ic512 ih7 oc2048", 809329}));

TEST(SlowMemory, BoundsTheFullyConnectedLayer) {
  const compile::Compiled compiled = compiled_for(model::parse_layer("fc ic640 oc128"), Slow);
  const compile::LayerReport& layer = compiled.layers.front();
  EXPECT_LE(compiled.total_cycles, static_cast<std::uint32_t>(1.05 * 640 * 128 / Slow.bytes));
  EXPECT_LE(layer.dram_read_bytes, 640 * 128 * 103 / 100U);
}

TEST(SlowMemory, OverlapsDepthwise) {
  const compile::Compiled compiled = compiled_for(model::parse_layer("conv ic32 ih24 oc32 g32 kh3 ph1"), Slow);
  const double share = 24.0 * 24 * 32 * 9 / 64 / compiled.total_cycles;
  EXPECT_GE(share, 10 * 0.037);
}

class AnyMemory : public testing::TestWithParam<unsigned> {};

TEST_P(AnyMemory, GivesTheBytesOfTheReference) {
  const std::vector<std::string> layers{"conv ic5 ih11 iw13 oc19 kh3 ph1",
                                        "conv ic24 ih9 oc24 g24 kh3 ph1 sh2",
                                        "conv ic33 ih7 oc40 density0.3",
                                        "conv ic3 ih30 iw21 oc12 kh5 ph2 sh2",
                                        "fc ic100 oc70",
                                        "fc ic300 oc33 density0.2",
                                        "add ic20 ih7 iw5",
                                        "maxpool ic18 ih15 kh3 sh2 ph1",
                                        "avgpool ic9 ih12 kh2 sh2",
                                        "gavgpool ic40 ih7",
                                        "conv ic16 ih8 oc24 kh3 ph1 dh2",
                                        "conv ic12 ih10 oc18 kh3 ph1 g3"};
  for (const std::string& text : layers) {
    for (const auto& configuration : all_arrays()) {
      SCOPED_TRACE(text + " on " + abi::array_name(configuration));
      const model::Network network = model::parse_layer(text, 7);
      expect_exact(network, compiled_for(network, {GetParam(), 30}, configuration), 2);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Bytes, AnyMemory, testing::Values(1U, 8U, 32U));

TEST(Strips, CoverTheHeight) {
  Random random(5);
  for (int i = 0; i < 500; ++i) {
    compile::StripProblem problem;
    problem.height = random.between(1, 60);
    problem.most = random.between(1, problem.height);
    problem.compute = random.between(1, 3000);
    problem.weights = random.between(0, 3000);
    problem.chunks = random.between(1, 6);
    problem.store = random.between(0, 2000);
    problem.store_rows = random.chance(0.5);
    problem.load = random.between(0, 2000);
    problem.loaded_rows = random.between(1, 7);
    problem.rows_per_row = random.between(1, 2);
    const compile::StripChoice choice{random.between(1, 9), random.between(0, 9)};
    for (const auto& strips : {compile::estimate_strips(problem), compile::chosen_strips(problem, choice)}) {
      EXPECT_EQ(std::accumulate(strips.begin(), strips.end(), 0), problem.height);
      for (const int rows : strips) {
        EXPECT_GE(rows, 1);
        EXPECT_LE(rows, problem.most);
      }
    }
  }
}

TEST(Strips, AreOneWhereNothingOverlaps) {
  compile::StripProblem problem;
  problem.height = problem.most = 24;
  problem.compute = 100;
  problem.weights = 50;
  EXPECT_EQ(compile::estimate_strips(problem), (std::vector<int>{24}));
  // Loads as long as the computation: the first strip is loaded before it, the others beside it.
  problem.load = 100;
  problem.loaded_rows = problem.rows_per_row = 1;
  EXPECT_GT(compile::estimate_strips(problem).size(), 2U);
}

TEST(LayerChoice, IsTaken) {
  const model::Network network = model::parse_layer("conv ic16 ih16 oc16 kh3 ph1");
  compile::Options options;
  options.memory = Slow;
  const compile::Compiled best = compile::compile(network, abi::Array8x8, options);
  options.layers.resize(1);
  for (const int split : {1, 2}) {
    const compile::WordShape word{split, 8 / split};
    options.layers[0].tilings = {compile::Tiling::of(16, 16, 2, 2, word)};
    for (int count = 1; count <= 5; ++count) {
      options.layers[0].strips = compile::StripChoice{count, count > 2 ? 1 : 0};
      const compile::Compiled told = compile::compile(network, abi::Array8x8, options);
      EXPECT_EQ(told.layers.front().split, split);
      EXPECT_EQ(told.inputs.front().layout.grid_y, 2);
      EXPECT_LE(best.total_cycles, told.total_cycles);
      expect_exact(network, told, 3);
    }
  }
}

}  // namespace
}  // namespace espalier::test
