// The normative CPU reference: naive loops over the contract's integer arithmetic. Everything else gives these bits.
//
//   std::vector<cpu::Tensor> features = cpu::run(network, {image});
//   const cpu::Tensor& answer = features[network.outputs[0]];
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "model/network.hpp"

namespace espalier::cpu {

/// The int8 values of one Feature, NCHW with batch 1: element (c, y, x) is at (c * height + y) * width + x.
using Tensor = std::vector<std::int8_t>;

/// The output of one layer. `inputs` are in the order of layer.inputs and have their features' sizes; the network must
/// pass model::validate. Throws Error(Input) if a size differs.
Tensor run_layer(const model::Network& network, const model::Layer& layer, std::span<const Tensor> inputs);

/// A global pool as a pool with one window that is the whole map `in`.
model::Layer over_whole_map(const model::Layer& layer, const model::Feature& in);

/// All features of the network, empty but for the inputs, which are in the order of network.inputs. Throws
/// Error(Input) if their number or a size differs.
std::vector<Tensor> place_inputs(const model::Network& network, std::span<const Tensor> inputs);

/// Every feature of the network, indexed like network.features; `inputs` in the order of network.inputs.
/// Features that no layer writes and that are no inputs are empty.
std::vector<Tensor> run(const model::Network& network, std::span<const Tensor> inputs);

}  // namespace espalier::cpu
