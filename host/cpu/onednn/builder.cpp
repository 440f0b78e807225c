#include "cpu/onednn/builder.hpp"

#include <set>

#include "esp_error.hpp"
#include "model/rewrites.hpp"

namespace espalier::cpu::onednn {

Builder::Builder(const model::Graph& graph, Program& program)
    : graph_(graph),
      program_(program),
      values_(graph.values.size()),
      reordered_(graph.values.size()),
      done_(graph.nodes.size()),
      deferred_pad_(graph.values.size()),
      deferred_repetition_(graph.values.size()) {}

void Builder::build(std::vector<Operand>& inputs, std::vector<Operand>& outputs) {
  for (const model::Port& port : graph_.inputs) {
    const Operand operand = program_.temporary(row_major(shape(port.value)));
    program_.keep(operand);
    set(port.value, operand);
    inputs.push_back(operand);
  }
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    if (done_[i]) continue;
    const std::vector<char> done = done_;
    try {
      compute(i);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Unsupported) throw;
      done_ = done;  // what a refused node had taken in
      typed(graph_.nodes[i]);
    }
  }
  for (const model::Port& port : graph_.outputs) {
    const Operand operand = rows(port.value);
    program_.keep(operand);
    outputs.push_back(operand);
  }
}

void Builder::compute(std::size_t position) {
  const model::Node& node = graph_.nodes[position];
  static const std::set<std::string> SameValues{"Identity", "Dropout", "Cast"};
  static const std::set<std::string> SameOrder{"Reshape", "Flatten", "Squeeze", "Unsqueeze"};
  static const std::set<std::string> Arithmetic{"Add", "Sub", "Mul", "Div", "Max", "Min"};
  try {
    if (SameValues.contains(node.op)) return set(node.outputs[0], value(node.inputs[0]));
    if (SameOrder.contains(node.op)) return reshape(node);
    if (Arithmetic.contains(node.op)) return arithmetic(node);
    if (node.op == "Conv") return convolution(position);
    if (node.op == "ConvTranspose") return transposed_convolution(position);
    if (node.op == "Gemm" || node.op == "MatMul") return product(position);
    if (node.op == "MaxPool" || node.op == "AveragePool") return pool(node);
    if (node.op == "GlobalAveragePool" || node.op == "GlobalMaxPool" || node.op == "ReduceMean")
      return global_pool(node);
    if (node.op == "BatchNormalization") return batch_normalisation(node);
    if (node.op == "Resize" || node.op == "Upsample") return resize(position);
    if (node.op == "Transpose") return transpose(node);
    if (node.op == "Concat") return concat(node);
    if (node.op == "Pad") return pad(position);
    if (node.op == "PRelu") return slope(node);
    if (node.op == "Softmax") return softmax(node);
    activation(node);
  } catch (const dnnl::error& error) {
    refuse(node, "oneDNN refuses the operator", error.what());
  }
}

const Operand& Builder::value(int index) const {
  const auto& operand = values_.at(static_cast<std::size_t>(index));
  if (!operand) throw Error(ErrorCode::Internal, "a value is read before it is made", graph_.value(index).name);
  return *operand;
}

void Builder::set(int index, const Operand& operand) { values_.at(static_cast<std::size_t>(index)) = operand; }

Dims Builder::shape(int index) const { return dims_of(graph_.value(index).shape); }

std::vector<float> Builder::floats(int index) const { return model::real_constant(graph_.value(index)).as_floats(); }

Operand Builder::converted(const Operand& operand, const Desc& desc) {
  if (operand.desc() == desc) return operand;
  if (same_places(operand.desc(), desc)) return program_.view(operand, desc);
  const Operand result = program_.temporary(desc);
  program_.add(dnnl::reorder(operand.memory, result.memory), {{DNNL_ARG_FROM, operand}, {DNNL_ARG_TO, result}});
  return result;
}

Operand Builder::in_layout(int index, const Desc& desc) {
  if (graph_.is_constant(index)) return program_.constant(desc, floats(index));
  auto& others = reordered_.at(static_cast<std::size_t>(index));
  for (const Operand& other : others) {
    if (other.desc() == desc) return other;
  }
  const Operand result = converted(value(index), desc);
  others.push_back(result);
  return result;
}

Operand Builder::maps(int index) { return in_layout(index, channels_last(shape(index))); }
Operand Builder::rows(int index) { return in_layout(index, row_major(shape(index))); }

std::optional<std::size_t> Builder::only_reader(int value) const {
  if (graph_.use_count(value) != 1) return {};
  for (std::size_t i = 0; i < graph_.nodes.size(); ++i) {
    for (const int input : graph_.nodes[i].inputs) {
      if (input == value) return i;
    }
  }
  return {};
}

void Builder::refuse(const model::Node& node, const std::string& what, const std::string& value) const {
  throw Error(ErrorCode::Unsupported, what, node.where(), value, "use the reference executor for this network");
}

}  // namespace espalier::cpu::onednn
