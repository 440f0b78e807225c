// The digit network with exits: a stem and three residual blocks, each followed by a classifier of its own. What an
// exit needs is a part of what the next one needs.
//
//   ExitNetwork network(ExitHeads::All);
//   std::vector<torch::Tensor> logits = network->forward(images);   // N x 1 x 28 x 28 -> N x 10 for each exit
#pragma once

#include <string>
#include <vector>

#include "network.hpp"

namespace espalier::trainer {

/// Which exits have a classifier. Only the last: the network that a network with exits is compared with.
enum class ExitHeads { All, Last };

class ExitNetworkImpl : public torch::nn::Module {
 public:
  explicit ExitNetworkImpl(ExitHeads heads);

  /// Logits of every exit there is, the last exit's at the end.
  std::vector<torch::Tensor> forward(const torch::Tensor& images);

  NormalizedConv stem{nullptr};
  std::vector<ResidualBlock> blocks;
  /// One per exit; the first reads all values of its map, the others the averages of the channels.
  std::vector<torch::nn::Linear> classifiers;

 private:
  ExitHeads heads_;
};
TORCH_MODULE(ExitNetwork);

inline constexpr std::size_t Exits = 3;

/// The name of the output of exit `index`: exit0, exit1, ..
std::string exit_name(std::size_t index);

/// All parameters and buffers copied out of, or back into, a network.
std::vector<torch::Tensor> snapshot(ExitNetwork& network);
void restore(ExitNetwork& network, const std::vector<torch::Tensor>& state);

}  // namespace espalier::trainer
