#include "exit_network.hpp"

#include "esp_error.hpp"

namespace espalier::trainer {
namespace {

constexpr std::int64_t Classes = 10;
constexpr std::int64_t FirstMap = 32 * 7 * 7;  // values that the first exit reads

std::vector<torch::Tensor> state_of(ExitNetwork& network) {
  std::vector<torch::Tensor> state = network->parameters();
  const std::vector<torch::Tensor> buffers = network->buffers();
  state.insert(state.end(), buffers.begin(), buffers.end());
  return state;
}

}  // namespace

ExitNetworkImpl::ExitNetworkImpl(ExitHeads heads) : heads_(heads) {
  stem = register_module("stem", NormalizedConv(1, 16, 3, 2));
  blocks.push_back(register_module("block0", ResidualBlock(16, 32, 2)));
  blocks.push_back(register_module("block1", ResidualBlock(32, 48, 1)));
  blocks.push_back(register_module("block2", ResidualBlock(48, 64, 2)));
  const std::vector<std::int64_t> values{FirstMap, 48, 64};
  for (std::size_t i = 0; i < Exits; ++i)
    if (heads == ExitHeads::All || i + 1 == Exits)
      classifiers.push_back(register_module("classifier" + std::to_string(i), torch::nn::Linear(values[i], Classes)));
}

std::vector<torch::Tensor> ExitNetworkImpl::forward(const torch::Tensor& images) {
  std::vector<torch::Tensor> logits;
  torch::Tensor map = stem->forward(images).relu_();
  for (std::size_t i = 0; i < Exits; ++i) {
    map = blocks[i]->forward(map);
    if (heads_ == ExitHeads::Last && i + 1 < Exits) continue;
    torch::nn::Linear& classifier = classifiers[logits.size()];
    logits.push_back(classifier->forward(i == 0 ? map.contiguous().flatten(1) : map.mean({2, 3})));
  }
  return logits;
}

std::string exit_name(std::size_t index) { return "exit" + std::to_string(index); }

std::vector<torch::Tensor> snapshot(ExitNetwork& network) {
  std::vector<torch::Tensor> copies;
  for (const torch::Tensor& tensor : state_of(network)) copies.push_back(tensor.detach().clone());
  return copies;
}

void restore(ExitNetwork& network, const std::vector<torch::Tensor>& state) {
  const torch::NoGradGuard no_gradient;
  std::vector<torch::Tensor> own = state_of(network);
  if (own.size() != state.size())
    throw Error(ErrorCode::Input, "state of another network", "state of exits",
                std::to_string(state.size()) + " tensors instead of " + std::to_string(own.size()));
  for (std::size_t i = 0; i < own.size(); ++i) own[i].copy_(state[i]);
}

}  // namespace espalier::trainer
