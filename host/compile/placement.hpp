// Where every image lies while every step runs: whole in the scratchpad, or moved through it in pieces.
//
// Images stay in the scratchpad from the step that writes them to the last one that reads them if there is room;
// otherwise they are stored once and loaded again. A step whose images do not fit streams them: output rows in
// pieces, input rows in strips (halo rows are read again), or both. Steps that read what the steps before them made may
// run together, strip by strip or piece by piece: what is between them is never held as a whole.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/lower.hpp"

namespace espalier::compile {

/// An image in memory and in the scratchpad.
struct ImagePlace {
  int plane_pitch = 1;   // words, in the scratchpad when it is whole there
  int plane_beats = 1;   // pitch in memory, unless linear
  int linear_beats = 1;  // all of them, if linear
  unsigned window = 0;
  std::uint32_t offset = 0;  // beats
  bool in_memory = false;    // written by the host, or stored by the steps that compute it
  bool linear = false;       // memory holds the words of the scratchpad, from the first to the last, with its pitches

  /// Beats of planes from the first on; of all of a linear image.
  std::uint64_t beats(int planes) const {
    if (linear) return static_cast<std::uint64_t>(linear_beats);
    return static_cast<std::uint64_t>(plane_beats) * static_cast<std::uint64_t>(planes);
  }
};

/// One operand or the output of a step.
struct Residence {
  bool whole = true;         // the image lies at address[0] with all its planes
  bool load = false;         // this step brings it in; otherwise it is there, made by an earlier step
  bool strip = false;        // staging buffers hold the rows of a strip instead of all rows
  std::vector<int> address;  // staging buffers used in turn if not whole
  int plane_pitch = 1;       // words
};

/// Whether steps run one after the other, or together: all of them on one strip of rows, or on one piece of planes,
/// before the next.
enum class Grouping { None, Strips, Pieces };

/// How one step uses the scratchpad.
struct StepPlace {
  std::vector<Residence> inputs;
  Residence output;
  int piece_rows = 1;            // computed before the next piece is staged
  int strip_rows = 1;            // lines of positions whose input is staged together
  bool inputs_by_piece = false;  // a piece reads only its own input planes
  Grouping grouping = Grouping::None;
  int group = 1;  // steps that run together from this one on; 0: part of the group of an earlier step
};

struct Placement {
  std::vector<ImagePlace> images;
  std::vector<StepPlace> steps;
  std::uint64_t input_bytes = 0, output_bytes = 0, arena_bytes = 0;
};

/// Plans all steps. Pads the row pitch of images that are read in strips, so that every row starts on a beat. Throws
/// Error(Unsupported) naming the layer and its sizes if a step does not fit.
Placement place(const model::Network& network, Lowered& lowered, const abi::Configuration& configuration,
                const Options& options);

}  // namespace espalier::compile
