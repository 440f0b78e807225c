#include "network.hpp"

#include "esp_error.hpp"

namespace espalier::trainer {
namespace {

std::vector<torch::Tensor> state_of(DigitNetwork& network) {
  std::vector<torch::Tensor> state = network->parameters();
  const std::vector<torch::Tensor> buffers = network->buffers();
  state.insert(state.end(), buffers.begin(), buffers.end());
  return state;
}

}  // namespace

NormalizedConvImpl::NormalizedConvImpl(std::int64_t src_channels, std::int64_t dst_channels, std::int64_t kernel,
                                       std::int64_t stride) {
  conv = register_module(
      "conv",
      torch::nn::Conv2d(
          torch::nn::Conv2dOptions(src_channels, dst_channels, kernel).stride(stride).padding(kernel / 2).bias(false)));
  norm = register_module("norm", torch::nn::BatchNorm2d(dst_channels));
  // He et al. 2015: keeps the variance of a rectified layer.
  torch::nn::init::kaiming_normal_(conv->weight, 0.0, torch::kFanOut, torch::kReLU);
  // Channels-last convolutions are a tenth faster here; the values do not change.
  conv->weight.set_data(conv->weight.contiguous(at::MemoryFormat::ChannelsLast));
}

torch::Tensor NormalizedConvImpl::forward(const torch::Tensor& src) { return norm->forward(conv->forward(src)); }

ResidualBlockImpl::ResidualBlockImpl(std::int64_t src_channels, std::int64_t dst_channels, std::int64_t stride) {
  first = register_module("first", NormalizedConv(src_channels, dst_channels, 3, stride));
  second = register_module("second", NormalizedConv(dst_channels, dst_channels, 3, 1));
  if (src_channels != dst_channels || stride != 1)
    shortcut = register_module("shortcut", NormalizedConv(src_channels, dst_channels, 1, stride));
}

torch::Tensor ResidualBlockImpl::forward(const torch::Tensor& src) {
  const torch::Tensor branch = second->forward(first->forward(src).relu_());
  const torch::Tensor bypass = shortcut.is_empty() ? src : shortcut->forward(src);
  return (branch + bypass).relu_();
}

DigitNetworkImpl::DigitNetworkImpl() {
  stem = register_module("stem", NormalizedConv(1, 16, 3, 1));
  blocks.push_back(register_module("block0", ResidualBlock(16, 16, 1)));
  blocks.push_back(register_module("block1", ResidualBlock(16, 32, 2)));
  blocks.push_back(register_module("block2", ResidualBlock(32, 64, 2)));
  classifier = register_module("classifier", torch::nn::Linear(64, 10));
}

torch::Tensor DigitNetworkImpl::forward(const torch::Tensor& images) {
  torch::Tensor map = stem->forward(images).relu_();
  for (ResidualBlock& block : blocks) map = block->forward(map);
  return classifier->forward(map.mean({2, 3}));
}

std::vector<NamedWeight> layer_weights(DigitNetwork& network) {
  std::vector<NamedWeight> weights{{"stem", network->stem->conv->weight}};
  for (std::size_t i = 0; i < network->blocks.size(); ++i) {
    const std::string name = "block" + std::to_string(i) + "_";
    ResidualBlock& block = network->blocks[i];
    weights.push_back({name + "first", block->first->conv->weight});
    weights.push_back({name + "second", block->second->conv->weight});
    if (!block->shortcut.is_empty()) weights.push_back({name + "shortcut", block->shortcut->conv->weight});
  }
  weights.push_back({"classifier", network->classifier->weight});
  return weights;
}

std::vector<torch::Tensor> snapshot(DigitNetwork& network) {
  std::vector<torch::Tensor> copies;
  for (const torch::Tensor& tensor : state_of(network)) copies.push_back(tensor.detach().clone());
  return copies;
}

void restore(DigitNetwork& network, const std::vector<torch::Tensor>& state) {
  const torch::NoGradGuard no_gradient;
  std::vector<torch::Tensor> own = state_of(network);
  if (own.size() != state.size())
    throw Error(ErrorCode::Input, "state of another network", "dense state",
                std::to_string(state.size()) + " tensors instead of " + std::to_string(own.size()));
  for (std::size_t i = 0; i < own.size(); ++i) own[i].copy_(state[i]);
}

}  // namespace espalier::trainer
