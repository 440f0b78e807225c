#include "model/tflite_builder.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "model/array_order.hpp"
#include "model/tflite_operators.hpp"

namespace espalier::model {
namespace {

constexpr std::int64_t ToChannelsFirst[] = {0, 3, 1, 2};
constexpr std::int64_t ToChannelsLast[] = {0, 2, 3, 1};

[[noreturn]] void damaged(const std::string& problem, const std::string& where, const std::string& value = {}) {
  throw Error(ErrorCode::Model, problem, where, value, "export the model again");
}

[[noreturn]] void unsupported(const std::string& problem, const std::string& where, const std::string& value,
                              const std::string& action) {
  throw Error(ErrorCode::Unsupported, problem, where, value, action);
}

Shape channels_first_shape(const Shape& shape) {
  return shape.size() == 4 ? Shape{shape[0], shape[3], shape[1], shape[2]} : shape;
}

std::vector<std::int64_t> list(const std::int64_t (&values)[4]) { return {std::begin(values), std::end(values)}; }

}  // namespace

Graph TfliteBuilder::run(RefusalList& refusals) {
  const auto* name = file_.graph().name();
  graph_.name = name == nullptr ? "" : name->str();
  add_inputs();
  std::size_t connections = 0;
  for (std::size_t i = 0; i < file_.operators(); ++i) {
    if (refuse_unknown(i, refusals)) continue;
    const TfliteOperation operation = read_operation(i);
    connections += operation.inputs.size();
    if (connections > MostConnections)
      damaged("the operators of the graph have too many inputs", operation.where, std::to_string(connections));
    convert(operation, refusals);
  }
  add_outputs();
  return std::move(graph_);
}

/// An operator that nothing here executes is kept as a refusal; its results exist, but have no shape.
bool TfliteBuilder::refuse_unknown(std::size_t index, RefusalList& refusals) {
  std::string where = "operator " + std::to_string(index);
  const auto& entry = *file_.graph().operators()->Get(static_cast<flatbuffers::uoffset_t>(index));
  const auto code = file_.operator_name(entry, where);
  if (find_tflite_operator(code.builtin) != nullptr) return false;
  std::string name;
  for (std::size_t i = 0; entry.outputs() != nullptr && i < entry.outputs()->size(); ++i) {
    const std::size_t output = tensor_index(entry.outputs()->Get(static_cast<flatbuffers::uoffset_t>(i)), where);
    if (i == 0) name = file_.name(output);
    define_unknown(output);
  }
  const std::string op = tflite_operator_name(code.builtin, code.custom);
  where.append(" (").append(op).append(")").append(name.empty() ? "" : " of '" + name + "'");
  refusals.add({name, op, where, "the operator is not supported", op, "supported are " + supported_tflite_operators()});
  return true;
}

void TfliteBuilder::convert(const TfliteOperation& operation, RefusalList& refusals) {
  const TfliteOperator& kind = *find_tflite_operator(file_.operator_name(*operation.entry, operation.where).builtin);
  try {
    kind.convert(*this, operation);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Unsupported) throw;
    refusals.add(
        {operation.name, std::string(kind.name), error.where(), error.summary(), error.value(), error.action()});
    for (const std::size_t output : operation.outputs) define_unknown(output);
  }
}

void TfliteBuilder::define_unknown(std::size_t tensor) {
  value_of_[tensor] = real_of_[tensor] = graph_.add_value(file_.name(tensor));
}

std::size_t TfliteBuilder::tensor_index(std::int64_t index, const std::string& where) const {
  if (index < 0 || index >= static_cast<std::int64_t>(file_.tensors()))
    damaged("a tensor does not exist", where, std::to_string(index));
  return static_cast<std::size_t>(index);
}

