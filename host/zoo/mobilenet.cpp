#include "zoo/mobilenet.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "zoo/builder.hpp"

namespace espalier::zoo {
namespace {

WindowShape window3(int stride) { return {3, 3, stride, 0, true}; }

int separable(Builder& builder, int number, int in, int channels, int stride, Activation activation) {
  const std::string name = "block" + std::to_string(number);
  const int middle = builder.depthwise(name + ".depthwise", in, window3(stride), activation);
  return builder.convolution(name + ".pointwise", middle, channels, Point, activation);
}

/// Expansion, depthwise convolution, linear projection; added to the input where the sizes agree.
int inverted_residual(Builder& builder, int number, int in, int expansion, int channels, int stride) {
  const std::string name = "block" + std::to_string(number);
  const int inputs = builder.feature(in).channels;
  int map = in;
  if (expansion > 1) map = builder.convolution(name + ".expand", map, inputs * expansion, Point, Activation::Relu6);
  map = builder.depthwise(name + ".depthwise", map, window3(stride), Activation::Relu6);
  map = builder.convolution(name + ".project", map, channels, Point, Activation::None);
  return stride == 1 && inputs == channels ? builder.add(name + ".add", map, in, Activation::None) : map;
}

/// Channels at a width: the nearest multiple of 8 that is not more than 10 % less (the published rule).
int scaled(int channels, double width) {
  const double wanted = channels * width;
  const int rounded = std::max(8, static_cast<int>(wanted + 4) / 8 * 8);
  return rounded < 0.9 * wanted ? rounded + 8 : rounded;
}

}  // namespace

model::Network mobilenet_v1(const Sizes& sizes, const Options& options) {
  Builder builder("mobilenet_v1", options);
  const auto channels = [&](int count) { return std::max(8, static_cast<int>(count * options.width)); };
  const int image = builder.input(3, sizes.resolution, sizes.resolution);
  int map = builder.convolution("conv1", image, channels(32), window3(2), Activation::Relu6);
  struct Block {
    int channels, stride;
  };
  constexpr std::array<Block, 13> Blocks{{{64, 1},
                                          {128, 2},
                                          {128, 1},
                                          {256, 2},
                                          {256, 1},
                                          {512, 2},
                                          {512, 1},
                                          {512, 1},
                                          {512, 1},
                                          {512, 1},
                                          {512, 1},
                                          {1024, 2},
                                          {1024, 1}}};
  int number = 0;
  for (const Block& block : Blocks)
    map = separable(builder, ++number, map, channels(block.channels), block.stride, Activation::Relu6);
  return builder.finish(builder.classifier(map, sizes.classes));
}

model::Network mobilenet_v2(const Sizes& sizes, const Options& options) {
  Builder builder("mobilenet_v2", options);
  const int image = builder.input(3, sizes.resolution, sizes.resolution);
  int map = builder.convolution("conv1", image, scaled(32, options.width), window3(2), Activation::Relu6);
  struct Stage {
    int expansion, channels, blocks, stride;
  };
  constexpr std::array<Stage, 7> Stages{
      {{1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}}};
  int number = 0;
  for (const Stage& stage : Stages)
    for (int block = 0; block < stage.blocks; ++block)
      map = inverted_residual(builder, ++number, map, stage.expansion, scaled(stage.channels, options.width),
                              block == 0 ? stage.stride : 1);
  map = builder.convolution("conv2", map, scaled(1280, std::max(1.0, options.width)), Point, Activation::Relu6);
  return builder.finish(builder.classifier(map, sizes.classes));
}

model::Network ds_cnn(const Sizes& sizes, const Options& options) {
  Builder builder("ds_cnn", options);
  const int spectrogram = builder.input(1, 49, 10);
  int map = builder.convolution("conv1", spectrogram, 64, {10, 4, 2, 0, true}, Activation::Relu);
  for (int number = 1; number <= 4; ++number) map = separable(builder, number, map, 64, 1, Activation::Relu);
  return builder.finish(builder.classifier(map, sizes.classes));
}

}  // namespace espalier::zoo
