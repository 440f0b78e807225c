#include "graph_run.hpp"

#include <algorithm>

#include <torch/torch.h>

#include "esp_error.hpp"

namespace espalier::trainer {
namespace {

constexpr std::int64_t Batch = 500;

using Tensors = std::map<std::string, torch::Tensor>;

std::vector<std::int64_t> attribute(const Node& node, const std::string& name) {
  for (const Attribute& candidate : node.attributes)
    if (candidate.name == name) return candidate.values;
  throw Error(ErrorCode::Model, "missing attribute", "node " + node.name, name);
}

torch::Tensor run_convolution(const Node& node, const Tensors& tensors) {
  const std::vector<std::int64_t> pads = attribute(node, "pads");  // top, left, bottom, right
  const torch::Tensor padded = torch::constant_pad_nd(tensors.at(node.inputs[0]), {pads[1], pads[3], pads[0], pads[2]});
  return torch::conv2d(padded, tensors.at(node.inputs[1]), tensors.at(node.inputs[2]), attribute(node, "strides"),
                       torch::IntArrayRef{0, 0}, attribute(node, "dilations"), attribute(node, "group")[0]);
}

torch::Tensor run_node(const Node& node, const Tensors& tensors) {
  const torch::Tensor& src = tensors.at(node.inputs.at(0));
  if (node.op == "Conv") return run_convolution(node, tensors);
  if (node.op == "Relu") return torch::relu(src);
  if (node.op == "Add") return src + tensors.at(node.inputs.at(1));
  if (node.op == "GlobalAveragePool") return src.mean({2, 3}, /*keepdim=*/true);
  if (node.op == "Flatten") return src.flatten(attribute(node, "axis")[0]);
  if (node.op == "Gemm") return torch::addmm(tensors.at(node.inputs[2]), src, tensors.at(node.inputs[1]).t());
  throw Error(ErrorCode::Unsupported, "operator not in the digit network", "node " + node.name, node.op);
}

Tensors initial_tensors(const Graph& graph) {
  Tensors tensors;
  for (const Initializer& initializer : graph.initializers)
    tensors[initializer.shape.name] = torch::tensor(initializer.values).view(initializer.shape.sizes);
  return tensors;
}

}  // namespace

GraphScore score_graph(const Graph& graph, const Samples& samples) {
  const torch::NoGradGuard no_gradient;
  Tensors tensors = initial_tensors(graph);
  GraphScore score;
  score.correct_per_output.assign(graph.outputs.size(), 0);
  for (std::int64_t at = 0; at < samples.count(); at += Batch) {
    const Samples batch = samples.slice(at, std::min(at + Batch, samples.count()));
    tensors[graph.input.name] = batch.images;
    for (const Node& node : graph.nodes) {
      const torch::Tensor result = run_node(node, tensors);
      double& largest = score.largest_activation[node.output];
      largest = std::max(largest, result.abs().max().item<double>());
      tensors[node.output] = result;
    }
    for (std::size_t i = 0; i < graph.outputs.size(); ++i)
      score.correct_per_output[i] +=
          tensors.at(graph.outputs[i].name).argmax(1).eq(batch.labels).sum().item<std::int64_t>();
    score.count += batch.count();
  }
  score.correct = score.correct_per_output.back();
  return score;
}

std::vector<LayerDensity> graph_densities(const Graph& graph) {
  const Tensors tensors = initial_tensors(graph);
  std::vector<NamedWeight> weights;
  for (const Node& node : graph.nodes)
    if (node.op == "Conv" || node.op == "Gemm") weights.push_back({node.name, tensors.at(node.inputs.at(1))});
  return densities(weights);
}

}  // namespace espalier::trainer
