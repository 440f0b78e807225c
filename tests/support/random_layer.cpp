#include "random_layer.hpp"

#include <algorithm>
#include <array>

namespace espalier::test {
namespace {

std::string key(const char* name, int value) { return std::string(" ") + name + std::to_string(value); }

/// Kernel, stride, padding and map of a windowed layer; the padded map holds at least one window.
std::string random_window(Random& random, bool dilated) {
  const int kernel_h = random.between(1, 5);
  const int kernel_w = random.between(1, 5);
  const int dilation = dilated && random.chance(0.25) ? 2 : 1;
  const int pad_h = random.between(0, kernel_h / 2);
  const int pad_w = random.between(0, kernel_w / 2);
  const int least_h = std::max(1, (kernel_h - 1) * dilation + 1 - 2 * pad_h);
  const int least_w = std::max(1, (kernel_w - 1) * dilation + 1 - 2 * pad_w);
  const bool single = random.chance(0.1);
  std::string text = key("ih", single ? least_h : random.between(least_h, least_h + 25)) +
                     key("iw", single ? least_w : random.between(least_w, least_w + 25)) + key("kh", kernel_h) +
                     key("kw", kernel_w) + key("ph", pad_h) + key("pw", pad_w) + key("sh", random.between(1, 3)) +
                     key("sw", random.between(1, 3));
  if (dilation > 1) text += key("dh", dilation) + key("dw", dilation);
  return text;
}

std::string random_convolution(Random& random) {
  const int groups = random.chance(0.3) ? random.between(2, 20) : 1;
  const int inputs = groups * (groups > 1 ? random.between(1, 3) : random.between(1, 40));
  const int outputs = groups * (groups > 1 ? random.between(1, 3) : random.between(1, 40));
  const double density = random.chance(0.3) ? 1.0 : random.chance(0.1) ? 0.0 : random.unit() * random.unit();
  return "conv" + key("ic", inputs) + key("oc", outputs) + key("g", groups) + random_window(random, true) + " density" +
         std::to_string(density);
}

std::string random_type(Random& random) {
  constexpr std::array Types{"int8", "int4", "ternary", "binary"};
  const auto type = static_cast<std::size_t>(random.between(0, 5));
  return type < Types.size() ? Types[type] : "codebook" + std::to_string(random.between(2, 8));
}

/// A structure of the zeros that the layer can have; empty: none.
std::string random_pattern(Random& random, const std::string& layer) {
  const bool three = layer.find(" kh3 kw3") != std::string::npos;
  switch (random.between(0, three ? 5 : 4)) {
    case 0:
      return " pattern2:4";
    case 1:
      return " block4x4";
    case 5:
      return " pattern4of9";
    default:
      return {};
  }
}

}  // namespace

std::string random_weights(Random& random) {
  const std::string layer = random.chance(0.2)
                                ? "fc" + key("ic", random.between(1, 300)) + key("oc", random.between(1, 60)) +
                                      " density" + std::to_string(random.unit())
                                : random_convolution(random);
  return layer + random_pattern(random, layer) + " " + random_type(random);
}

std::string random_layer(Random& random) {
  const int channels = random.between(1, 40);
  const int height = random.between(1, 30);
  const int width = random.between(1, 30);
  const std::string map = key("ic", channels) + key("ih", height) + key("iw", width);
  switch (random.between(0, 11)) {
    case 0:
      return "maxpool" + key("ic", channels) + random_window(random, false);
    case 1:
      return "avgpool" + key("ic", channels) + random_window(random, false);
    case 2:
      return "avgpool" + key("ic", channels) + random_window(random, false) + " includepad";
    case 3:
      return "gavgpool" + map;
    case 4:
      return "gmaxpool" + map;
    case 5:
      return "add" + map;
    case 6:
      return "concat" + map + key("n", random.between(1, 4));
    case 7:
      return "requantise" + map;
    case 8:
      return "fc" + key("ic", random.between(1, 300)) + key("oc", random.between(1, 60)) + " density0.4";
    default:
      return random_convolution(random);
  }
}

}  // namespace espalier::test
