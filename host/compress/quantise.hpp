// From a model file to a quantised network: post-training quantisation of float models, or the file's own quantisation.
//
//   compress::Quantised q = compress::quantise(model::import_model("digits.onnx").graph, images, {});
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "compress/equalise.hpp"
#include "compress/quantised.hpp"
#include "compress/ranges.hpp"
#include "compress/sample.hpp"
#include "compress/weight_choice.hpp"
#include "model/graph.hpp"
#include "model/rewrite_list.hpp"

namespace espalier::compress {

/// How the range of an activation follows from the calibration inputs. Inputs and outputs of the network always keep
/// their smallest and largest value.
enum class RangeMethod {
  MinMax,
  Percentile,        // the values between the two tails outside of `percentile`
  MeanSquaredError,  // the range with the smallest mean squared error
  Entropy,           // the range whose levels diverge least from the distribution (Kullback-Leibler)
};

struct QuantiseOptions {
  RangeMethod method = RangeMethod::MinMax;
  double percentile = 99.99;            // percent of the values that are kept
  std::map<std::string, Range> ranges;  // of inputs and outputs by name, instead of what the samples say
  bool equalise = false;                // scale channels between convolutions first
  bool compensate = false;              // round weights so that their errors cancel in the results of their layer
  bool correct_bias = false;            // take the mean error of rounded weights out of the biases
  WeightBudget weights{{}, {}, {WeightType::Int8}};
  model::RewriteOptions rewrites = {};
};

/// A network with the graphs that it came from, to compare them.
struct QuantisedGraph {
  Quantised quantised;
  model::Graph reals;                 // canonical, with the weights of the file; equalised if that was asked for
  model::Graph dequantised;           // the same nodes with quantised weights: float32 runs of it round no activation
  std::vector<int> feature_of;        // the feature of every value of both graphs, or -1
  std::vector<WeightChoice> weights;  // empty if the file was quantised already
  std::vector<Equalised> equalised;
};

/// Quantises an imported float model: weights int8 symmetric per output channel or of fewer bits, activations int8
/// asymmetric per tensor (Jacob et al. 2018). Max pools and concatenations share one scale over inputs and output.
/// Throws Error(Usage) without calibration samples and Error(Unsupported) for graphs that cannot be lowered.
QuantisedGraph quantise_graph(const model::Graph& graph, std::span<const Sample> calibration,
                              const QuantiseOptions& options = {});
Quantised quantise(const model::Graph& graph, std::span<const Sample> calibration, const QuantiseOptions& options = {});

/// Lowers an imported model that is quantised already; its int8 weights and scales are kept.
QuantisedGraph lower_quantised_graph(const model::Graph& graph, const model::RewriteOptions& rewrites = {});
Quantised lower_quantised(const model::Graph& graph, const model::RewriteOptions& rewrites = {});

/// Gives every activation of a canonical graph a quantisation from the samples.
void calibrate(model::Graph& canonical, std::span<const Sample> samples, const QuantiseOptions& options);

}  // namespace espalier::compress
