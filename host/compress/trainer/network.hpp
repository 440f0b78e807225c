// The digit network: a stem convolution, three residual blocks (28 x 28, 14 x 14, 7 x 7), global average, one fully
// connected layer. 77 thousand weights, 9.3 million multiply-accumulates per image.
//
//   DigitNetwork network;
//   torch::Tensor logits = network->forward(images);   // N x 1 x 28 x 28 -> N x 10
#pragma once

#include <string>
#include <vector>

#include <torch/torch.h>

namespace espalier::trainer {

// A convolution with the batch normalization that follows it; the exporter folds the pair into one convolution.
class NormalizedConvImpl : public torch::nn::Module {
 public:
  NormalizedConvImpl(std::int64_t src_channels, std::int64_t dst_channels, std::int64_t kernel, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& src);

  torch::nn::Conv2d conv{nullptr};
  torch::nn::BatchNorm2d norm{nullptr};
};
TORCH_MODULE(NormalizedConv);

// relu(second(relu(first(src))) + shortcut(src)); the shortcut is a 1 x 1 convolution where the shape changes, else
// src.
class ResidualBlockImpl : public torch::nn::Module {
 public:
  ResidualBlockImpl(std::int64_t src_channels, std::int64_t dst_channels, std::int64_t stride);
  torch::Tensor forward(const torch::Tensor& src);

  NormalizedConv first{nullptr};
  NormalizedConv second{nullptr};
  NormalizedConv shortcut{nullptr};  // empty for an identity shortcut
};
TORCH_MODULE(ResidualBlock);

class DigitNetworkImpl : public torch::nn::Module {
 public:
  DigitNetworkImpl();
  torch::Tensor forward(const torch::Tensor& images);

  NormalizedConv stem{nullptr};
  std::vector<ResidualBlock> blocks;
  torch::nn::Linear classifier{nullptr};
};
TORCH_MODULE(DigitNetwork);

// The weight of one convolution or fully connected layer (no bias), named as in the network and in the ONNX file.
struct NamedWeight {
  std::string name;
  torch::Tensor weight;
};

// All of them, in execution order; the tensors share storage with the network.
std::vector<NamedWeight> layer_weights(DigitNetwork& network);

// Parameters and buffers copied out of, or back into, a network.
std::vector<torch::Tensor> snapshot(DigitNetwork& network);
void restore(DigitNetwork& network, const std::vector<torch::Tensor>& state);

}  // namespace espalier::trainer
