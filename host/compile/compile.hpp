// Compiles a quantised network into one program for an array: commands, weight streams, tables and a memory plan.
//
//   Compiled compiled = compile(network, abi::Array16x16);
//   std::vector<std::uint8_t> input = pack(compiled, tensors);      // window 1, from one int8 tensor per input
//   ... run compiled.program on a device ...
//   std::vector<std::vector<std::int8_t>> answers = unpack(compiled, output);  // window 2
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "compile/device_program.hpp"
#include "compile/layout.hpp"
#include "compile/strips.hpp"
#include "compile/timing/predict.hpp"
#include "esp_abi.hpp"
#include "model/network.hpp"

namespace espalier::compile {

/// What can be told of a layer.
struct LayerChoice {
  std::vector<Tiling> tilings;        // of each input; none: estimated
  std::optional<StripChoice> strips;  // of its steps, where they can be cut freely
};

/// How convolutions read their weights.
enum class Mode { Auto, Dense, Sparse };

/// How weights lie in memory: as they are used, or coded. Auto: whatever is estimated to take the fewest cycles.
enum class WeightFormat { Auto, Raw, Fixed, Huffman };

struct Options {
  MemoryParameters memory;  // of the prediction
  Mode mode = Mode::Auto;   // Dense and Sparse hold for convolutions that can be executed that way
  WeightFormat weight_format = WeightFormat::Auto;
  /// Channels in a computed word: this many, or the most below that the layer can be computed with. None: the best.
  std::optional<int> split;
  bool joint_layouts = true;   // choose layouts for the network as a whole; otherwise layer by layer
  bool inputs_by_rows = true;  // network inputs that fit are laid out so that their first rows are loaded first
  bool vectors = true;         // fully connected layers may run as the product of a sparse matrix and a vector
  bool timing = true;          // run the timing model
  /// What is told of single layers instead of estimated, by layer; fewer: nothing is told of the others.
  std::vector<LayerChoice> layers;
  /// First layers of the stages after the first, ascending: stages are started one after the other and pass tensors on
  /// in memory. None: one stage.
  std::vector<int> stages;
  unsigned threads = 0;  // that schedule layers at the same time, 0: one per processor; the program is the same
  /// Called before each layer with its index, the number of layers and its name.
  std::function<void(std::size_t, std::size_t, const std::string&)> progress;
};

/// What limits a layer.
enum class Bound { Compute, Weights, Memory, Output };
const char* to_string(Bound bound);

/// One row of the report. Cycles run from the mark before to the layer's own mark. Layers that run together, strip by
/// strip or piece by piece, are marked together: the cycles of all of them are those of the first, and their bound is
/// that of what they do together.
struct LayerReport {
  std::string name;
  std::string op;
  std::string shape;  // "64x56x56 -> 64x56x56"
  std::int64_t macs = 0;
  std::int64_t nonzero_macs = 0;
  double density = 1.0;  // of the weights; 1 for layers without weights
  bool sparse = false;   // private words per lane
  std::uint32_t predicted_cycles = 0;
  Causes causes;  // of the predicted cycles; all 0 in a compiled file
  std::uint64_t dram_read_bytes = 0;
  std::uint64_t dram_write_bytes = 0;
  std::int64_t nonzero_weights = 0;
  std::uint64_t weight_bytes = 0;     // read for weight streams, every time that they are read
  double weight_alignment_bytes = 0;  // of them, left empty at the ends of the lanes' words and of beats
  std::uint64_t code_table_bytes = 0;
  double weight_entropy_bytes = 0;   // zero order, of the symbols of those streams
  double natural_entropy_bytes = 0;  // of the gaps between non-zero weights in their own order, and of their values
  std::string weight_format;         // raw, packed, fixed or huffman; empty for layers without weights
  Bound bound = Bound::Compute;
  std::uint64_t scheduled_slots = 0;     // cycles in which the lanes are issued a slot
  std::uint64_t lower_bound_cycles = 0;  // the fullest lane or bank port, over all positions
  int mark = 0;                          // index of the layer's OpMark
  int split = 1;                         // channels in a computed word
  int group = 0;                         // 1, 2, ...: the same for layers that run together; 0: alone
  std::string pattern;                   // of the zeros among the weights, see model::weight_pattern()
};

/// A network input or output in its window: byte b of word (row, column) of plane n lies at offset * 64 + n *
/// plane_bytes + (row * row_pitch + column) * P + b; plane n holds the channels n * split .. n * split + split - 1.
struct PackedFeature {
  std::string name;
  int index = 0;  // position among the network's inputs or outputs
  int channels = 0;
  double scale = 1.0;
  std::int32_t zero = 0;
  Layout layout;
  std::int8_t fill = 0;
  std::uint64_t offset = 0;  // beats from the start of the window
  std::uint64_t plane_bytes = 0;
};

/// Layers that are started together, with their cycles from start to done: a stage's first layer begins at its start.
struct Stage {
  int first_layer = 0;
  int layers = 0;
  std::uint32_t cycles = 0;    // predicted
  std::uint32_t epilogue = 0;  // of them, from the last mark to done
};

/// A compiled network.
struct Compiled {
  std::string name;
  abi::Configuration configuration;
  MemoryParameters memory;
  DeviceProgram program;
  std::vector<PackedFeature> inputs;   // an input may be packed in more than one layout
  std::vector<PackedFeature> outputs;  // in the order of the network's outputs
  std::vector<LayerReport> layers;
  std::uint32_t prologue_cycles = 0;  // start to the first layer's input and tables; mark 0
  std::uint32_t epilogue_cycles = 0;  // last mark to done, of all stages
  std::uint32_t total_cycles = 0;     // of all stages
  std::vector<Stage> stages;          // two or more, as in the program; none: one
};

/// Compiles a network. Throws Error(Model) if it is not valid, Error(Unsupported) for a layer that cannot be laid out,
/// naming it and its sizes, and Error(Usage) for options out of range.
Compiled compile(const model::Network& network, const abi::Configuration& configuration, const Options& options = {});

/// The contents of the input window: `tensors` are the network's inputs, int8, NCHW with batch 1. Throws Error(Input)
/// for too few of them or a wrong size.
std::vector<std::uint8_t> pack(const Compiled& compiled, std::span<const std::vector<std::int8_t>> tensors);

/// The network's outputs, int8 NCHW, from the contents of the output window. Throws Error(Input) if that is too short.
std::vector<std::vector<std::int8_t>> unpack(const Compiled& compiled, std::span<const std::uint8_t> window);

/// Cycles of prologue, layers and epilogue from the marks of a run (predicted or measured); they sum to `cycles`.
/// Throws Error(Input) for fewer marks than layers + 1.
struct LayerCycles {
  std::uint32_t prologue = 0;
  std::vector<std::uint32_t> layers;
  std::uint32_t epilogue = 0;
};
LayerCycles layer_cycles(const Compiled& compiled, std::span<const std::uint32_t> marks, std::uint32_t cycles);

/// The same of a run of one stage: its own layers. Later stages have no prologue: their first layer begins at the
/// start.
LayerCycles stage_cycles(const Compiled& compiled, std::size_t stage, std::span<const std::uint32_t> marks,
                         std::uint32_t cycles);

}  // namespace espalier::compile
