#include "run/part.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <numeric>

#include "esp_error.hpp"

namespace espalier::run {
namespace {

std::size_t at(int index) { return static_cast<std::size_t>(index); }

bool holds(const std::vector<int>& list, int value) { return std::find(list.begin(), list.end(), value) != list.end(); }

compress::Input crossing_port(const model::Network& network, const Ports& ports, int feature, PartEdge edge) {
  const model::Feature& f = network.features[at(feature)];
  return {crossing_name(network, ports, feature, edge),
          model::ElementType::Int8,
          {1, f.channels, f.height, f.width},
          static_cast<float>(f.scale),
          f.zero};
}

/// FNV-1a, as in compiled files.
class Fingerprint {
 public:
  void add(std::int64_t value) {
    for (int shift = 0; shift < 64; shift += 8) byte(static_cast<std::uint8_t>(value >> shift));
  }
  void add(double value) { add(std::bit_cast<std::int64_t>(value)); }
  void add(const std::string& text) {
    add(static_cast<std::int64_t>(text.size()));
    for (const char letter : text) byte(static_cast<std::uint8_t>(letter));
  }
  template <typename Value>
  void add(const std::vector<Value>& values) {
    add(static_cast<std::int64_t>(values.size()));
    for (const Value value : values) add(static_cast<std::int64_t>(value));
  }
  std::uint64_t value() const { return value_; }

