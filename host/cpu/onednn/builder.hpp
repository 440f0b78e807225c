// From the nodes of a graph to the steps of a program.
#pragma once

#include <optional>
#include <vector>

#include "cpu/onednn/program.hpp"
#include "model/graph.hpp"
#include "model/window.hpp"

namespace espalier::cpu::onednn {

/// What a convolution computes besides: its weights and bias with the factors and sums per channel of the nodes behind
/// it, and the operations on its result.
struct Fused {
  std::vector<float> weights, bias;
  dnnl::primitive_attr attributes;
  std::optional<int> added;  // the value that is added to the result
  int result;                // the value that is written: of the last node that was taken in
};

/// Copies maps of shape `in`, every pixel as often as `out` says, to pixels that are `pitch` elements apart.
Call repetition(const Dims& in, const Dims& out, std::int64_t pitch);

class Builder {
 public:
  /// Keeps references to both.
  Builder(const model::Graph& graph, Program& program);

  /// Appends all steps. Throws Error(Unsupported) naming a node.
  void build(std::vector<Operand>& inputs, std::vector<Operand>& outputs);

 private:
  // Values
  const Operand& value(int index) const;
  Operand in_layout(int index, const Desc& desc);  // as it is, or reordered
  Operand maps(int index);                         // channels_last
  Operand rows(int index);                         // row_major
  void set(int index, const Operand& operand);
  Dims shape(int index) const;
  std::vector<float> floats(int index) const;  // of a constant
  Operand converted(const Operand& operand, const Desc& desc);

  // Operators: convolutions.cpp
  void convolution(std::size_t position);
  void transposed_convolution(std::size_t position);
  void product(std::size_t position);
  Fused fuse(std::size_t position, std::vector<float> weights, std::vector<float> bias, std::size_t per_channel,
             bool may_add = true);
  void scattered(const model::Node& node, Fused fused);
  bool fuse_channels(const model::Node& node, int from, Fused& fused, std::size_t per_channel) const;
  // activations.cpp
  bool append_activation(const model::Node& node, dnnl::post_ops& operations) const;
  void activation(const model::Node& node);
  void slope(const model::Node& node);
  void softmax(const model::Node& node);
  void arithmetic(const model::Node& node);
  void batch_normalisation(const model::Node& node);
  Operand binary(dnnl::algorithm algorithm, const Operand& left, const Operand& right, const Desc& to,
                 const model::Node& node);
  // maps.cpp
  void pool(const model::Node& node);
  void global_pool(const model::Node& node);
  void resize(std::size_t position);
  bool is_repetition(const model::Node& node) const;  // a Resize that repeats every pixel
  // typed.cpp
  void typed(const model::Node& node);
  // shapes.cpp
  void reshape(const model::Node& node);
  void transpose(const model::Node& node);
  void concat(const model::Node& node);
  void concat_channels(const model::Node& node);
  void pad(std::size_t position);
  Operand padded(const Operand& operand, std::size_t axis, std::int64_t before, std::int64_t after, float filler);

  void compute(std::size_t position);
  std::optional<std::size_t> only_reader(int value) const;  // the node, if exactly one reads it and no output does
  [[noreturn]] void refuse(const model::Node& node, const std::string& what, const std::string& value) const;

  const model::Graph& graph_;
  Program& program_;
  std::vector<std::optional<Operand>> values_;   // indexed like graph.values
  std::vector<std::vector<Operand>> reordered_;  // other layouts of them
  std::vector<char> done_;                       // nodes that an earlier one computes
  std::vector<char> deferred_pad_;               // values: the reader pads
  std::vector<char> deferred_repetition_;        // values: the Concat that reads them repeats the pixels
};

}  // namespace espalier::cpu::onednn
