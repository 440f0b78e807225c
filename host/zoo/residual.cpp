#include "zoo/residual.hpp"

#include <array>
#include <string>

#include "zoo/builder.hpp"

namespace espalier::zoo {
namespace {

WindowShape square(int kernel, int stride, int pad) { return {kernel, kernel, stride, pad, false}; }
WindowShape square_same(int kernel, int stride) { return {kernel, kernel, stride, 0, true}; }

/// 7x7 convolution of stride 2 and 3x3 maximum of stride 2.
int residual_stem(Builder& builder, int resolution) {
  const int image = builder.input(3, resolution, resolution);
  const int stem = builder.convolution("conv1", image, 64, square(7, 2, 3), Activation::Relu);
  return builder.max_pool("pool1", stem, square(3, 2, 1));
}

int bottleneck(Builder& builder, const std::string& name, int in, int channels, int stride, bool stride_first) {
  const int first =
      builder.convolution(name + ".conv1", in, channels, square(1, stride_first ? stride : 1, 0), Activation::Relu);
  const int middle =
      builder.convolution(name + ".conv2", first, channels, square(3, stride_first ? 1 : stride, 1), Activation::Relu);
  const int last = builder.convolution(name + ".conv3", middle, 4 * channels, Point, Activation::None);
  const bool project = stride != 1 || builder.feature(in).channels != 4 * channels;
  const int skip =
      project ? builder.convolution(name + ".downsample", in, 4 * channels, square(1, stride, 0), Activation::None)
              : in;
  return builder.add(name + ".add", last, skip, Activation::Relu);
}

int basic_block(Builder& builder, const std::string& name, int in, int channels, const WindowShape& first,
                const WindowShape& second, const WindowShape& projection) {
  const int middle = builder.convolution(name + ".conv1", in, channels, first, Activation::Relu);
  const int last = builder.convolution(name + ".conv2", middle, channels, second, Activation::None);
  const bool project = first.stride != 1 || builder.feature(in).channels != channels;
  const int skip = project ? builder.convolution(name + ".downsample", in, channels, projection, Activation::None) : in;
  return builder.add(name + ".add", last, skip, Activation::Relu);
}

std::string block_name(int stage, int block) { return "layer" + std::to_string(stage) + "." + std::to_string(block); }

}  // namespace

model::Network resnet50(const Sizes& sizes, const Options& options, bool stride_first) {
  Builder builder(stride_first ? "resnet50_v1" : "resnet50", options);
  int map = residual_stem(builder, sizes.resolution);
  constexpr std::array<int, 4> Blocks{3, 4, 6, 3};
  for (int stage = 0; stage < 4; ++stage)
    for (int block = 0; block < Blocks[static_cast<std::size_t>(stage)]; ++block)
      map = bottleneck(builder, block_name(stage + 1, block), map, 64 << stage, stage > 0 && block == 0 ? 2 : 1,
                       stride_first);
  return builder.finish(builder.classifier(map, sizes.classes));
}

model::Network resnet18(const Sizes& sizes, const Options& options) {
  Builder builder("resnet18", options);
  int map = residual_stem(builder, sizes.resolution);
  for (int stage = 0; stage < 4; ++stage)
    for (int block = 0; block < 2; ++block) {
      const int stride = stage > 0 && block == 0 ? 2 : 1;
      map = basic_block(builder, block_name(stage + 1, block), map, 64 << stage, square(3, stride, 1), square(3, 1, 1),
                        square(1, stride, 0));
    }
  return builder.finish(builder.classifier(map, sizes.classes));
}

model::Network resnet8(const Sizes& sizes, const Options& options) {
  Builder builder("resnet8", options);
  const int image = builder.input(3, sizes.resolution, sizes.resolution);
  int map = builder.convolution("conv1", image, 16, square_same(3, 1), Activation::Relu);
  for (int stage = 0; stage < 3; ++stage) {
    const int stride = stage > 0 ? 2 : 1;
    map = basic_block(builder, block_name(stage + 1, 0), map, 16 << stage, square_same(3, stride), square_same(3, 1),
                      square_same(1, stride));
  }
  return builder.finish(builder.classifier(map, sizes.classes));
}

model::Network vgg16(const Sizes& sizes, const Options& options) {
  Builder builder("vgg16", options);
  int map = builder.input(3, sizes.resolution, sizes.resolution);
  constexpr std::array<int, 5> Convolutions{2, 2, 3, 3, 3};
  constexpr std::array<int, 5> Channels{64, 128, 256, 512, 512};
  for (std::size_t stage = 0; stage < Channels.size(); ++stage) {
    const std::string number = std::to_string(stage + 1);
    for (int i = 1; i <= Convolutions[stage]; ++i)
      map = builder.convolution("conv" + number + "_" + std::to_string(i), map, Channels[stage], square(3, 1, 1),
                                Activation::Relu);
    map = builder.max_pool("pool" + number, map, square(2, 2, 0));
  }
  if (options.fully_connected) {
    map = builder.fully_connected("fc6", map, 4096, Activation::Relu);
    map = builder.fully_connected("fc7", map, 4096, Activation::Relu);
    map = builder.fully_connected("fc8", map, sizes.classes, Activation::None);
  }
  return builder.finish(map);
}

}  // namespace espalier::zoo
