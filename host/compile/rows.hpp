// What a step asks of the lanes: the taps, weights, scales and operation of every row. A row computes the channels of a
// word.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
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
  int plane = 0;  // of the step's input, at the base address
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
  StepRows(const model::Network& network, const Lowered& lowered, const Step& step);

  const Step& step() const { return step_; }

  /// Taps of the rows [first, first + count) at which one of their channels has a weight. The weight of a tap is that
  /// of the row's first channel, its index is for weight().
  std::vector<Row> taps(int first, int count, const std::vector<OperandView>& views) const;
  /// Weight of a channel at the tap with this index; 0 for channels beyond the last.
  std::int8_t weight(int channel, std::uint32_t index) const;

  /// Whether every channel of a row has a weight and a scale of its own; otherwise they share them.
  bool own_scales() const { return step_.kind == StepKind::Convolution || step_.kind == StepKind::GlobalPool; }
  /// Segments of CmdSplit.
  int command_split() const { return own_scales() ? step_.split() : 1; }
  /// Whether a slot reads one segment of a word.
  bool broadcast() const { return step_.kind == StepKind::Convolution && step_.split() > 1 && !step_.channelwise(); }

  /// Bias and scale of an output channel; 0 for channels beyond the last.
  abi::ScaleEntry scale(int channel, const Pass& pass) const;

  /// Plane of the output image that takes the first channel of a row.
  int output_plane(int row) const { return (step_.output_channel + row * step_.split()) / output_split_; }
  /// Planes that take the rows [first, first + count).
  int output_planes(int first, int count) const {
    const int end = step_.output_channel + (first + count) * step_.split();
    return divide_up(end, output_split_) - output_plane(first);
  }
  /// Which of the rows that share a plane this one is.
  int variant(int row) const { return (step_.output_channel + row * step_.split()) % output_split_ / step_.split(); }
  /// Rows that share a plane.
  int alignment() const { return std::max(1, output_split_ / step_.split()); }

  /// OpCompute with operation, zero points, clamps and fill.
  abi::Command command() const;

  /// The passes of a step, each with its write plan for the output image, of PermuteDepth permutations at most.
  const std::vector<Pass>& passes() const { return passes_; }

  /// Slots of a row with WeightsDense.
  int dense_slots() const {
    return step_.planes_per_group() * step_.window.kernel_y * step_.window.kernel_x * (broadcast() ? step_.split() : 1);
  }
  /// Whether all rows of a group may read one word per slot (WeightsDense).
  bool dense_possible() const;
  /// The weights of a channel for each of dense_slots(): segment innermost, then x, y and planes.
  std::vector<std::int8_t> dense_weights(int channel) const;

 private:
  int inputs_per_group() const { return step_.input_channels / step_.groups; }
  std::size_t taps_per_channel() const;
  std::span<const std::int8_t> channel_weights(int channel) const;
  void make_passes(const Lowered& lowered);
  void append_window(Row& row, int plane, const OperandView& view, std::int8_t weight, int times) const;
  void append_convolution(Row& row, int index, const OperandView& view) const;

  const model::Network& network_;
  const model::Layer& layer_;
  Step step_;
  int output_split_;
  std::int8_t fill_;
  std::vector<Pass> passes_;
};

}  // namespace espalier::compile
