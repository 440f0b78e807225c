// What the placement needs to know of steps and images: sizes, pieces and rows, and estimated cycles.
#pragma once

#include <vector>

#include "compile/lower.hpp"

namespace espalier::compile {

/// Sizes are in words, planes and rows; cycles and beats are estimates.
class StepFacts {
 public:
  /// Pads the row pitch of images that are read in strips, so that every row starts on a beat.
  /// Network inputs are laid out by rows where `by_rows` is set and the steps that read them hold them as a whole.
  StepFacts(const model::Network& network, Lowered& lowered, const abi::Configuration& configuration,
            const abi::MemoryParameters& memory, bool by_rows);

  const Step& step(int index) const { return lowered_.steps[static_cast<std::size_t>(index)]; }
  const Image& image(int index) const { return lowered_.images[static_cast<std::size_t>(index)]; }
  const std::vector<Step>& steps() const { return lowered_.steps; }
  const std::vector<Image>& images() const { return lowered_.images; }
  const std::string& layer_name(const Step& step) const;
  int lanes() const { return lanes_; }
  int writers() const { return writers_; }
  /// Of the write program.
  int program_entries() const { return program_entries_; }
  int words_per_beat() const { return words_per_beat_; }
  /// Of the scratchpad.
  int words() const { return words_; }

  /// Words between planes. Odd, so that planes spread over the banks. Large network inputs are loaded by rows, each
  /// in whole beats, and must not run into the next plane.
  int pitch(const Image& image) const;
  /// Words of a whole image; loads may write a partial beat behind it.
  int image_size(int index) const { return image_words(image(index)) + words_per_beat_; }
  int image_words(const Image& image) const {
    return image.by_rows ? image.layout.rows * image.layout.row_pitch : image.planes * pitch(image);
  }
  /// Cycles of the memory for a whole image.
  double image_cycles(int index) const;
  /// Whether all rows of positions are written to rows of the same number, and to nothing else.
  bool rows_match(const Step& step) const;
  /// Whether rows of the image start on beats.
  bool padded(int index) const;
  /// Whether a plane is so small that whole beats for each would cost much.
  bool small(const Image& image) const { return image.layout.plane_words() < 8 * words_per_beat_; }
  /// Cycles of the memory for a beat.
  double beat_cycles() const { return beat_cycles_; }

  bool by_piece(const Step& step) const { return step.row_groups() > 1; }
  /// Rows that a piece consists of: whole groups, and whole planes of the output.
  int row_unit(const Step& step) const;
  /// Output planes of a piece.
  int piece_planes(const Step& step, int piece) const { return image(step.output).layout.planes(piece * step.split()); }
  /// About half a piece, in whole groups and full lanes where possible; 0 if it cannot be halved.
  int smaller_piece(const Step& step, int piece) const;

  /// Entries of the write program per row of positions; none if the step is computed in several passes.
  const std::vector<int>& row_entries(int step) const { return entries_[static_cast<std::size_t>(step)]; }
  /// Cycles of a step that waits for nothing.
  double compute_cycles(const Step& step) const;
  /// Cycles of the memory for weights and tables of one strip.
  double stream_cycles(const Step& step) const;

 private:
  int least_piece(const Step& step) const;
  bool pad_streamed_rows();
  void equalise_row_pitches();
  void lay_out_by_rows();
  std::vector<int> count_entries(const Step& step) const;
  double density(const Step& step) const;
  double taps(const Step& step) const;

  const model::Network& network_;
  Lowered& lowered_;
  int lanes_;
  int writers_;
  int program_entries_;
  int words_per_beat_;
  int words_;
  double beat_cycles_;
  std::vector<int> padded_;
  std::vector<double> densities_;          // per layer
  std::vector<std::vector<int>> entries_;  // per step and row of positions
};

}  // namespace espalier::compile
