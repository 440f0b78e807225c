// How much noise quantisation puts into every layer: 10 log10 of signal over error energy, and the layers that hurt.
//
//   NoiseReport report = measure_noise(quantise_graph(graph, images), images);
//   for (std::size_t i : report.worst) std::cout << report.layers[i].name << '\n';
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compress/quantise.hpp"

namespace espalier::compress {

/// Energies of a float32 signal and of what differs from it.
struct Noise {
  double signal = 0, error = 0;

  void add(double expected, double actual);
  /// 10 log10(signal / error); nothing if there is no error, minus infinity if there is error but no signal.
  std::optional<double> decibels() const;
};

/// The result of one layer, before Softmax.
struct LayerNoise {
  std::string name;
  std::string op;
  Noise dequantised;           // against the float32 graph with the same quantised weights
  std::optional<Noise> reals;  // against the float32 graph with the weights of the file; none if those are quantised
  std::optional<Noise> own;    // the layer alone: its inputs rounded from float32; none if it was split in lowering
  std::optional<WeightType> weights;
};

struct NoiseReport {
  std::size_t samples = 0;
  std::vector<LayerNoise> layers;   // in the order of the network
  std::vector<LayerNoise> outputs;  // of the network, all of them
  std::vector<std::size_t> worst;   // at most five layers that add most noise by themselves, worst first
};

/// Runs the samples in integers and in float32 and compares every layer. Throws Error(Input) if a sample does not fit.
NoiseReport measure_noise(const QuantisedGraph& graph, std::span<const Sample> samples);

}  // namespace espalier::compress
