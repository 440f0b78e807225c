#include "graph_builder.hpp"

namespace espalier::trainer {
namespace {

Initializer initializer(const std::string& name, const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.detach().to(torch::kFloat32).contiguous();
  const float* data = plain.data_ptr<float>();
  return {{name, plain.sizes().vec()}, {data, data + plain.numel()}};
}

// 0 * negative is -0: adding +0 stores every zero with the bits of zero.
torch::Tensor plain_zeros(const torch::Tensor& weight) { return weight + 0.0; }

}  // namespace

std::string GraphBuilder::node(const std::string& op, const std::string& name, std::vector<std::string> inputs,
                               const std::string& output, std::vector<Attribute> attributes) {
  graph_.nodes.push_back({op, name, std::move(inputs), output, std::move(attributes)});
  return output;
}

std::string GraphBuilder::relu(const std::string& name, const std::string& src) {
  return node("Relu", name, {src}, name);
}

// norm(conv(x)) = conv'(x) with w' = w * g, b' = beta - mean * g, g = gamma / sqrt(variance + eps), in double.
std::string GraphBuilder::convolution(const std::string& name, const std::string& src, NormalizedConv& layer) {
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

std::string GraphBuilder::residual_block(const std::string& name, const std::string& src, ResidualBlock& block) {
  const std::string hidden = relu(name + "_first_relu", convolution(name + "_first", src, block->first));
  const std::string branch = convolution(name + "_second", hidden, block->second);
  const std::string bypass = block->shortcut.is_empty() ? src : convolution(name + "_shortcut", src, block->shortcut);
  return relu(name + "_relu", node("Add", name + "_add", {branch, bypass}, name + "_add"));
}

std::string GraphBuilder::average(const std::string& name, const std::string& src) {
  return flatten(name + "_flatten", node("GlobalAveragePool", name, {src}, name));
}

std::string GraphBuilder::flatten(const std::string& name, const std::string& src) {
  return node("Flatten", name, {src}, name, {{"axis", Attribute::Kind::Integer, {1}}});
}

std::string GraphBuilder::linear(const std::string& name, const std::string& src, torch::nn::Linear& layer,
                                 const std::string& output) {
  graph_.initializers.push_back(initializer(name + "_weight", plain_zeros(layer->weight)));
  graph_.initializers.push_back(initializer(name + "_bias", layer->bias));
  return node("Gemm", name, {src, name + "_weight", name + "_bias"}, output,
              {{"transB", Attribute::Kind::Integer, {1}}});
}

}  // namespace espalier::trainer