TfliteOperation TfliteBuilder::read_operation(std::size_t index) const {
  TfliteOperation result;
  result.entry = file_.graph().operators()->Get(static_cast<flatbuffers::uoffset_t>(index));
  const auto code = file_.operator_name(*result.entry, "operator " + std::to_string(index));
  const TfliteOperator& kind = *find_tflite_operator(code.builtin);
  result.where = "operator " + std::to_string(index) + " (" + std::string(kind.name) + ")";
  const auto* outputs = result.entry->outputs();
  if (outputs == nullptr || outputs->size() < 1 || (outputs->size() != 1 && !kind.many_outputs))
    damaged("the operator does not have one output", result.where);
  for (const std::int32_t output : *outputs) result.outputs.push_back(tensor_index(output, result.where));
  result.output = result.outputs[0];
  result.name = file_.name(result.output);
  result.where = "operator " + std::to_string(index) + " (" + std::string(kind.name) + ") of '" + result.name + "'";
  for (const std::size_t output : result.outputs)
    if (is_defined(output) || constant_of_[output] >= 0 || file_.is_constant(output) ||
        std::count(result.outputs.begin(), result.outputs.end(), output) != 1)
      damaged("the output is a constant or written twice", result.where);
  const auto* inputs = result.entry->inputs();
  const std::size_t count = inputs == nullptr ? 0 : inputs->size();
  if (count < kind.least_inputs || count > kind.most_inputs)
    damaged("the operator has a wrong number of inputs", result.where, std::to_string(count));
  for (std::size_t i = 0; i < count; ++i) {
    const std::int32_t tensor = inputs->Get(static_cast<flatbuffers::uoffset_t>(i));
    if (tensor == -1) {
      if (i < kind.least_inputs) damaged("a required input is missing", result.where, std::to_string(i));
      result.inputs.emplace_back();
      continue;
    }
    const std::size_t given = tensor_index(tensor, result.where);
    result.inputs.emplace_back(constant_of_[given] < 0 ? given : static_cast<std::size_t>(constant_of_[given]));
    if (!is_defined(*result.inputs.back()) && !file_.is_constant(*result.inputs.back()))
      damaged("a tensor is read that nothing defines before", result.where, file_.name(*result.inputs.back()));
  }
  return result;
}

void TfliteBuilder::add_inputs() {
  if (!options_.shapes.empty())
    throw Error(ErrorCode::Usage, "the sizes of TensorFlow Lite files are fixed", "--shape",
                options_.shapes.begin()->first, "leave it out");
  const auto* inputs = file_.graph().inputs();
  for (std::size_t i = 0; inputs != nullptr && i < inputs->size(); ++i) {
    const std::size_t tensor = tensor_index(inputs->Get(static_cast<flatbuffers::uoffset_t>(i)), "graph inputs");
    const std::string where = "input '" + file_.name(tensor) + "'";
    if (is_defined(tensor) || file_.is_constant(tensor)) damaged("the input is a constant or listed twice", where);
    const auto* free = file_.tensor(tensor).shape_signature();
    const Shape given = file_.shape(tensor);
    for (std::size_t axis = 1; free != nullptr && axis < free->size(); ++axis)
      if (free->Get(static_cast<flatbuffers::uoffset_t>(axis)) < 0)
        unsupported("a size other than the batch is free", where, to_string(given), "convert with fixed shapes");
    const Shape shape = channels_first_shape(given);
    if (count_elements(shape, where) < 1) damaged("the input has no elements", where, to_string(given));
    const int value = graph_.add_value(file_.name(tensor), file_.type(tensor), shape);
    value_of_[tensor] = real_of_[tensor] = value;
    graph_.inputs.push_back({value, file_.name(tensor), file_.type(tensor), shape, {}, {}});
    if (const auto quantisation = file_.quantisation(tensor))
      real_of_[tensor] = dequantise(value, *quantisation, file_.type(tensor), 0);
  }
}

