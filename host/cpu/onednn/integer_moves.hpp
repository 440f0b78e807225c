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

 private:
  const model::Network& network_;
  const model::Layer& layer_;
  RealLayer real_;
  std::array<std::uint8_t, 256> table_{};
  std::vector<std::uint32_t> places_;  // by channels-innermost places of both sides
};

/// A convolution of one tap and one weight for each channel, or none: channels change their place.
class ChannelMove {
 public:
  /// Nothing if the layer is another one. `layer` and its features are shifted.
  static std::optional<ChannelMove> find(const model::Layer& layer, const model::Feature& in,
                                         const model::Feature& out);

  void run(const std::uint8_t* source, std::uint8_t* result, std::size_t pixels) const;

 private:
  std::size_t in_channels_ = 0;
  std::vector<std::int32_t> source_;  // the channel of the input; -1: none
  std::vector<std::uint8_t> filler_;  // where there is none
  std::array<std::uint8_t, 256> table_{};
  bool same_ = true;          // the table changes nothing
  std::size_t straight_ = 0;  // channels from `first_` on that come in order from channel 0
  std::size_t first_ = 0;
};

}  // namespace espalier::cpu::onednn
