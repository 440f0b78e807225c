#include "compile/streaming.hpp"

#include <algorithm>

namespace espalier::compile {
namespace {

/// How the inputs of a streamed step are brought in: once, or by the planes of a piece, or by strips of rows.
enum class InputMode { Whole, Pieces, Strips };

Residence staged(int& cursor, int size, int buffers, int plane_pitch) {
  Residence residence;
  residence.whole = false;
  residence.load = true;
  residence.plane_pitch = plane_pitch;
  for (int i = 0; i < buffers; ++i) {
    residence.address.push_back(cursor);
    cursor += size;
  }
  return residence;
}

/// Words between the planes of a strip, the same for all operands.
int strip_pitch(const StepFacts& facts, const Step& step, int rows) {
  const int input_rows = (rows - 1) * step.window.stride_y + step.window.extent_y();
  int words = 0;
  for (const Operand& operand : step.inputs) {
    const Layout& in = facts.image(operand.image).layout;
    words = std::max(words, (input_rows - 1) * in.row_pitch + in.columns);
  }
  return words | 1;
}

/// The most rows of positions whose input planes fit into `words`; 0 if the images cannot be read by rows.
int strip_rows(const StepFacts& facts, const Step& step, int planes, int words) {
  for (const Operand& operand : step.inputs) {
    if (!facts.padded(operand.image)) return 0;
  }
  for (int rows = step.tiling.height; rows > 0; --rows) {
    if (planes * strip_pitch(facts, step, rows) + facts.words_per_beat() <= words) return rows;
  }
  return 0;
}

void consider(const StepFacts& facts, Streaming& best, const Step& step, int piece, int buffers, InputMode mode) {
  Streaming streaming;
  const int output_pitch = facts.pitch(facts.image(step.output));
  const int piece_words = facts.piece_planes(step, piece) * output_pitch + facts.words_per_beat();
  int cursor = 0;
  StepPlace& place = streaming.place;
  place.piece_rows = piece;
  place.strip_rows = step.tiling.height;
  place.output = staged(cursor, piece_words, piece < step.rows() ? buffers : 1, output_pitch);
  const int pieces = divide_up(step.rows(), piece);
  double loads = 0;
  place.inputs_by_piece = mode != InputMode::Whole && facts.by_piece(step);
  const int piece_inputs =
      facts.by_piece(step) ? piece / step.rows_per_group() * step.planes_per_group() : step.planes();
  if (mode == InputMode::Whole) {
    for (const Operand& operand : step.inputs) {
      Residence residence = staged(cursor, facts.image_size(operand.image), 1, facts.pitch(facts.image(operand.image)));
      residence.whole = true;
      residence.load = true;
      place.inputs.push_back(residence);
      loads += facts.image_size(operand.image);
    }
  } else if (mode == InputMode::Pieces) {
    if (!facts.by_piece(step)) return;
    for (const Operand& operand : step.inputs) {
      const int pitch = facts.pitch(facts.image(operand.image));
      place.inputs.push_back(staged(cursor, piece_inputs * pitch + facts.words_per_beat(), buffers, pitch));
      loads += static_cast<double>(pitch) * step.planes();
    }
  } else {
    const int operands = static_cast<int>(step.inputs.size());
    const int rows = strip_rows(facts, step, piece_inputs, (facts.words() - cursor) / buffers / operands);
    if (rows == 0) return;
    place.strip_rows = rows;
    const int pitch = strip_pitch(facts, step, rows);
    for (int i = 0; i < operands; ++i) {
      place.inputs.push_back(staged(cursor, piece_inputs * pitch + facts.words_per_beat(), buffers, pitch));
      place.inputs.back().strip = true;
    }
    const double turns = static_cast<double>(pieces) * divide_up(step.tiling.height, rows);
    loads = turns * pitch * piece_inputs * operands;
  }
  if (cursor > facts.words()) return;
  // Pieces of few rows fill the lanes with several positions at a time.
  const int rows = facts.by_piece(step) ? piece * std::min(step.tiling.width, 8) : piece;
  const double spread = piece < facts.lanes() ? 0.7 : 1.0;  // neighbours of one plane share few banks
  const double busy_lanes = spread * rows / round_up(rows, facts.lanes());
  const double results = static_cast<double>(step.tiling.positions()) * step.rows();
  const int segments = step.channelwise() ? 1 : step.split();
  const double taps =
      static_cast<double>(step.planes_per_group()) * segments * step.window.kernel_y * step.window.kernel_x;
  const double compute = results * std::max(taps / facts.lanes() / busy_lanes, 1.0 / facts.writers());
  streaming.compute = compute;
  loads *= facts.beat_cycles() / facts.words_per_beat();
  const double stores = facts.beat_cycles() * output_pitch * facts.image(step.output).planes / facts.words_per_beat();
  streaming.moved = loads + stores;
  const int strips = divide_up(step.tiling.height, place.strip_rows);
  const int turns = pieces * strips;
  const double weights = facts.stream_cycles(step) * strips;
  // With two buffers the transfers of one turn are not hidden: loads of the first, stores of the last.
  const bool hidden = buffers == 2 && mode != InputMode::Whole;
  streaming.cost = hidden ? std::max({compute, loads + weights, stores}) + 0.1 * loads / facts.beat_cycles() +
                                (loads + stores) / turns + 50.0 * turns
                          : std::max(compute, weights) + loads + stores;
  if (streaming.cost < best.cost) best = streaming;
}

}  // namespace

std::optional<Streaming> cheapest_streaming(const StepFacts& facts, const Step& step) {
  Streaming best;
  for (int piece = step.rows(); piece > 0; piece = facts.smaller_piece(step, piece)) {
    for (const int buffers : {2, 1}) {
      for (const InputMode mode : {InputMode::Whole, InputMode::Pieces, InputMode::Strips}) {
        consider(facts, best, step, piece, buffers, mode);
      }
    }
  }
  if (best.place.inputs.empty()) return std::nullopt;
  return best;
}

}  // namespace espalier::compile
