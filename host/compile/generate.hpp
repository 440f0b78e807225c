// Commands, streams and tables of all steps, in program order.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/compile.hpp"
#include "compile/lower.hpp"
#include "compile/placement.hpp"

namespace espalier::compile {

/// What the generated commands of one layer do, in cycles and beats.
struct LayerWork {
  bool sparse = false;
  int split = 1;                  // of the layer's first step
  std::uint64_t slots = 0;        // issued, over all positions
  std::uint64_t lower_bound = 0;  // slots at least, over all positions
  std::uint64_t result_words = 0;
  std::uint64_t stream_beats = 0;  // weights and tables
  std::uint64_t weight_beats = 0;  // weight streams
  std::uint64_t code_beats = 0;    // their code tables
  double alignment_bits = 0;       // of coded weight streams, left empty at the ends of words and beats
  double entropy_bits = 0;         // of the weight streams
  unsigned weight_format = 0;      // of OpWeight, of the last weight stream
  std::uint64_t read_beats = 0;    // all reads
  std::uint64_t write_beats = 0;
  int group = 0;  // as in LayerReport
};

struct Generated {
  DeviceProgram program;
  std::vector<LayerWork> layers;
};

/// Emits every step. Mark 0 is the prologue, mark i + 1 the end of layer i.
Generated generate(const model::Network& network, const Lowered& lowered, const Placement& placement,
                   const abi::Configuration& configuration, const Options& options);

}  // namespace espalier::compile
