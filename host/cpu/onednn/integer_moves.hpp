// Integer layers that are no sums: values that only change their place, and functions of single values, on maps with
// their channels innermost. Values are held 128 higher: see integer_kernels.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "cpu/real_layer.hpp"
#include "model/network.hpp"

namespace espalier::cpu::onednn {

/// A layer of kind Real.
class RealStep {
 public:
  /// Keeps references to both; the network is not shifted. Throws Error(Unsupported) as RealLayer does.
  RealStep(const model::Network& network, const model::Layer& layer);

  /// One pointer for each input.
  void run(std::span<const std::uint8_t* const> sources, std::uint8_t* result) const;

  /// True if every result is a function of one value of the one input.
  bool moves() const { return real_.table().has_value(); }
  /// Where it moves(): from the input as a tensor, and to the result as a tensor of the right size.
  void run_from(const Tensor& input, std::uint8_t* result) const;
  void run_to(const std::uint8_t* source, Tensor& result) const;

 private:
  using Places = std::vector<std::uint32_t>;

  template <typename Value, typename Result>
  void move(const Value* values, Result* results, const Places& places, std::uint8_t shift_in,
            std::uint8_t shift_out) const;

  const model::Network& network_;
  const model::Layer& layer_;
  RealLayer real_;
  std::array<std::uint8_t, 256> table_{};  // by the value held
  bool same_ = false;                      // the table changes nothing
  // Where every result comes from, empty: the same place. By places of maps on both sides, from the tensor to the map
  // and from the map to the tensor.
  Places places_, from_, to_;
};

/// A convolution of one tap and one weight for each channel, or none: channels change their place.
class ChannelMove {
 public:
  /// Nothing if the layer is another one. `layer` and its features are shifted.
  static std::optional<ChannelMove> find(const model::Layer& layer, const model::Feature& in,
                                         const model::Feature& out);

  /// Both have MapSlack behind them.
  void run(const std::uint8_t* source, std::uint8_t* result, std::size_t pixels) const;

 private:
  void widen(const std::uint8_t* source, std::uint8_t* result, std::size_t pixels) const;

  std::size_t in_channels_ = 0;
  std::vector<std::int32_t> source_;  // the channel of the input; -1: none
  std::vector<std::uint8_t> filler_;  // where there is none; a chunk longer
  std::array<std::uint8_t, 256> table_{};
  bool same_ = true;          // the table changes nothing
  std::size_t straight_ = 0;  // channels from `first_` on that come in order from channel 0
  std::size_t first_ = 0;
};

}  // namespace espalier::cpu::onednn