void TfliteBuilder::add_outputs() {
  const auto* outputs = file_.graph().outputs();
  for (std::size_t i = 0; outputs != nullptr && i < outputs->size(); ++i) {
    const std::size_t tensor = tensor_index(outputs->Get(static_cast<flatbuffers::uoffset_t>(i)), "graph outputs");
    const std::string name = file_.name(tensor), where = "output '" + name + "'";
    if (!is_defined(tensor)) damaged("the output is not computed", where);
    for (const Port& port : graph_.outputs)
      if (port.value == value_of_[tensor]) damaged("the output is listed twice", where);
    graph_.outputs.push_back({value_of_[tensor], name, ElementType::Float, {}, {}, {}});
  }
  if (graph_.outputs.empty()) damaged("the graph has no outputs", "graph '" + graph_.name + "'");
}

void TfliteBuilder::check_shapes(const Graph& inferred) const {
  for (std::size_t tensor = 0; tensor < value_of_.size(); ++tensor) {
    if (value_of_[tensor] < 0) continue;
    const Shape given = channels_first_shape(file_.shape(tensor));
    const Value& value = inferred.value(value_of_[tensor]);
    if (value.known && !given.empty() && value.shape != given)
      damaged("the shape of a tensor is not that of its operator's result", file_.where(tensor),
              to_string(given) + " instead of " + to_string(value.shape));
  }
}

std::int64_t TfliteBuilder::axis(std::int64_t axis, std::size_t rank, const std::string& where) const {
  const auto count = static_cast<std::int64_t>(rank);
  if (axis < -count || axis >= count) damaged("the axis is out of range", where, std::to_string(axis));
  if (axis < 0) axis += count;
  if (rank != 4) return axis;
  return std::find(std::begin(ToChannelsFirst), std::end(ToChannelsFirst), axis) - std::begin(ToChannelsFirst);
}

int TfliteBuilder::real(const TfliteOperation& operation, std::size_t input) {
  const std::size_t tensor = operation.inputs.at(input).value();
  if (is_defined(tensor)) return real_of_[tensor];
  std::vector<std::size_t> order(rank(tensor));
  std::iota(order.begin(), order.end(), std::size_t{0});
  return weights(operation, input, order);
}

int TfliteBuilder::operand(const TfliteOperation& operation, std::size_t input, std::size_t result_rank) {
  const std::size_t tensor = operation.inputs.at(input).value();
  const Shape given = file_.shape(tensor);
  if (result_rank != 4 || (given.size() == 4 && is_defined(tensor)) || given.empty()) return real(operation, input);
  if (given.size() > 4) unsupported("the rank is too large", operation.where, to_string(given), "use at most 4 axes");
  Shape padded(4 - given.size(), 1);
  padded.insert(padded.end(), given.begin(), given.end());
  if (!is_defined(tensor)) return weights(operation, input, {0, 3, 1, 2}, padded);
  const int map = emit(operation, "Reshape", {real_of_[tensor]}, {{"shape", padded}});
  return channels_first(operation, map, 4);
}

