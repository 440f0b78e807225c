// What a step asks of the lanes: the taps, scales and operation of every output channel.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "compile/lower.hpp"
#include "compile/schedule.hpp"
#include "compile/write_program.hpp"

namespace espalier::compile {

/// Where a step finds one operand: words from the base address of a position to the word of its first tap.
struct OperandView {
  int delta = 0;        // from the first operand's base, modulo 2^16
  int plane_pitch = 0;  // words
  int row_pitch = 0;
  int channel = 0;  // input channel at the base address
};

/// A rectangle of positions whose results have one scale: average pooling over an edge divides by fewer taps.
struct Pass {
  int y = 0, x = 0, height = 0, width = 0;
  WritePlan plan;
  std::optional<int> divisor;  // taps that are averaged
};

/// The rows of one step.
class StepRows {
 public:
  StepRows(const model::Network& network, const Lowered& lowered, const Step& step,
           const abi::Configuration& configuration);

  const Step& step() const { return step_; }

  /// Non-zero taps of the output channels [first, first + count).
  std::vector<Row> taps(int first, int count, const std::vector<OperandView>& views) const;

  /// Bias and scale of an output channel.
  abi::ScaleEntry scale(int channel, const Pass& pass) const;

  /// OpCompute with operation, zero points, clamps and fill.
  abi::Command command() const;

  /// The passes of a step, each with its write plan for the output image; the first covers all positions.
  const std::vector<Pass>& passes() const { return passes_; }

  /// Taps of a row, zero weights included.
  int taps_per_row() const;
  /// Input channels that an output channel reads, and output channels that share them.
  int inputs_per_group() const { return step_.input_channels / step_.groups; }
  int outputs_per_group() const { return step_.output_channels / step_.groups; }

  /// Whether all rows of a group may read one word per slot (FormatDense).
  bool dense_possible() const { return step_.kind == StepKind::Convolution; }
  /// The weights of a row in the order of FormatDense: x innermost, then y, then channels.
  std::vector<std::int8_t> dense_weights(int channel) const;

 private:
  void make_passes(const Lowered& lowered, const abi::Configuration& configuration);
  void append_window(Row& row, int channel, const OperandView& view, std::int8_t weight, int times) const;
  std::size_t weight_index(int channel, int input, int y, int x) const;

  const model::Network& network_;
  const model::Layer& layer_;
  Step step_;
  int pixels_;
  std::int8_t fill_;
  std::vector<Pass> passes_;
};

}  // namespace espalier::compile
