// What layers cost on the CPU of this machine: measured once, kept in a file. Every run is measured as a frame meets it,
// on a CPU that did other work and then waited for the accelerator; run after run in a warm loop takes up to a quarter
// less.
//
//   CpuCosts costs = CpuCosts::read("cpu_costs.json");           // or CpuCosts{} to measure everything
//   CpuTime time = costs.layer(network, 3);                      // from the file, its model, or a measurement
//   if (costs.changed()) costs.write("cpu_costs.json");
#pragma once

#include <map>
#include <optional>
#include <string>

#include "esp_abi.hpp"
#include "model/network.hpp"
#include "plan/cost/units.hpp"

namespace espalier::plan {

/// Processor times of repeated runs: the median and the quartiles around it.
struct CpuTime {
  Nanoseconds median = 0;
  Nanoseconds low = 0;
  Nanoseconds high = 0;
  int runs = 0;  // 0: not measured, from a model
};

/// Stands for layers that a file does not list.
struct CpuModel {
  double layer_ns = 0;    // per layer
  double mac_ns = 0;      // per multiply-accumulate whose weight is not zero
  double element_ns = 0;  // per element of inputs and output
};

/// Changing the layout of a tensor: so much for the tensor and so much per element.
struct StepTime {
  double tensor_ns = 0;
  double element_ns = 0;

  double of(double elements) const { return tensor_ns + element_ns * elements; }
};

/// Between CHW, in which tensors are handed on, and the layout of the accelerator or of what executes layers on the CPU.
struct ConversionTime {
  StepTime pack;    // to the accelerator
  StepTime unpack;  // from it
  StepTime enter;   // to layers on the CPU
  StepTime leave;   // from them
};

class CpuCosts {
 public:
  /// Reads a file. Throws Error(Input) if it cannot be read or is not such a file.
  static CpuCosts read(const std::string& path);
  /// Throws Error(Usage) if the file cannot be written.
  void write(const std::string& path) const;

  /// The cost of a layer: as listed; else by the model, if there is one; else measured now and listed. A measurement
  /// runs the layer alone on pseudo-random values, by the executor that this process takes for the CPU, without the
  /// changes of layout before and behind it.
  CpuTime layer(const model::Network& network, int index);

  /// The same for changes of layout; measured on a tensor of 64 x 32 x 32.
  ConversionTime conversion(const abi::Configuration& configuration);

  /// Something was measured since it was read.
  bool changed() const { return changed_; }

  /// What was measured is of this process: of its processor and of the executor that it takes.
  bool measured_here() const;

  /// Without measurements: times by this model alone.
  static CpuCosts modelled(const CpuModel& model, const ConversionTime& conversion);

 private:
  void note_origin();

  std::string machine_, executor_;  // that the times are of; empty: not said
  std::optional<CpuModel> model_;
  std::optional<ConversionTime> conversion_;
  std::map<std::string, CpuTime> layers_;  // by the line of the layer
  bool changed_ = false;
};

/// Processor time that the calling thread has used.
Nanoseconds thread_time();

/// The name of this machine's processor, as the system tells it.
std::string processor_name();

}  // namespace espalier::plan
