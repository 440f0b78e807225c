// Functions of single elements, sums and products of two tensors, Softmax.
#include <cmath>
#include <limits>

#include "cpu/onednn/builder.hpp"

namespace espalier::cpu::onednn {
namespace {

using dnnl::algorithm;

struct Function {
  algorithm kind;
  float alpha = 0, beta = 0;
};

/// The functions whose composition, the first first, a node is; empty if it is none of the known.
std::vector<Function> functions(const model::Node& node) {
  const std::string& op = node.op;
  if (op == "Relu") return {{algorithm::eltwise_relu}};
  if (op == "LeakyRelu") return {{algorithm::eltwise_relu, node.real("alpha", 0.01F)}};
  if (op == "Clip")
    return {{algorithm::eltwise_clip, node.real("min", std::numeric_limits<float>::lowest()),
             node.real("max", std::numeric_limits<float>::max())}};
  if (op == "Sigmoid") return {{algorithm::eltwise_logistic}};
  if (op == "Tanh") return {{algorithm::eltwise_tanh}};
  if (op == "Elu") return {{algorithm::eltwise_elu, node.real("alpha", 1)}};
  if (op == "HardSwish") return {{algorithm::eltwise_hardswish}};
  if (op == "HardSigmoid") {
    return {{algorithm::eltwise_linear, node.real("alpha", 0.2F), node.real("beta", 0.5F)},
            {algorithm::eltwise_clip, 0, 1}};
  }
  if (op == "Exp") return {{algorithm::eltwise_exp}};
  if (op == "Sqrt") return {{algorithm::eltwise_sqrt}};
  if (op == "Abs") return {{algorithm::eltwise_abs}};
  return {};
}

}  // namespace

bool Builder::append_activation(const model::Node& node, dnnl::post_ops& operations) const {
  const std::vector<Function> found = functions(node);
  for (const Function& function : found) operations.append_eltwise(1, function.kind, function.alpha, function.beta);
  return !found.empty();
}

void Builder::activation(const model::Node& node) {
  const std::vector<Function> found = functions(node);
  if (found.empty()) refuse(node, "the operator is not known", node.op);
  Operand operand = value(node.inputs[0]);
  for (const Function& function : found) {
    const dnnl::eltwise_forward::desc desc(dnnl::prop_kind::forward_inference, function.kind, operand.desc(),
                                           function.alpha, function.beta);
    const dnnl::eltwise_forward::primitive_desc primitive(desc, program_.engine());
    const Operand result = program_.temporary(operand.desc());
    program_.add(dnnl::eltwise_forward(primitive), {{DNNL_ARG_SRC, operand}, {DNNL_ARG_DST, result}});
    operand = result;
  }
  set(node.outputs[0], operand);
}

Operand Builder::binary(algorithm kind, const Operand& left, const Operand& right, const Desc& to,
                        const model::Node& node) {
  const Dims a = left.desc().dims(), b = right.desc().dims(), out = to.dims();
  const bool commutes = kind != algorithm::binary_sub && kind != algorithm::binary_div;
  if (a != out) {
    if (b != out || !commutes)
      refuse(node, "the left operand is repeated", model::to_string(model::Shape(a.begin(), a.end())));
    return binary(kind, right, left, to, node);
  }
  const dnnl::binary::desc desc(kind, left.desc(), right.desc(), to);
  const dnnl::binary::primitive_desc primitive(desc, program_.engine());
  const Operand result = program_.temporary(to);
  program_.add(dnnl::binary(primitive), {{DNNL_ARG_SRC_0, left}, {DNNL_ARG_SRC_1, right}, {DNNL_ARG_DST, result}});
  return result;
}

void Builder::arithmetic(const model::Node& node) {
  if (node.inputs.size() != 2) refuse(node, "only two operands", std::to_string(node.inputs.size()));
  const Dims out = shape(node.outputs[0]);
  const auto operand = [&](int index) {
    Dims dims = shape(index);
    if (dims.size() == out.size()) return maps(index);
    const Operand plain = rows(index);
    dims.insert(dims.begin(), out.size() - dims.size(), 1);
    return converted(program_.view(plain, row_major(dims)), channels_last(dims));
  };
  const Operand left = operand(node.inputs[0]), right = operand(node.inputs[1]);
  const algorithm kind = node.op == "Add"   ? algorithm::binary_add
                         : node.op == "Sub" ? algorithm::binary_sub
                         : node.op == "Mul" ? algorithm::binary_mul
                         : node.op == "Div" ? algorithm::binary_div
                         : node.op == "Max" ? algorithm::binary_max
                                            : algorithm::binary_min;
  set(node.outputs[0], binary(kind, left, right, channels_last(out), node));
}

void Builder::slope(const model::Node& node) {
  const Operand source = maps(node.inputs[0]);
  Dims dims = shape(node.inputs[1]);
  const std::size_t axes = source.desc().dims().size();
  if (dims.size() > axes || !graph_.is_constant(node.inputs[1]))
    refuse(node, "this slope", std::to_string(dims.size()));
  dims.insert(dims.begin(), axes - dims.size(), 1);
  const Operand slopes = program_.constant(channels_last(dims), floats(node.inputs[1]));
  const dnnl::prelu_forward::desc desc(dnnl::prop_kind::forward_inference, source.desc(), slopes.desc());
  const Operand result = program_.temporary(source.desc());
  program_.add(dnnl::prelu_forward({desc, program_.engine()}),
               {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, slopes}, {DNNL_ARG_DST, result}});
  set(node.outputs[0], result);
}

