#include "cpu/real_layer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <string>

#include "cpu/typed_operator.hpp"
#include "model/single_operator.hpp"

namespace espalier::cpu {
namespace {

using model::Feature;
using model::Layer;

// Every integer below is a float32.
constexpr std::size_t MostPlaces = std::size_t{1} << 24;

/// Functions of single values; all are executed by the operator table.
bool is_function(const std::string& op) {
  static const std::set<std::string> names = {
      "Abs",  "Acos",     "Acosh",      "Asin",  "Asinh", "Atan",   "Atanh",          "Ceil",      "Celu",
      "Cos",  "Cosh",     "Elu",        "Erf",   "Exp",   "Floor",  "HardSigmoid",    "HardSwish", "LeakyRelu",
      "Log",  "Neg",      "Reciprocal", "Round", "Selu",  "Shrink", "Sigmoid",        "Sign",      "Sin",
      "Sinh", "Softplus", "Softsign",   "Sqrt",  "Tan",   "Tanh",   "ThresholdedRelu"};
  return names.contains(op);
}

/// Operators that move values and make none, whatever their constants say.
bool is_move(const model::Node& node) {
  static const std::set<std::string> names = {"DepthToSpace",   "Expand",       "Flatten", "Gather",
                                              "GatherElements", "GatherND",     "Reshape", "ReverseSequence",
                                              "Slice",          "SpaceToDepth", "Tile",    "Transpose"};
  const std::string op(model::defined_name(node.op));
  if (op == "Pad") return node.text("mode", "constant") != "constant";
  if (op == "Resize" || op == "Upsample")
    return node.text("mode", "nearest") == "nearest" &&
           node.text("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize";
  return names.contains(op);
}

float dequantised(const Feature& in, std::int8_t value) {
  return static_cast<float>(in.scale) * static_cast<float>(value - in.zero);
}

std::int8_t quantised(const Feature& out, const Layer& layer, float value) {
  const float level = std::nearbyint(value / static_cast<float>(out.scale)) + static_cast<float>(out.zero);
  const float kept = std::isnan(level) ? static_cast<float>(out.zero) : level;
  return static_cast<std::int8_t>(std::clamp(kept, static_cast<float>(layer.low), static_cast<float>(layer.high)));
}

const Feature& feature(const model::Network& network, int index) {
  return network.features[static_cast<std::size_t>(index)];
}

}  // namespace

Tensor run_real(const model::Network& network, const Layer& layer, const FloatExecutor& executor,
                std::span<const Tensor> inputs) {
  std::vector<FloatTensor> reals;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    FloatTensor& values = reals.emplace_back();
    values.reserve(inputs[i].size());
    for (const std::int8_t value : inputs[i]) values.push_back(dequantised(feature(network, layer.inputs[i]), value));
  }
  const std::vector<FloatTensor> values = executor.run(reals);
  const FloatTensor& outputs = values[static_cast<std::size_t>(layer.real->outputs[0].value)];
  Tensor result;
  result.reserve(outputs.size());
  for (const float value : outputs) result.push_back(quantised(feature(network, layer.output), layer, value));
  return result;
}

RealLayer::RealLayer(const model::Network& network, const Layer& layer)
    : network_(network), layer_(layer), executor_(*layer.real) {
  const model::Node& node = layer.real->nodes.at(0);
  if (layer.inputs.size() != 1 || layer.real->is_constant(node.inputs.at(0))) return;
  if (is_function(std::string(model::defined_name(node.op))) && node.inputs.size() == 1)
    find_table();
  else if (is_move(node) && feature(network, layer.inputs[0]).elements() <= MostPlaces)
    find_places();
}

void RealLayer::find_table() {
  const Feature &in = feature(network_, layer_.inputs[0]), &out = feature(network_, layer_.output);
  std::vector<float> all;
  for (int value = -128; value <= 127; ++value) all.push_back(dequantised(in, static_cast<std::int8_t>(value)));
  const TypedOperator function(*layer_.real, layer_.real->nodes[0]);
  const std::vector<float> results = function.run({all}, {{static_cast<std::int64_t>(all.size())}})[0];
  table_.emplace();
  for (std::size_t i = 0; i < all.size(); ++i) (*table_)[i] = quantised(out, layer_, results[i]);
}

/// The operator applied to the numbers of the places says where every value comes from.
void RealLayer::find_places() {
  const Feature &in = feature(network_, layer_.inputs[0]), &out = feature(network_, layer_.output);
  FloatTensor numbers(in.elements());
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  const std::vector<FloatTensor> values = executor_.run(std::vector<FloatTensor>{numbers});
  for (const float place : values[static_cast<std::size_t>(layer_.real->outputs[0].value)])
    places_.push_back(static_cast<std::uint32_t>(place));
  table_.emplace();
  for (int value = -128; value <= 127; ++value)
    (*table_)[static_cast<std::size_t>(value + 128)] =
        quantised(out, layer_, dequantised(in, static_cast<std::int8_t>(value)));
}

Tensor RealLayer::run(std::span<const Tensor> inputs) const {
  if (!table_) return run_real(network_, layer_, executor_, inputs);
  Tensor result(feature(network_, layer_.output).elements());
  for (std::size_t i = 0; i < result.size(); ++i)
    result[i] = (*table_)[static_cast<std::size_t>(inputs[0][places_.empty() ? i : places_[i]] + 128)];
  return result;
}

}  // namespace espalier::cpu