 private:
  void byte(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  std::uint64_t value_ = 0xcbf29ce484222325;
};

void add_layer(Fingerprint& print, const model::Layer& layer) {
  print.add(layer.op);
  print.add(static_cast<std::int64_t>(layer.kind));
  print.add(layer.inputs);
  print.add(std::vector<int>{layer.output, layer.kernel_h, layer.kernel_w, layer.stride_h, layer.stride_w,
                             layer.pad_top, layer.pad_left, layer.pad_bottom, layer.pad_right, layer.dilation_h,
                             layer.dilation_w, layer.groups, layer.count_include_padding ? 1 : 0, layer.low,
                             layer.high});
  print.add(layer.weights);
  print.add(layer.bias);
  for (const abi::Scale& scale : layer.scale) {
    print.add(static_cast<std::int64_t>(scale.multiplier));
    print.add(static_cast<std::int64_t>(scale.shift));
  }
  print.add(static_cast<std::int64_t>(layer.multiplier_b));
  print.add(layer.ratio);
}

[[noreturn]] void refuse(const std::string& text, std::size_t count) {
  throw Error(ErrorCode::Input, "not layers of this network", "part", text,
              fmt::format("write indices below {}, ascending: 0-4,6", count));
}

int number(const char*& from, const char* end, const std::string& text, std::size_t count) {
  int value = -1;
  const auto [next, failure] = std::from_chars(from, end, value);
  if (failure != std::errc{} || value < 0 || at(value) >= count) refuse(text, count);
  from = next;
  return value;
}

}  // namespace

std::string crossing_name(const model::Network& network, const Ports& ports, int feature, PartEdge edge) {
  if (edge == PartEdge::Features) return fmt::format("tensor{}", feature);
  const std::string& name = network.features[at(feature)].name;
  const auto named = [&](const auto& one) { return one.name == name; };
  const bool taken = name.empty() || std::count_if(network.features.begin(), network.features.end(), named) > 1 ||
                     std::any_of(ports.inputs.begin(), ports.inputs.end(), named) ||
                     std::any_of(ports.outputs.begin(), ports.outputs.end(), named);
  return taken ? fmt::format("{}#{}", name, feature) : name;
}

Part make_part(const model::Network& network, const Ports& ports, const std::vector<int>& layers, PartEdge edge) {
  if (layers.empty() || at(layers.back()) >= network.layers.size()) refuse(part_text(layers), network.layers.size());
  Part part;
  part.layers = layers;
  part.network.name = network.name;
  std::vector<bool> made(network.features.size(), false), read(made), read_outside(made);
  for (const int layer : layers) made[at(network.layers[at(layer)].output)] = true;
  for (int layer = 0; layer < static_cast<int>(network.layers.size()); ++layer)
    for (const int input : network.layers[at(layer)].inputs)
      (holds(layers, layer) ? read : read_outside)[at(input)] = true;
  std::vector<int> index(network.features.size(), -1);
  const auto add_output = [&](int feature, compress::Output port) {
    part.network.outputs.push_back(index[at(feature)]);
    part.outputs.push_back(feature);
    part.ports.outputs.push_back(std::move(port));
  };
  const bool whole_ports = edge == PartEdge::Ports;
  for (int feature = 0; feature < static_cast<int>(network.features.size()); ++feature) {
    const bool passed =
        whole_ports && layers.front() == 0 && holds(network.outputs, feature) && holds(network.inputs, feature);
    if (!made[at(feature)] && !read[at(feature)] && !passed) continue;
    index[at(feature)] = static_cast<int>(part.network.features.size());
    part.network.features.push_back(network.features[at(feature)]);
    const compress::Input crossing = crossing_port(network, ports, feature, edge);
    if (!made[at(feature)]) {
      const auto input = std::find(network.inputs.begin(), network.inputs.end(), feature);
      const bool edge_port = whole_ports && input != network.inputs.end();
      part.network.inputs.push_back(index[at(feature)]);
      part.inputs.push_back(feature);
      part.ports.inputs.push_back(edge_port ? ports.inputs[static_cast<std::size_t>(input - network.inputs.begin())]
                                            : crossing);
    }
    const bool given = (made[at(feature)] || passed) && holds(network.outputs, feature);
    for (std::size_t i = 0; whole_ports && given && i < network.outputs.size(); ++i)
      if (network.outputs[i] == feature) add_output(feature, ports.outputs[i]);
    if (made[at(feature)] && (read_outside[at(feature)] || (given && !whole_ports)))
      add_output(feature, {crossing.name, crossing.type, crossing.shape, crossing.scale, crossing.zero, {}});
  }
  for (const int layer : layers) {
    part.network.layers.push_back(network.layers[at(layer)]);
    for (int& input : part.network.layers.back().inputs) input = index[at(input)];
    part.network.layers.back().output = index[at(part.network.layers.back().output)];
  }
  return part;
}

std::string part_text(const std::vector<int>& layers) {
  std::string text;
  for (std::size_t begin = 0; begin < layers.size();) {
    std::size_t end = begin;
    while (end + 1 < layers.size() && layers[end + 1] == layers[end] + 1) ++end;
    if (!text.empty()) text += ",";
    text += end == begin ? std::to_string(layers[begin]) : fmt::format("{}-{}", layers[begin], layers[end]);
    begin = end + 1;
  }
  return text;
}

std::vector<int> parse_part(const std::string& text, std::size_t count) {
  std::vector<int> layers;
  const char* from = text.data();
  const char* end = from + text.size();
  while (true) {
    const int first = number(from, end, text, count);
    int last = first;
    if (from != end && *from == '-') last = number(++from, end, text, count);
    if (last < first || (!layers.empty() && first <= layers.back())) refuse(text, count);
    for (int layer = first; layer <= last; ++layer) layers.push_back(layer);
    if (from == end) return layers;
    if (*from++ != ',') refuse(text, count);
  }
}

std::string network_id(const model::Network& network) {
  Fingerprint print;
  for (const model::Feature& feature : network.features) {
    print.add(std::vector<int>{feature.channels, feature.height, feature.width, feature.zero});
    print.add(feature.scale);
  }
  for (const model::Layer& layer : network.layers) add_layer(print, layer);
  print.add(network.inputs);
  print.add(network.outputs);
  return fmt::format("{:016x}", print.value());
}

}  // namespace espalier::run