void Builder::batch_normalisation(const model::Node& node) {
  const Dims dims = shape(node.inputs[0]);
  const auto scale = floats(node.inputs[1]), shift = floats(node.inputs[2]), mean = floats(node.inputs[3]),
             variance = floats(node.inputs[4]);
  std::vector<float> factor(scale.size()), sum(scale.size());
  for (std::size_t c = 0; c < scale.size(); ++c) {
    factor[c] = scale[c] / std::sqrt(variance[c] + node.real("epsilon", 1e-5F));
    sum[c] = shift[c] - mean[c] * factor[c];
  }
  Dims channels(dims.size(), 1);
  channels[1] = dims[1];
  const Desc per_channel = channels_last(channels), to = channels_last(dims);
  const Operand scaled =
      binary(algorithm::binary_mul, maps(node.inputs[0]), program_.constant(per_channel, factor), to, node);
  set(node.outputs[0], binary(algorithm::binary_add, scaled, program_.constant(per_channel, sum), to, node));
}

void Builder::softmax(const model::Node& node) {
  const Dims dims = shape(node.inputs[0]);
  const auto axes = static_cast<std::int64_t>(dims.size());
  const std::int64_t given = node.integer("axis", graph_.opset >= 13 ? -1 : 1);
  const std::int64_t axis = given < 0 ? given + axes : given;
  // Before opset 13, all axes from `axis` on are one.
  Dims viewed = dims;
  if (graph_.opset < 13) {
    for (auto i = static_cast<std::size_t>(axis) + 1; i < dims.size(); ++i)
      viewed[static_cast<std::size_t>(axis)] *= dims[i];
    viewed.resize(static_cast<std::size_t>(axis) + 1);
  }
  const Operand operand = program_.view(rows(node.inputs[0]), row_major(viewed));
  const dnnl::softmax_forward::desc desc(dnnl::prop_kind::forward_inference, operand.desc(), static_cast<int>(axis));
  const Operand result = program_.temporary(operand.desc());
  program_.add(dnnl::softmax_forward({desc, program_.engine()}), {{DNNL_ARG_SRC, operand}, {DNNL_ARG_DST, result}});
  set(node.outputs[0], program_.view(result, row_major(dims)));
}

}  // namespace espalier::cpu::onednn
