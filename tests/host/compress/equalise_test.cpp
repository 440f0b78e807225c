// Properties: channels get the factors computed by hand; the function stays the same, over residual blocks as well;
// uneven channels cost many decibels without and few with equalisation; no factor beyond the limit.
#include "compress/equalise.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/noise.hpp"
#include "cpu/float_reference.hpp"
#include "model/onnx_import.hpp"
#include "model/rewrites.hpp"
#include "networks.hpp"

namespace espalier::compress {
namespace {

using test::OnnxBuilder;
using test::Random;

model::Graph canonical(const OnnxBuilder& b) { return model::canonicalise(model::import_onnx_bytes(b.bytes())); }

std::vector<float> constant(const model::Graph& graph, std::size_t node, std::size_t input) {
  return graph.value(graph.nodes[node].inputs[input]).constant->as_floats();
}

TEST(Equalise, GivesEveryChannelTheRangeOfItsTensor) {
  OnnxBuilder b;
  b.input("x", {1, 1, 2, 2});
  b.floats("w1", {2, 1, 1, 1}, {8, 1});
  b.floats("b1", {2}, {16, 2});
  b.floats("w2", {2, 1, 1, 1}, {1, 4});
  b.floats("w3", {1, 2, 1, 1}, {1, 1});
  b.node("Conv", {"x", "w1", "b1"}, "h");
  b.node("Relu", {"h"}, "r");
  OnnxBuilder::set(b.node("Conv", {"r", "w2"}, "d"), "group", 2);
  b.node("Relu", {"d"}, "s");
  b.node("Conv", {"s", "w3"}, "y");
  b.output("y");
  model::Graph graph = canonical(b);
  const auto sets = equalise(graph, std::vector<Sample>{{{2, 1, 0, 1}}});
  // r reaches 32 and 4: s is 1 and 1/8, because a depthwise convolution reads any factor at no cost.
  ASSERT_FALSE(sets.empty());
  EXPECT_EQ(sets[0].writers, std::vector<std::string>{graph.nodes[0].name});
  EXPECT_EQ(sets[0].readers, std::vector<std::string>{graph.nodes[1].name});
  EXPECT_NEAR(sets[0].largest_scale, 8, 1e-6);
  EXPECT_EQ(constant(graph, 0, 1), (std::vector<float>{8, 8}));
  EXPECT_EQ(constant(graph, 0, 2), (std::vector<float>{16, 16}));
}

TEST(Equalise, KeepsTheFunction) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const model::Graph before = canonical(test::residual_network(random, false));
    model::Graph after = before;
    EXPECT_FALSE(equalise(after, test::random_samples(before, 4, random)).empty());
    for (const Sample& sample : test::random_samples(before, 3, random)) {
      const auto output = static_cast<std::size_t>(before.outputs[0].value);
      const auto expected = cpu::FloatExecutor(before).run(sample)[output];
      const auto actual = cpu::FloatExecutor(after).run(sample)[output];
      for (std::size_t i = 0; i < expected.size(); ++i)
        EXPECT_NEAR(actual[i], expected[i], 1e-4 * (1 + std::abs(expected[i])));
    }
  }
}

/// A residual block whose channels are up to 2^7 apart, and as much that undoes it.
OnnxBuilder uneven_network(Random& random) {
  constexpr std::int64_t Channels = 8;
  OnnxBuilder b;
  b.input("x", {1, 3, 10, 10});
  const auto weights = [&](const std::string& name, std::int64_t inputs, auto&& factor) {
    std::vector<float> values;
    for (std::int64_t o = 0; o < Channels; ++o)
      for (std::int64_t i = 0; i < inputs; ++i)
        values.push_back(static_cast<float>((2 * random.unit() - 1) * factor(o, i)));
    b.floats(name, {Channels, inputs, 1, 1}, std::move(values));
  };
  weights("stem.w", 3, [](auto o, auto) { return std::exp2(o); });
  weights("deep.w", 1, [](auto, auto) { return 1.0; });
  weights("wide.w", Channels, [](auto o, auto i) { return std::exp2(o - i); });
  weights("last.w", Channels, [](auto, auto i) { return std::exp2(-i); });
  b.node("Conv", {"x", "stem.w"}, "stem");
  b.node("Relu", {"stem"}, "r");
  OnnxBuilder::set(b.node("Conv", {"r", "deep.w"}, "deep"), "group", Channels);
  b.node("Conv", {"deep", "wide.w"}, "wide");
  b.node("Add", {"r", "wide"}, "sum");
  b.node("Relu", {"sum"}, "block");
  b.node("Conv", {"block", "last.w"}, "y");
  b.output("y");
  return b;
}

TEST(Equalise, UnevenChannelsKeepTheirPrecision) {
  for (std::uint64_t seed = 0; seed < 5; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const model::Graph graph = model::import_onnx_bytes(uneven_network(random).bytes());
    const auto samples = test::random_samples(graph, 8, random);
    const auto decibels = [&](bool equalise) {
      return measure_noise(quantise_graph(graph, samples, {.equalise = equalise}), samples)
          .outputs[0]
          .reals.value()
          .decibels()
          .value();
    };
    const double without = decibels(false), with = decibels(true);
    EXPECT_LT(without, 25);
    EXPECT_GT(with, 28);
    EXPECT_GT(with, without + 8);
  }
}

TEST(Equalise, LimitsWhatSamplesHardlyReach) {
  Random random(9);
  OnnxBuilder b;
  b.input("x", {1, 1, 4, 4});
  b.floats("w1", {2, 1, 1, 1}, {1, 1e-6F});
  b.floats("w2", {2, 1, 1, 1}, {1, 1});
  b.floats("w3", {1, 2, 1, 1}, {1, 1});
  b.node("Conv", {"x", "w1"}, "h");
  OnnxBuilder::set(b.node("Conv", {"h", "w2"}, "d"), "group", 2);
  b.node("Conv", {"d", "w3"}, "y");
  b.output("y");
  model::Graph graph = canonical(b);
  for (const Equalised& set : equalise(graph, test::random_samples(graph, 4, random)))
    EXPECT_LE(set.largest_scale, 32 * (1 + 1e-6));
  EXPECT_NEAR(constant(graph, 0, 1)[1], 32e-6, 1e-9);
}

}  // namespace
}  // namespace espalier::compress