int TfliteBuilder::weights(const TfliteOperation& operation, std::size_t input, std::vector<std::size_t> order,
                           std::optional<Shape> shape) {
  const std::size_t tensor = operation.inputs.at(input).value();
  if (!file_.is_constant(tensor))
    unsupported("the input is not constant", operation.where, file_.name(tensor), "export with constant weights");
  Array array = file_.constant(tensor);
  auto quantisation = file_.quantisation(tensor);
  if (array.type() != ElementType::Float && !quantisation)
    unsupported("an integer constant has no scale", operation.where, file_.name(tensor), "quantise it or use float32");
  if (shape && quantisation && quantisation->scale.size() > 1) {
    // Axes of size 1 are put before those of the file.
    quantisation->axis += shape->size() - array.shape.size();
  }
  if (shape) array.shape = *shape;
  if (array.shape.size() != order.size())
    damaged("the constant has a wrong rank", operation.where, to_string(array.shape));
  array = permute(array, order);
  if (!quantisation) return graph_.add_constant(file_.name(tensor), std::move(array));
  const auto axis =
      quantisation->scale.size() > 1
          ? static_cast<std::size_t>(std::find(order.begin(), order.end(), quantisation->axis) - order.begin())
          : 0;
  const bool float_operator = file_.type(operation.output) == ElementType::Float;
  if (!float_operator) return add_constant(tensor, std::move(array), quantisation, axis);
  // A float operator with integer weights works on the numbers that they stand for.
  std::size_t inner = 1;
  for (std::size_t i = axis + 1; i < array.shape.size(); ++i) inner *= static_cast<std::size_t>(array.shape[i]);
  std::vector<float> reals = array.as_floats();
  for (std::size_t i = 0; i < reals.size(); ++i) {
    const std::size_t channel = i / inner % quantisation->scale.size();
    reals[i] = quantisation->scale[channel] * (reals[i] - static_cast<float>(quantisation->zero[channel]));
  }
  return graph_.add_constant(file_.name(tensor), {array.shape, std::move(reals)});
}

int TfliteBuilder::add_constant(std::size_t tensor, Array array, const std::optional<TfliteQuantisation>& quantisation,
                                std::size_t axis) {
  const ElementType type = array.type();
  const int value = graph_.add_constant(file_.name(tensor), std::move(array));
  return dequantise(value, *quantisation, type, axis);
}

int TfliteBuilder::bias(const TfliteOperation& operation, std::size_t input) {
  const std::size_t tensor = operation.inputs.at(input).value();
  if (!file_.is_constant(tensor))
    unsupported("the bias is not constant", operation.where, file_.name(tensor), "export with constant weights");
  Array array = file_.constant(tensor);
  if (array.type() == ElementType::Float) return graph_.add_constant(file_.name(tensor), std::move(array));
  const auto in = file_.quantisation(operation.inputs[0].value());
  const auto factor = file_.quantisation(operation.inputs[1].value());
  if (array.type() != ElementType::Int32 || !in || in->scale.size() != 1 || !factor)
    unsupported("the type of the bias does not fit the weights", operation.where, to_string(array.type()),
                "use int32 beside integer weights");
  // The unit of the bias is that of the products; the file repeats it.
  TfliteQuantisation unit;
  for (const float scale : factor->scale) unit.scale.push_back(in->scale[0] * scale);
  if (unit.scale.size() > 1 && unit.scale.size() != array.size())
    damaged("the bias does not fit the scales of the weights", operation.where, std::to_string(array.size()));
  for (const float scale : unit.scale)
    if (!(scale > 0)) damaged("the scale of the products is too small", operation.where, std::to_string(scale));
  return add_constant(tensor, std::move(array), unit, 0);
}

std::vector<std::int64_t> TfliteBuilder::integers(const TfliteOperation& operation, std::size_t input,
                                                  const char* what) {
  const std::size_t tensor = operation.inputs.at(input).value();
  if (!file_.is_constant(tensor))
    unsupported(std::string(what) + " is not constant", operation.where, file_.name(tensor),
                "convert with fixed shapes");
  const Array array = file_.constant(tensor);
  if (array.type() != ElementType::Int32 && array.type() != ElementType::Int64)
    damaged(std::string(what) + " has a wrong type", operation.where, to_string(array.type()));
  return array.as_integers();
}

int TfliteBuilder::channels_last(const TfliteOperation& operation, int value, std::size_t rank) {
  if (rank != 4) return value;
  return emit(operation, "Transpose", {value}, {{"perm", list(ToChannelsLast)}});
}

int TfliteBuilder::channels_first(const TfliteOperation& operation, int value, std::size_t rank) {
  if (rank != 4) return value;
  return emit(operation, "Transpose", {value}, {{"perm", list(ToChannelsFirst)}});
}

