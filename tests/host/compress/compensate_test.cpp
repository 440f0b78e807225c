// Properties: errors of weights that read the same cancel, as computed by hand; the error of every convolution falls in
// every type whose levels are neighbours; zeros stay zeros and other types stay as they are.
#include "compress/compensate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "compress/quantise.hpp"
#include "model/onnx_import.hpp"
#include "networks.hpp"

namespace espalier::compress {
namespace {

using test::OnnxBuilder;
using test::Random;

const std::vector<std::int8_t>& levels(const QuantisedGraph& q, const WeightChoice& choice) {
  const model::Value& value = q.dequantised.value(q.dequantised.nodes[choice.node].inputs[1]);
  return std::get<std::vector<std::int8_t>>(value.constant->values);
}

TEST(CompensateRounding, ErrorsOfEqualInputsCancel) {
  OnnxBuilder b;
  b.input("x", {1, 3, 1, 2});
  b.floats("w", {1, 3, 1, 1}, {0.4F, 0.4F, 127});
  b.node("Conv", {"x", "w"}, "y");
  b.output("y");
  const model::Graph graph = model::import_onnx_bytes(b.bytes());
  // Channels of equal values, and one apart from them.
  const std::vector<Sample> samples{{{1, -1, 1, -1, 0, 0}}, {{0, 0, 0, 0, 1, -1}}};
  const QuantisedGraph nearest = quantise_graph(graph, samples),
                       moved = quantise_graph(graph, samples, {.compensate = true});
  EXPECT_EQ(levels(nearest, nearest.weights[0]), (std::vector<std::int8_t>{0, 0, 127}));
  // 0.4 + 0.4 is nearer to 1 than to 0.
  EXPECT_EQ(levels(moved, moved.weights[0]), (std::vector<std::int8_t>{1, 0, 127}));
}

/// Maps whose channels hang together, as those of trained networks do.
std::vector<Sample> correlated_samples(const model::Graph& graph, int count, Random& random) {
  std::vector<Sample> samples = test::random_samples(graph, count, random);
  for (Sample& sample : samples)
    for (float& value : sample[0]) value = 1 + 0.3F * value;
  return samples;
}

TEST(CompensateRounding, EveryErrorFallsAndZerosStay) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    const model::Graph graph = model::import_onnx_bytes(test::residual_network(random, false).bytes());
    const auto samples = correlated_samples(graph, 8, random);
    for (const WeightType type : {WeightType::Int8, WeightType::Int4, WeightType::Ternary, WeightType::Binary}) {
      const WeightBudget types{{}, {}, {type}};
      const QuantisedGraph nearest = quantise_graph(graph, samples, {.weights = types});
      const QuantisedGraph moved = quantise_graph(graph, samples, {.compensate = true, .weights = types});
      const auto before = weight_errors(nearest.reals, nearest.dequantised, samples);
      const auto after = weight_errors(moved.reals, moved.dequantised, samples);
      double sum_before = 0, sum_after = 0;
      for (std::size_t i = 0; i < before.size(); ++i) {
        // What is damped may give up a little of an error that is small already.
        EXPECT_LE(after[i].error, before[i].error * 1.02) << moved.weights[i].name;
        sum_before += before[i].noise(), sum_after += after[i].noise();
        if (type == WeightType::Binary) EXPECT_EQ(levels(moved, moved.weights[i]), levels(nearest, nearest.weights[i]));
        const auto exact = moved.reals.value(moved.reals.nodes[after[i].node].inputs[1]).constant->as_floats();
        for (std::size_t k = 0; k < exact.size(); ++k)
          if (!(std::abs(exact[k]) > 0)) EXPECT_EQ(levels(moved, moved.weights[i])[k], 0);
      }
      if (type != WeightType::Binary) EXPECT_LT(sum_after, 0.8 * sum_before) << to_string(type);
    }
  }
}

}  // namespace
}  // namespace espalier::compress
