// From a model file to a quantised network: post-training quantisation of float models, or the file's own quantisation.
//
//   compress::Quantised q = compress::quantise(model::import_model("digits.onnx").graph, images, {});
#pragma once

#include <span>
#include <vector>

#include "compress/quantised.hpp"
#include "cpu/float_reference.hpp"
#include "model/graph.hpp"
#include "model/rewrite_list.hpp"

namespace espalier::compress {

/// How the range of an activation follows from the calibration inputs. Inputs and outputs of the network always keep
/// their smallest and largest value.
enum class RangeMethod {
  MinMax,
  Percentile,        // the values between the two tails outside of `percentile`
  MeanSquaredError,  // the range with the smallest mean squared error
};

struct QuantiseOptions {
  RangeMethod method = RangeMethod::MinMax;
  double percentile = 99.99;  // percent of the values that are kept
  model::RewriteOptions rewrites;
};

/// One set of network inputs, in the order of graph.inputs.
using Sample = std::vector<cpu::FloatTensor>;

/// Quantises an imported float model: weights int8 symmetric per output channel, activations int8 asymmetric per tensor
/// (Jacob et al. 2018). Max pools and concatenations share one scale over inputs and output. Throws Error(Usage)
/// without calibration samples and Error(Unsupported) for graphs that cannot be lowered.
Quantised quantise(const model::Graph& graph, std::span<const Sample> calibration, const QuantiseOptions& options = {});

/// Lowers an imported model that is quantised already; its int8 weights and scales are kept.
Quantised lower_quantised(const model::Graph& graph, const model::RewriteOptions& rewrites = {});

/// Gives every activation of a canonical graph a quantisation from the samples.
void calibrate(model::Graph& canonical, std::span<const Sample> samples, const QuantiseOptions& options);

}  // namespace espalier::compress
