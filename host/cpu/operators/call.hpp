// One execution of one operator: its attributes and inputs, as a kernel sees them.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/operator_graph.hpp"
#include "model/typed_tensor.hpp"

namespace espalier::cpu::operators {

using model::DataType;
using model::Integers;
using model::Reals;
using model::Shape;
using model::TypedTensor;

/// No result has more elements, so that sizes never overflow and memory is bounded.
inline constexpr std::int64_t MostElements = std::int64_t{1} << 27;

class Call {
 public:
  /// `inputs` has nullptr where an optional input is left out; nodes and tensors outlive the call.
  Call(const model::OperatorNode& node, int opset, std::vector<const TypedTensor*> inputs)
      : node_(&node), opset_(opset), inputs_(std::move(inputs)) {}

  int opset() const { return opset_; }
  const std::string& op() const { return node_->op; }
  std::size_t inputs() const { return inputs_.size(); }
  /// Results that the node lists, read or not.
  std::size_t outputs() const { return node_->outputs.size(); }
  bool has(std::size_t index) const { return index < inputs_.size() && inputs_[index] != nullptr; }
  const TypedTensor& input(std::size_t index) const { return *inputs_.at(index); }

  std::int64_t integer(const std::string& key, std::int64_t otherwise) const;
  double real(const std::string& key, double otherwise) const;
  std::string text(const std::string& key, const std::string& otherwise) const;
  Integers integers(const std::string& key, const Integers& otherwise) const;
  bool has_attribute(const std::string& key) const { return node_->attributes.contains(key); }
  const model::OperatorAttribute& attribute(const std::string& key) const { return node_->attributes.at(key); }

  /// The integers of an input if it is there, else of the attribute, else `otherwise`.
  Integers parameter(std::size_t index, const std::string& key, const Integers& otherwise) const;
  /// The one value of an input; `otherwise` if it is left out. Throws Error(Model) unless it has one.
  double scalar(std::size_t index, double otherwise) const;
  std::int64_t integer_scalar(std::size_t index, std::int64_t otherwise) const;

  /// The type that the operator table gives to an output "@attribute".
  DataType output_type(std::size_t index) const { return output_types.at(index); }
  std::vector<DataType> output_types;

  /// An axis from -rank to rank - 1 as 0 to rank - 1. Throws Error(Model).
  std::size_t axis(std::int64_t value, std::size_t rank) const;
  /// Several axes without duplicates, ascending.
  std::vector<std::size_t> axes(const Integers& values, std::size_t rank) const;
  /// Elements of a result. Throws Error(Model) if a size is negative or the product exceeds MostElements.
  std::size_t count(const Shape& shape) const;
  /// Throws Error(Model) naming the node unless `holds`.
  void require(bool holds, const char* problem, const Shape& value = {}) const;
  [[noreturn]] void fail(const std::string& problem, const std::string& value = {}) const;

 private:
  const model::OperatorNode* node_;
  int opset_;
  std::vector<const TypedTensor*> inputs_;
};

/// Computes the results of a call; results that nobody lists may be missing.
using Kernel = std::function<std::vector<TypedTensor>(const Call&)>;

}  // namespace espalier::cpu::operators
