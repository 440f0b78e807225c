#include "model/caffe2_operators.hpp"

#include <algorithm>
#include <set>

#include "esp_error.hpp"
#include "model/operators.hpp"

namespace espalier::model {
namespace {

using Attributes = std::map<std::string, Attribute>;

[[noreturn]] void damaged(const std::string& problem, const std::string& where, const std::string& value = {}) {
  throw Error(ErrorCode::Model, problem, where, value, "export the model again");
}

[[noreturn]] void unsupported(const std::string& problem, const Caffe2Arguments& arguments, const std::string& value,
                              const std::string& action) {
  throw Error(ErrorCode::Unsupported, problem, arguments.where(), value, action);
}

void need_channels_first(const Caffe2Arguments& arguments) {
  const std::string order = arguments.text("order", "NCHW");
  if (order != "NCHW")
    unsupported("the order of the axes is not supported", arguments, order, "export with order NCHW");
}

/// Two sizes: `plural` with both, `single` for both, or one each behind `single`_h and `single`_w.
std::vector<std::int64_t> two_sizes(const Caffe2Arguments& arguments, const std::string& single,
                                    const std::string& plural, std::int64_t otherwise) {
  if (arguments.has(plural)) return arguments.integers(plural);
  const std::int64_t both = arguments.integer(single, otherwise);
  return {arguments.integer(single + "_h", both), arguments.integer(single + "_w", both)};
}

/// The window of a convolution or pool as ONNX attributes.
Attributes window(const Caffe2Arguments& arguments, bool rounds_up) {
  need_channels_first(arguments);
  Attributes result{{"kernel_shape", two_sizes(arguments, "kernel", "kernels", 1)},
                    {"strides", two_sizes(arguments, "stride", "strides", 1)},
                    {"dilations", two_sizes(arguments, "dilation", "dilations", 1)}};
  enum Legacy : std::int64_t { Explicit = 0, Valid = 1, Same = 2, CaffePooling = 3 };
  const std::int64_t legacy = arguments.integer("legacy_pad", Explicit);
  if (legacy == Valid || legacy == Same) {
    result["auto_pad"] = std::string(legacy == Valid ? "VALID" : "SAME_UPPER");
    return result;
  }
  if (legacy == CaffePooling && rounds_up) {
    result["ceil_mode"] = std::int64_t{1};
  } else if (legacy != Explicit) {
    unsupported("the kind of padding is not supported", arguments, std::to_string(legacy), "export explicit padding");
  }
  const std::int64_t all = arguments.integer("pad", 0);
  result["pads"] = arguments.has("pads")
                       ? arguments.integers("pads")
                       : std::vector<std::int64_t>{arguments.integer("pad_t", all), arguments.integer("pad_l", all),
                                                   arguments.integer("pad_b", all), arguments.integer("pad_r", all)};
  return result;
}

int convolution(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  Attributes attributes = window(arguments, false);
  attributes["group"] = arguments.integer("group", 1);
  return emitter.emit("Conv", inputs, std::move(attributes));
}

int pool(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments, const char* op) {
  if (arguments.integer("global_pooling", 0) != 0) {
    need_channels_first(arguments);
    return emitter.emit(std::string("Global") + op, inputs, {});
  }
  Attributes attributes = window(arguments, true);
  const bool is_average = std::string_view(op) == "AveragePool";
  if (is_average) attributes["count_include_pad"] = arguments.integer("count_include_pad", 0);
  return emitter.emit(op, inputs, std::move(attributes));
}
int max_pool(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  return pool(emitter, inputs, arguments, "MaxPool");
}
int average_pool(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  return pool(emitter, inputs, arguments, "AveragePool");
}

int relu(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& /*arguments*/) {
  return emitter.emit("Relu", inputs, {});
}
int sigmoid(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& /*arguments*/) {
  return emitter.emit("Sigmoid", inputs, {});
}
int clip(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  Attributes attributes;
  for (const char* bound : {"min", "max"})
    if (arguments.has(bound)) attributes[bound] = arguments.real(bound, 0);
  return emitter.emit("Clip", inputs, std::move(attributes));
}

int identity(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& /*arguments*/) {
  return emitter.emit("Identity", {inputs[0]}, {});
}
int dropout(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  if (arguments.integer("is_test", 0) == 0)
    unsupported("training mode is not supported", arguments, "is_test 0", "export for inference");
  return emitter.emit("Identity", inputs, {});
}

/// Y = X W^T + b with X flattened from `axis` on.
int fully_connected(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  if (arguments.integer("axis_w", 1) != 1)
    unsupported("weights of another shape than outputs x inputs are not supported", arguments,
                std::to_string(arguments.integer("axis_w", 1)), "use axis_w 1");
  const int flat = emitter.emit("Flatten", {inputs[0]}, {{"axis", arguments.integer("axis", 1)}});
  return emitter.emit("Gemm", {flat, inputs[1], inputs[2]}, {{"transB", std::int64_t{1}}});
}

int batch_normalization(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  need_channels_first(arguments);
  if (arguments.integer("is_test", 0) == 0)
    unsupported("training mode is not supported", arguments, "is_test 0", "export for inference");
  return emitter.emit("BatchNormalization", inputs, {{"epsilon", arguments.real("epsilon", 1e-5F)}});
}

int sum(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& /*arguments*/) {
  int result = inputs[0];
  for (std::size_t i = 1; i < inputs.size(); ++i) result = emitter.emit("Add", {result, inputs[i]}, {});
  return inputs.size() == 1 ? emitter.emit("Identity", inputs, {}) : result;
}

/// With `broadcast` and `axis` the second operand begins at that axis of the first, else at its end.
int arithmetic(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments,
               const char* op) {
  constexpr std::int64_t map_rank = 4;
  int second = inputs[1];
  if (arguments.integer("broadcast", 0) != 0 && arguments.has("axis")) {
    const std::int64_t axis = arguments.integer("axis", 0);
    if (!emitter.graph().is_constant(second) || axis != 1 || emitter.graph().value(second).shape.size() != 1)
      unsupported("only one constant per channel can be broadcast along an axis", arguments, std::to_string(axis),
                  "use axis 1 of a map and a constant");
    Array array = *emitter.graph().value(second).constant;
    array.shape.resize(map_rank - 1, 1);
    second = emitter.graph().add_constant(emitter.graph().value(second).name, std::move(array));
  }
  return emitter.emit(op, {inputs[0], second}, {});
}
int add(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  return arithmetic(emitter, inputs, arguments, "Add");
}
int subtract(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  return arithmetic(emitter, inputs, arguments, "Sub");
}
int multiply(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  return arithmetic(emitter, inputs, arguments, "Mul");
}

int concatenate(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  if (!arguments.has("axis")) need_channels_first(arguments);
  if (arguments.integer("add_axis", 0) != 0)
    unsupported("a concatenation along an axis of its own is not supported", arguments, "add_axis",
                "reshape before it");
  return emitter.emit("Concat", inputs, {{"axis", arguments.integer("axis", 1)}});
}

int softmax(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  return emitter.emit("Softmax", inputs, {{"axis", arguments.integer("axis", 1)}});
}

int reshape(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  if (inputs.size() > 1) return emitter.emit("Reshape", inputs, {});
  if (!arguments.has("shape")) damaged("the shape is missing", arguments.where());
  return emitter.emit("Reshape", inputs, {{"shape", arguments.integers("shape")}});
}
int flatten(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  return emitter.emit("Flatten", inputs, {{"axis", arguments.integer("axis", 1)}});
}
int squeeze(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  return emitter.emit("Squeeze", inputs, {{"axes", arguments.integers("dims")}});
}
int expand(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  return emitter.emit("Unsqueeze", inputs, {{"axes", arguments.integers("dims")}});
}
int transpose(Caffe2Emitter& emitter, const std::vector<int>& inputs, const Caffe2Arguments& arguments) {
  Attributes attributes;
  if (arguments.has("axes")) attributes["perm"] = arguments.integers("axes");
  return emitter.emit("Transpose", inputs, std::move(attributes));
}

const std::vector<Caffe2Operator>& table() {
  static const std::vector<Caffe2Operator> operators = {
      {"Add", 2, 2, add},
      {"AveragePool", 1, 1, average_pool},
      {"Clip", 1, 1, clip},
      {"Concat", 1, AnyNumber, concatenate},
      {"Conv", 2, 3, convolution},
      {"Copy", 1, 1, identity},
      {"Dropout", 1, 1, dropout},
      {"ExpandDims", 1, 1, expand},
      {"FC", 3, 3, fully_connected},
      {"Flatten", 1, 1, flatten},
      {"MaxPool", 1, 1, max_pool},
      {"Mul", 2, 2, multiply},
      {"Relu", 1, 1, relu},
      {"Reshape", 1, 2, reshape},
      {"Sigmoid", 1, 1, sigmoid},
      {"Softmax", 1, 1, softmax},
      {"SpatialBN", 5, 5, batch_normalization},
      {"Squeeze", 1, 1, squeeze},
      {"StopGradient", 1, 1, identity},
      {"Sub", 2, 2, subtract},
      {"Sum", 1, AnyNumber, sum},
      {"Transpose", 1, 1, transpose},
  };
  return operators;
}

}  // namespace

Caffe2Arguments::Caffe2Arguments(const caffe2::OperatorDef& entry, std::string where)
    : entry_(entry), where_(std::move(where)) {
  std::set<std::string> names;
  for (const auto& argument : entry.arg())
    if (!names.insert(argument.name()).second) damaged("an argument is given twice", where_, argument.name());
}

const caffe2::Argument* Caffe2Arguments::find(const std::string& name) const {
  const auto found = std::find_if(entry_.arg().begin(), entry_.arg().end(),
                                  [&](const caffe2::Argument& argument) { return argument.name() == name; });
  return found == entry_.arg().end() ? nullptr : &*found;
}

std::int64_t Caffe2Arguments::integer(const std::string& name, std::int64_t otherwise) const {
  const caffe2::Argument* argument = find(name);
  if (argument == nullptr) return otherwise;
  if (!argument->has_i()) damaged("argument '" + name + "' is not an integer", where_);
  return argument->i();
}

float Caffe2Arguments::real(const std::string& name, float otherwise) const {
  const caffe2::Argument* argument = find(name);
  if (argument == nullptr) return otherwise;
  if (!argument->has_f()) damaged("argument '" + name + "' is not a float", where_);
  return argument->f();
}

std::string Caffe2Arguments::text(const std::string& name, const std::string& otherwise) const {
  const caffe2::Argument* argument = find(name);
  if (argument == nullptr) return otherwise;
  if (!argument->has_s()) damaged("argument '" + name + "' is not a text", where_);
  return argument->s();
}

std::vector<std::int64_t> Caffe2Arguments::integers(const std::string& name) const {
  const caffe2::Argument* argument = find(name);
  if (argument == nullptr) return {};
  return {argument->ints().begin(), argument->ints().end()};
}

std::vector<float> Caffe2Arguments::reals(const std::string& name) const {
  const caffe2::Argument* argument = find(name);
  if (argument == nullptr) return {};
  return {argument->floats().begin(), argument->floats().end()};
}

const Caffe2Operator* find_caffe2_operator(std::string_view type) {
  const auto found =
      std::find_if(table().begin(), table().end(), [&](const Caffe2Operator& entry) { return entry.type == type; });
  return found == table().end() ? nullptr : &*found;
}

std::string supported_caffe2_operators() {
  std::string text;
  for (const Caffe2Operator& entry : table()) text.append(text.empty() ? "" : " ").append(entry.type);
  return text;
}

}  // namespace espalier::model
