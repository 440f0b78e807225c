// Appends the nodes of trained layers to a Graph, one after another; each function returns the name of the tensor it
// makes. Batch normalization is folded into the convolution before it, which multiplies each output channel by one
// number: zeros stay zeros.
#pragma once

#include <string>
#include <vector>

#include "network.hpp"
#include "onnx_file.hpp"

namespace espalier::trainer {

class GraphBuilder {
 public:
  explicit GraphBuilder(Graph& graph) : graph_(graph) {}

  std::string node(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                   const std::string& output, std::vector<Attribute> attributes = {});
  std::string relu(const std::string& name, const std::string& src);
  std::string convolution(const std::string& name, const std::string& src, NormalizedConv& layer);
  std::string residual_block(const std::string& name, const std::string& src, ResidualBlock& block);
  /// The averages of the channels of a map, flat.
  std::string average(const std::string& name, const std::string& src);
  std::string flatten(const std::string& name, const std::string& src);
  /// A fully connected layer over flat values whose result is called `output`.
  std::string linear(const std::string& name, const std::string& src, torch::nn::Linear& layer,
                     const std::string& output);

 private:
  Graph& graph_;
};

}  // namespace espalier::trainer
