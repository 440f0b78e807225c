// Properties: the choice under a budget equals brute force, fits and refuses budgets that nothing fits; corrected
// biases remove the mean error; noise is that of the formula and grows with fewer bits.
#include "compress/weight_choice.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "compress/noise.hpp"
#include "cpu/float_reference.hpp"
#include "esp_error.hpp"
#include "model/onnx_import.hpp"
#include "model/rewrites.hpp"
#include "networks.hpp"

namespace espalier::compress {
namespace {

using test::Random;

TEST(LeastCost, EqualsBruteForce) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    std::vector<std::vector<Alternative>> layers(static_cast<std::size_t>(random.between(1, 5)));
    for (auto& alternatives : layers)
      for (int i = random.between(1, 4); i > 0; --i)
        alternatives.push_back(
            {static_cast<std::uint64_t>(random.between(0, 40)), static_cast<double>(random.between(0, 1000))});
    const auto limit = static_cast<std::uint64_t>(random.between(0, 120));
    double best = std::numeric_limits<double>::infinity();
    std::vector<std::size_t> digits(layers.size(), 0);
    for (bool more = true; more;) {
      std::uint64_t bytes = 0;
      double cost = 0;
      for (std::size_t i = 0; i < layers.size(); ++i)
        bytes += layers[i][digits[i]].bytes, cost += layers[i][digits[i]].cost;
      if (bytes <= limit) best = std::min(best, cost);
      more = false;
      for (std::size_t i = 0; i < layers.size() && !more; ++i) {
        more = ++digits[i] < layers[i].size();
        if (!more) digits[i] = 0;
      }
    }
    const auto taken = least_cost(layers, limit);
    ASSERT_EQ(taken.has_value(), std::isfinite(best)) << seed;
    if (!taken) continue;
    double cost = 0;
    for (std::size_t i = 0; i < layers.size(); ++i) cost += layers[i][(*taken)[i]].cost;
    EXPECT_EQ(cost, best) << seed;
  }
}

std::uint64_t bytes_of(const std::vector<WeightChoice>& choices) {
  std::uint64_t bytes = 0;
  for (const WeightChoice& choice : choices) bytes += choice.bytes();
  return bytes;
}

TEST(WeightBudget, IsKept) {
  Random random;
  const model::Graph graph = model::import_onnx_bytes(test::residual_network(random, false).bytes());
  const auto samples = test::random_samples(graph, 6, random);
  double before = std::numeric_limits<double>::infinity();
  const std::uint64_t all = bytes_of(quantise_graph(graph, samples).weights);
  for (const double share : {0.2, 0.35, 0.5, 0.8, 1.0}) {
    WeightBudget budget;
    budget.bytes = static_cast<std::uint64_t>(static_cast<double>(all) * share);
    const auto weights = quantise_graph(graph, samples, {.weights = budget}).weights;
    EXPECT_LE(bytes_of(weights), *budget.bytes);
    double noise = 0;
    for (const WeightChoice& choice : weights) noise += choice.noise.value();
    EXPECT_LE(noise, before);
    before = noise;
    if (share >= 1)
      for (const WeightChoice& choice : weights) EXPECT_EQ(choice.type, WeightType::Int8);
  }
}

TEST(WeightBudget, RefusesWhatNothingFits) {
  Random random;
  const model::Graph graph = model::import_onnx_bytes(test::residual_network(random, false).bytes());
  const auto samples = test::random_samples(graph, 2, random);
  const auto refused = [&](const WeightBudget& budget) {
    EXPECT_THROW(quantise(graph, samples, {.weights = budget}), Error);
  };
  refused({.bytes = 1});
  refused({.bytes = 100000, .bits = 4});
  refused({.bits = -1});
  refused({.bits = 4, .types = {WeightType::Int8}});
  refused({.types = {}});
}

TEST(BiasCorrection, RemovesTheMeanError) {
  Random random;
  test::OnnxBuilder b;
  b.input("x", {1, 3, 6, 6});
  test::add_conv(b, "x", "y", 3, 5, 3, 1, 1, random);
  b.output("y");
  const model::Graph graph = model::import_onnx_bytes(b.bytes());
  const auto samples = test::random_samples(graph, 8, random);
  WeightBudget ternary{{}, {}, {WeightType::Ternary}};
  const auto mean_error = [&](bool correct) {
    const QuantisedGraph q = quantise_graph(graph, samples, {.correct_bias = correct, .weights = ternary});
    const cpu::FloatExecutor reals(q.reals), rounded(q.dequantised);
    std::vector<double> mean(5, 0.0);
    for (const Sample& sample : samples) {
      const auto out = static_cast<std::size_t>(q.reals.outputs[0].value);
      const auto expected = reals.run(sample)[out], actual = rounded.run(sample)[out];
      for (std::size_t i = 0; i < expected.size(); ++i) mean[i / 36] += actual[i] - expected[i];
    }
    double largest = 0;
    for (const double each : mean) largest = std::max(largest, std::abs(each) / (36 * 8));
    return largest;
  };
  EXPECT_GT(mean_error(false), 1e-3);
  EXPECT_LT(mean_error(true), 1e-5);
}

TEST(Noise, IsTheRatioOfEnergies) {
  Noise noise;
  EXPECT_FALSE(noise.decibels());
  noise.add(10, 9);
  EXPECT_DOUBLE_EQ(noise.decibels().value(), 20);
  noise.add(0, 3);
  EXPECT_DOUBLE_EQ(noise.decibels().value(), 10);
  Noise nothing;
  nothing.add(0, 1);
  EXPECT_EQ(nothing.decibels().value(), -std::numeric_limits<double>::infinity());
}

TEST(Noise, GrowsWithFewerBits) {
  Random random;
  const model::Graph graph = model::import_onnx_bytes(test::residual_network(random, true).bytes());
  const auto samples = test::random_samples(graph, 16, random);
  double before = std::numeric_limits<double>::infinity();
  for (const WeightType type : {WeightType::Int8, WeightType::Int4, WeightType::Binary}) {
    const QuantisedGraph q = quantise_graph(graph, samples, {.weights = {{}, {}, {type}}});
    const NoiseReport report = measure_noise(q, samples);
    EXPECT_EQ(report.samples, 16U);
    EXPECT_EQ(report.layers.size(), q.quantised.network.layers.size());
    ASSERT_EQ(report.outputs.size(), 1U);
    // The ranges of activations are those of the weights of the file, so only weights near them fit.
    if (type == WeightType::Int8) {
      EXPECT_GT(report.outputs[0].dequantised.decibels().value(), 25);
    }
    const double level = report.outputs[0].reals.value().decibels().value();
    EXPECT_LT(level, before);
    before = level;
    EXPECT_EQ(report.layers[0].weights, type);
    EXPECT_EQ(report.worst.size(), 5U);
    for (std::size_t i = 1; i < report.worst.size(); ++i)
      EXPECT_LE(report.layers[report.worst[i - 1]].own->decibels().value(),
                report.layers[report.worst[i]].own->decibels().value());
  }
}

}  // namespace
}  // namespace espalier::compress
