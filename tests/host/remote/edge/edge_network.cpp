#include "edge_network.hpp"

#include <random>
#include <string>

#include "model/scales.hpp"

namespace espalier::test {
namespace {

class Builder {
 public:
  Builder() { quantised_.network.name = "edge"; }

  int feature(const std::string& name, int channels, int size) {
    model::Feature feature{name, channels, size, size, 0.0625, 0};
    quantised_.network.features.push_back(feature);
    return static_cast<int>(quantised_.network.features.size()) - 1;
  }

  int convolution(const std::string& name, int from, int channels, int kernel) {
    const model::Feature in = of(from);
    model::Layer layer = start(name, "Conv", model::LayerKind::Convolution, {from});
    layer.kernel_h = layer.kernel_w = kernel;
    layer.pad_top = layer.pad_left = layer.pad_bottom = layer.pad_right = kernel == in.height ? 0 : kernel / 2;
    const int taps = in.channels * kernel * kernel;
    for (int i = 0; i < channels * taps; ++i)
      layer.weights.push_back(static_cast<std::int8_t>(static_cast<int>(engine_() % 255) - 127));
    layer.bias.assign(static_cast<std::size_t>(channels), 3);
    // A power of two near one over the spread of the sum.
    double scale = 1;
    while (scale * scale * 5000 * taps > 1) scale /= 2;
    layer.scale.assign(static_cast<std::size_t>(channels), abi::make_scale(scale));
    layer.low = 0;
    return finish(std::move(layer), channels, kernel == in.height ? 1 : in.height);
  }

  int pool(const std::string& name, int from) {
    model::Layer layer = start(name, "MaxPool", model::LayerKind::MaxPool, {from});
    layer.kernel_h = layer.kernel_w = layer.stride_h = layer.stride_w = 2;
    return finish(std::move(layer), of(from).channels, of(from).height / 2);
  }

  int add(const std::string& name, int a, int b) {
    model::Layer layer = start(name, "Add", model::LayerKind::Add, {a, b});
    model::set_add_scales(layer, 1, 1);
    return finish(std::move(layer), of(a).channels, of(a).height);
  }

  compress::Quantised result(int input, int output) {
    quantised_.network.inputs = {input};
    quantised_.network.outputs = {output};
    const auto shape = [this](int index) {
      return model::Shape{1, of(index).channels, of(index).height, of(index).width};
    };
    quantised_.inputs = {{"image", model::ElementType::Float, shape(input), 0.0625F, 0}};
    quantised_.outputs = {{"answer", model::ElementType::Float, shape(output), 0.0625F, 0, {}}};
    model::validate(quantised_.network);
    return std::move(quantised_);
  }

 private:
  const model::Feature& of(int index) const { return quantised_.network.features[static_cast<std::size_t>(index)]; }

  static model::Layer start(const std::string& name, const std::string& op, model::LayerKind kind,
                            std::vector<int> inputs) {
    model::Layer layer;
    layer.name = name;
    layer.op = op;
    layer.kind = kind;
    layer.inputs = std::move(inputs);
    return layer;
  }
  int finish(model::Layer layer, int channels, int size) {
    layer.output = feature(layer.name + "_out", channels, size);
    quantised_.network.layers.push_back(std::move(layer));
    return quantised_.network.layers.back().output;
  }

  compress::Quantised quantised_;
  std::mt19937 engine_{5};
};

}  // namespace

compress::Quantised edge_network() {
  Builder builder;
  const int input = builder.feature("image_int8", 3, 32);
  const int stem = builder.convolution("stem", input, 12, 3);      // 12x32x32: 12,288 bytes
  const int first = builder.convolution("first", stem, 12, 3);     // the same
  const int second = builder.convolution("second", first, 12, 3);  // two tensors cross behind this one
  const int sum = builder.add("sum", stem, second);
  const int half = builder.pool("half", sum);                        // 12x16x16: 3,072
  const int third = builder.convolution("third", half, 24, 3);       // 24x16x16: 6,144
  const int quarter = builder.pool("quarter", third);                // 24x8x8: 1,536
  const int fourth = builder.convolution("fourth", quarter, 32, 3);  // 32x8x8: 2,048
  const int answer = builder.convolution("answer", fourth, 10, 8);
  return builder.result(input, answer);
}

}  // namespace espalier::test
