// A quantised network as a list of steps, each of one layer or of several that are computed together, on maps that
// stay where they are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <oneapi/dnnl/dnnl.hpp>
#include <span>
#include <vector>

#include "cpu/onednn/executor.hpp"
#include "cpu/onednn/integer_moves.hpp"
#include "cpu/reference.hpp"
#include "model/network.hpp"

namespace espalier::cpu::onednn {

class IntegerProgram {
 public:
  /// Copies `network`. oneDNN's convolutions run on options.threads threads, everything else on one; the kernels for
  /// VNNI take their layers if that is all there are.
  IntegerProgram(const model::Network& network, const OneDnnOptions& options);
  IntegerProgram(const IntegerProgram&) = delete;
  IntegerProgram& operator=(const IntegerProgram&) = delete;

  const model::Network& network() const { return original_; }

  /// `inputs` of the right number and sizes, CHW; they are read while they enter.
  void enter(std::span<const Tensor> inputs);
  void compute();
  /// The features of network().outputs, CHW.
  const std::vector<Tensor>& leave();

 private:
  using Step = std::function<void()>;

  void add_input(std::size_t input);
  void add_output(std::size_t output);
  Step step(const model::Layer& layer);
  Step convolution(const model::Layer& layer);
  Step residual_add(const model::Layer& layer);
  Step real(const model::Layer& layer);
  void concat(const model::Layer& layer);

  const model::Feature& feature(int index) const { return network_.features[static_cast<std::size_t>(index)]; }
  std::uint8_t* data(int index) { return features_[static_cast<std::size_t>(index)].data(); }
  const model::Layer* only_reader(int index) const;
  const model::Layer* writer(int index) const;
  const RealStep* move_of(const model::Layer* layer) const;
  const model::Layer* last_move(int output) const;
  bool by_vnni(const model::Layer& layer) const;
  const model::Layer* fused_before(const model::Layer& add) const;

  model::Network original_;  // layers of kind Real refer to it
  model::Network network_;   // shifted: see integer_kernels.hpp
  bool vnni_, merge_edges_;
  std::vector<std::unique_ptr<const RealStep>> reals_;  // by layer, null for other kinds
  dnnl::engine engine_{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream_{engine_};
  std::vector<std::vector<std::uint8_t>> features_;  // channels innermost, MapSlack behind them
  std::vector<std::int32_t> sums_;                   // of the convolution that runs
  std::vector<std::uint8_t> part_;                   // of a concatenation
  std::span<const Tensor> inputs_;                   // of the run
  std::vector<Tensor> outputs_;
  std::vector<const model::Layer*> first_;  // moves that read an input as it is given
  std::vector<const model::Layer*> last_;   // by output: the move that writes it as it is returned, or null
  std::vector<Step> enter_, steps_, leave_;
};

}  // namespace espalier::cpu::onednn
