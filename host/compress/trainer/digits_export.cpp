#include "digits_export.hpp"

namespace espalier::trainer {
namespace {

Initializer initializer(const std::string& name, const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().to(torch::kFloat32).contiguous();
  const float* data = plain.data_ptr<float>();
  return {{name, plain.sizes().vec()}, {data, data + plain.numel()}};
}

// 0 * negative is -0: adding +0 stores every zero with the bits of zero.
torch::Tensor plain_zeros(const torch::Tensor& weight) { return weight + 0.0; }

// Appends nodes one after another; each function returns the name of the tensor it makes.
class GraphBuilder {
 public:
  explicit GraphBuilder(Graph& graph) : graph_(graph) {}

  // norm(conv(x)) = conv'(x) with w' = w * g, b' = beta - mean * g, g = gamma / sqrt(variance + eps), in double.
  std::string convolution(const std::string& name, const std::string& src, NormalizedConv& layer) {
    const torch::Tensor variance = layer->norm->running_var.to(torch::kFloat64);
    const torch::Tensor mean = layer->norm->running_mean.to(torch::kFloat64);
    const torch::Tensor gain = layer->norm->weight.to(torch::kFloat64) / (variance + layer->norm->options.eps()).sqrt();
    graph_.initializers.push_back(
        initializer(name + "_weight", plain_zeros(layer->conv->weight.to(torch::kFloat64) * gain.view({-1, 1, 1, 1}))));
    graph_.initializers.push_back(initializer(name + "_bias", layer->norm->bias.to(torch::kFloat64) - mean * gain));

    const std::int64_t kernel = layer->conv->weight.size(2);
    const std::int64_t stride = layer->conv->options.stride()->at(0);
    const std::int64_t pad = kernel / 2;
    using Kind = Attribute::Kind;
    return node("Conv", name, {src, name + "_weight", name + "_bias"}, name,
                {{"dilations", Kind::Integers, {1, 1}},
                 {"group", Kind::Integer, {1}},
                 {"kernel_shape", Kind::Integers, {kernel, kernel}},
                 {"pads", Kind::Integers, {pad, pad, pad, pad}},
                 {"strides", Kind::Integers, {stride, stride}}});
  }

  std::string node(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                   const std::string& output, std::vector<Attribute> attributes = {}) {
    graph_.nodes.push_back({op, name, std::move(inputs), output, std::move(attributes)});
    return output;
  }

  std::string relu(const std::string& name, const std::string& src) { return node("Relu", name, {src}, name); }

  std::string residual_block(const std::string& name, const std::string& src, ResidualBlock& block) {
    const std::string hidden = relu(name + "_first_relu", convolution(name + "_first", src, block->first));
    const std::string branch = convolution(name + "_second", hidden, block->second);
    const std::string bypass = block->shortcut.is_empty() ? src : convolution(name + "_shortcut", src, block->shortcut);
    return relu(name + "_relu", node("Add", name + "_add", {branch, bypass}, name + "_add"));
  }

 private:
  Graph& graph_;
};

}  // namespace

Graph digits_graph(DigitNetwork& network) {
  const torch::NoGradGuard no_gradient;
  Graph graph{"digits", {"image", {1, 1, 28, 28}}, {"logits", {1, 10}}, {}, {}};
  GraphBuilder builder(graph);
  std::string map = builder.relu("stem_relu", builder.convolution("stem", graph.input.name, network->stem));
  for (std::size_t i = 0; i < network->blocks.size(); ++i)
    map = builder.residual_block("block" + std::to_string(i), map, network->blocks[i]);
  map = builder.node("GlobalAveragePool", "average", {map}, "average");
  map = builder.node("Flatten", "flatten", {map}, "flatten", {{"axis", Attribute::Kind::Integer, {1}}});

  graph.initializers.push_back(initializer("classifier_weight", plain_zeros(network->classifier->weight)));
  graph.initializers.push_back(initializer("classifier_bias", network->classifier->bias));
  builder.node("Gemm", "classifier", {map, "classifier_weight", "classifier_bias"}, graph.output.name,
               {{"transB", Attribute::Kind::Integer, {1}}});
  return graph;
}

}  // namespace espalier::trainer