int TfliteBuilder::emit(const TfliteOperation& operation, const std::string& op, std::vector<int> inputs,
                        Attributes attributes) {
  const int result = graph_.add_value(operation.name + "." + op);
  graph_.nodes.push_back({operation.name, op, std::move(inputs), {result}, std::move(attributes)});
  return result;
}

/// Scale and zero point as inputs of QuantizeLinear and DequantizeLinear; biases have no zero point.
std::vector<int> TfliteBuilder::parameters(const TfliteQuantisation& quantisation, ElementType type,
                                           const std::string& name) {
  const auto count = static_cast<std::int64_t>(quantisation.scale.size());
  const Shape shape = count == 1 ? Shape{} : Shape{count};
  std::vector<int> result{graph_.add_constant(name + ".scale", {shape, quantisation.scale})};
  if (type != ElementType::Int8 && type != ElementType::UInt8) return result;
  const std::vector<double> zero(quantisation.zero.begin(), quantisation.zero.end());
  result.push_back(graph_.add_constant(name + ".zero", make_array(type, shape, zero)));
  return result;
}

int TfliteBuilder::dequantise(int value, const TfliteQuantisation& quantisation, ElementType type, std::size_t axis) {
  const std::string name = graph_.value(value).name;
  std::vector<int> inputs{value};
  for (const int parameter : parameters(quantisation, type, name)) inputs.push_back(parameter);
  const int result = graph_.add_value(name + ".real");
  graph_.nodes.push_back(
      {name, "DequantizeLinear", std::move(inputs), {result}, {{"axis", static_cast<std::int64_t>(axis)}}});
  return result;
}

void TfliteBuilder::finish(const TfliteOperation& operation, int value, tflite::Activation activation) {
  switch (activation) {
    case tflite::Activation_None:
      break;
    case tflite::Activation_Relu:
      value = emit(operation, "Relu", {value});
      break;
    case tflite::Activation_ReluN1To1:
      value = emit(operation, "Clip", {value}, {{"min", -1.0F}, {"max", 1.0F}});
      break;
    case tflite::Activation_Relu6:
      value = emit(operation, "Clip", {value}, {{"min", 0.0F}, {"max", 6.0F}});
      break;
    default:
      unsupported("the activation is not supported", operation.where, std::to_string(static_cast<int>(activation)),
                  "use ReLU or ReLU6");
  }
  const ElementType type = file_.type(operation.output);
  if (type == ElementType::Float) return finish_real(operation, value);
  const auto quantisation = file_.quantisation(operation.output);
  if (!quantisation || quantisation->scale.size() != 1 || (type != ElementType::Int8 && type != ElementType::UInt8))
    unsupported("the result is neither float32 nor int8 or uint8 with one scale", operation.where,
                std::string(to_string(type)) + " with " +
                    std::to_string(quantisation ? quantisation->scale.size() : 0) + " scales",
                "quantise activations to 8 bits per tensor");
  std::vector<int> inputs{value};
  for (const int parameter : parameters(*quantisation, type, operation.name)) inputs.push_back(parameter);
  const int result = graph_.add_value(operation.name);
  graph_.nodes.push_back({operation.name, "QuantizeLinear", std::move(inputs), {result}, {}});
  value_of_[operation.output] = result;
  real_of_[operation.output] = dequantise(result, *quantisation, type, 0);
}

void TfliteBuilder::define_alias(const TfliteOperation& operation) {
  const std::size_t source = operation.inputs.at(0).value();
  if (file_.shape(source) != file_.shape(operation.output))
    damaged("the shapes of input and result differ", operation.where, to_string(file_.shape(source)));
  if (is_defined(source)) return finish_real(operation, real_of_[source]);
  constant_of_[operation.output] = static_cast<int>(source);
}

void TfliteBuilder::finish_real(const TfliteOperation& operation, int value) {
  value_of_[operation.output] = real_of_[operation.output] = value;
}

}  // namespace espalier::model
