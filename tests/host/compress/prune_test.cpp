// Properties: the density is exact; the largest weights stay; a global threshold prunes layers unevenly; n of m holds
// in every group; wrong options are refused.
#include "compress/prune.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "esp_error.hpp"
#include "model/onnx_import.hpp"
#include "networks.hpp"

namespace espalier::compress {
namespace {

model::Graph make_graph(test::Random& random) {
  return model::import_onnx_bytes(test::residual_network(random, false).bytes());
}

TEST(Prune, KeepsTheShareOfEveryLayer) {
  test::Random random;
  model::Graph graph = make_graph(random);
  const model::Graph before = graph;
  for (const Pruned& layer : prune(graph, {.density = 0.25}))
    EXPECT_EQ(layer.nonzero, std::llround(0.25 * static_cast<double>(layer.weights))) << layer.node;
  const auto& old_weights = before.value(before.nodes[0].inputs[1]).constant->as_floats();
  const auto& weights = graph.value(graph.nodes[0].inputs[1]).constant->as_floats();
  float smallest_kept = 1e9F, largest_gone = 0;
  for (std::size_t i = 0; i < weights.size(); ++i)
    if (weights[i] != 0)
      smallest_kept = std::min(smallest_kept, std::abs(old_weights[i]));
    else
      largest_gone = std::max(largest_gone, std::abs(old_weights[i]));
  EXPECT_GE(smallest_kept, largest_gone);
}

TEST(Prune, KeepsTheShareOfTheNetwork) {
  test::Random random;
  model::Graph graph = make_graph(random);
  std::int64_t weights = 0, nonzero = 0;
  for (const Pruned& layer : prune(graph, {.density = 0.1, .scope = PruneScope::Global})) {
    weights += layer.weights;
    nonzero += layer.nonzero;
  }
  EXPECT_EQ(nonzero, std::llround(0.1 * static_cast<double>(weights)));
}

TEST(Prune, KeepsNOfM) {
  test::Random random;
  model::Graph graph = make_graph(random);
  prune_n_of_m(graph, 2, 4);
  const auto weights = graph.value(graph.nodes[0].inputs[1]).constant->as_floats();
  for (std::size_t row = 0; row < weights.size(); row += 18)
    for (std::size_t i = row; i < row + 18; i += 4) {
      const auto end = weights.begin() + static_cast<std::ptrdiff_t>(std::min(i + 4, row + 18));
      EXPECT_EQ(2,
                std::count_if(weights.begin() + static_cast<std::ptrdiff_t>(i), end, [](float w) { return w != 0; }));
    }
}

TEST(Prune, RefusesWrongOptions) {
  test::Random random;
  model::Graph graph = make_graph(random);
  EXPECT_THROW(prune(graph, {.density = 1.5}), Error);
  EXPECT_THROW(prune(graph, {.density = std::nan("")}), Error);
  EXPECT_THROW(prune_n_of_m(graph, 3, 2), Error);
  EXPECT_THROW(prune_n_of_m(graph, 0, 0), Error);
}

}  // namespace
}  // namespace espalier::compress
