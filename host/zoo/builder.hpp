// Grows a quantised network layer by layer: sizes, synthetic weights, and scales that keep every map in the int8 range.
#pragma once

#include <string>
#include <vector>

#include "model/network.hpp"
#include "zoo/random.hpp"
#include "zoo/zoo.hpp"

namespace espalier::zoo {

/// Both rectified kinds have the zero point -128 and clamp by the int8 range; with Relu6 its upper end stands for 6.
enum class Activation { None, Relu, Relu6 };

/// Rows or columns added around a map.
struct Padding {
  int before = 0;
  int after = 0;
};

/// As much as makes the output ceil(size / stride), the odd one behind (TensorFlow's SAME).
Padding same_padding(int size, int kernel, int stride);

/// A window that moves over a map. `same` overrides `pad`.
struct WindowShape {
  int kernel_h = 1, kernel_w = 1;
  int stride = 1;
  int pad = 0;
  bool same = false;
};

/// A 1x1 convolution.
inline constexpr WindowShape Point{1, 1, 1, 0, false};

class Builder {
 public:
  Builder(std::string name, const Options& options) : options_(options) { network_.name = std::move(name); }

  /// The network's input. All functions return the index of the feature they make.
  int input(int channels, int height, int width);
  int convolution(const std::string& name, int in, int outputs, const WindowShape& window, Activation activation);
  int depthwise(const std::string& name, int in, const WindowShape& window, Activation activation);
  /// A kernel of the map's size.
  int fully_connected(const std::string& name, int in, int outputs, Activation activation);
  int max_pool(const std::string& name, int in, const WindowShape& window);
  int global_average(const std::string& name, int in);
  /// "pool" and "fc": a global average and a fully connected layer.
  int classifier(int in, int classes);
  int add(const std::string& name, int a, int b, Activation activation);

  const model::Feature& feature(int index) const { return network_.features[static_cast<std::size_t>(index)]; }

  /// The validated network with this output.
  model::Network finish(int output);

 private:
  /// Estimated mean and deviation of a map from its zero point, in int8 steps.
  struct Spread {
    double mean = 0;
    double deviation = 1;
  };

  model::Layer windowed(const std::string& name, const char* op, model::LayerKind kind, int in,
                        const WindowShape& window) const;
  int weighted(model::Layer layer, int outputs, Activation activation, model::Pattern pattern, double density);
  int append(model::Layer layer, int channels, int height, int width, double scale, std::int32_t zero, Spread spread);
  void fill_weights(model::Layer& layer, const model::WeightShape& shape, model::Pattern pattern, double density,
                    Random& random) const;
  void fill_scales(model::Layer& layer, const model::WeightShape& shape, double target, Random& random) const;
  const Spread& spread(int index) const { return spreads_[static_cast<std::size_t>(index)]; }
  Random layer_random() const;

  const Options& options_;
  model::Network network_;
  std::vector<Spread> spreads_;  // per feature
};

}  // namespace espalier::zoo
