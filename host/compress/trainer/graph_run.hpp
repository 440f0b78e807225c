// Runs a Graph as read from an ONNX file, so that the accuracy reported is that of the file, not of the network it
// was made from.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "onnx_file.hpp"
#include "pruning.hpp"
#include "samples.hpp"

namespace espalier::trainer {

struct GraphScore {
  std::int64_t correct = 0;  // of the last output
  std::int64_t count = 0;
  std::map<std::string, double> largest_activation;  // per tensor: the largest magnitude over all samples
  std::vector<std::int64_t> correct_per_output;

  double accuracy() const { return static_cast<double>(correct) / static_cast<double>(count); }
};

GraphScore score_graph(const Graph& graph, const Samples& samples);

// Non-zeros of the weights of every Conv and Gemm node.
std::vector<LayerDensity> graph_densities(const Graph& graph);

}  // namespace espalier::trainer
