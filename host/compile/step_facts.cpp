#include "compile/step_facts.hpp"

#include <algorithm>
#include <numeric>

#include "compile/write_program.hpp"

namespace espalier::compile {
namespace {

/// Density above which a layer reads all its weights.
constexpr double DenseShare = 0.9;

}  // namespace

StepFacts::StepFacts(const model::Network& network, Lowered& lowered, const abi::Configuration& configuration,
                     const abi::MemoryParameters& memory, bool by_rows)
    : network_(network),
      lowered_(lowered),
      lanes_(static_cast<int>(configuration.lanes)),
      writers_(static_cast<int>(configuration.writers)),
      program_entries_(static_cast<int>(configuration.program_depth)),
      words_per_beat_(static_cast<int>(configuration.words_per_beat())),
      words_(static_cast<int>(configuration.scratch_words())),
      beat_cycles_(static_cast<double>(abi::BeatBytes) / memory.bytes),
      densities_(network.layers.size(), 1) {
  equalise_row_pitches();
  while (pad_streamed_rows()) equalise_row_pitches();
  for (const Step& step : lowered_.steps) densities_[static_cast<std::size_t>(step.layer)] = density(step);
  if (by_rows) lay_out_by_rows();
  for (const Step& step : lowered_.steps) {
    entries_.push_back(count_entries(step));
  }
}

const std::string& StepFacts::layer_name(const Step& step) const {
  return network_.layers[static_cast<std::size_t>(step.layer)].name;
}

bool StepFacts::padded(int index) const { return std::find(padded_.begin(), padded_.end(), index) != padded_.end(); }

int StepFacts::pitch(const Image& image) const {
  if (image.by_rows) return image.layout.row_pitch / image.planes;
  const int words = image.layout.plane_words();
  return (image.input && !small(image) ? round_up(words, words_per_beat_) : words) | 1;
}

double StepFacts::image_cycles(int index) const {
  if (image(index).by_rows) return beat_cycles_ * image_words(image(index)) / words_per_beat_;
  return beat_cycles_ * image(index).planes * image(index).layout.plane_words() / words_per_beat_;
}

bool StepFacts::rows_match(const Step& step) const {
  const Layout& out = image(step.output).layout;
  return out.tiling() == step.tiling && out.origin_y == 0 && out.origin_x == 0 && out.rows == step.tiling.height &&
         out.columns == step.tiling.width;
}

int StepFacts::row_unit(const Step& step) const {
  const int planes = std::max(1, image(step.output).layout.word.split / step.split());
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): both are at least 1
  return std::lcm(by_piece(step) ? step.rows_per_group() : 1, planes);
}

int StepFacts::smaller_piece(const Step& step, int piece) const {
  const int unit = row_unit(step);
  if (piece <= unit) return 0;
  // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): so is their least common multiple
  const int grain = piece / 2 >= lanes_ && lanes_ % unit == 0 ? lanes_ : unit;
  return std::max(piece / 2 / grain * grain, unit);  // NOLINT(clang-analyzer-core.DivideZero)
}

/// Rows of the smallest piece that is computed without idle lanes.
int StepFacts::least_piece(const Step& step) const {
  return std::min(by_piece(step) ? row_unit(step) : round_up(lanes_, row_unit(step)), step.rows());
}

/// If the smallest piece of a step does not fit with all the rows it reads, the images are read in strips of rows.
/// Whether an image was padded for this; others may not fit beside it any more.
bool StepFacts::pad_streamed_rows() {
  const std::size_t before = padded_.size();
  for (const Step& step : lowered_.steps) {
    if (step.vector) continue;  // loads all of its input
    const int planes = least_piece(step) / step.rows_per_group() * step.planes_per_group();
    std::int64_t words = piece_planes(step, least_piece(step)) * pitch(image(step.output)) + words_per_beat_;
    for (const Operand& operand : step.inputs) {
      const Image& in = image(operand.image);
      words += (by_piece(step) ? planes : in.planes) * pitch(in) + words_per_beat_;
    }
    if (words <= words_) continue;
    for (const Operand& operand : step.inputs) {
      if (padded(operand.image)) continue;
      Layout& in = lowered_.images[static_cast<std::size_t>(operand.image)].layout;
      in.row_pitch = round_up(in.row_pitch, words_per_beat_);
      padded_.push_back(operand.image);
    }
  }
  return padded_.size() > before;
}

/// Inputs that steps read as a whole: those of one operand whose images fit together. If taps are private, several
/// planes and their rows are an odd number of words apart, so that the words of private taps spread over the banks.
void StepFacts::lay_out_by_rows() {
  std::vector<bool> possible(lowered_.images.size(), false);
  for (std::size_t i = 0; i < possible.size(); ++i)
    possible[i] = lowered_.images[i].input && !lowered_.images[i].output && !padded(static_cast<int>(i));
  std::vector<bool> dense(possible.size(), true);
  for (const Step& step : lowered_.steps) {
    const auto in = static_cast<std::size_t>(step.inputs[0].image);
    const int words = image_size(step.inputs[0].image) + image_size(step.output);
    if (step.inputs.size() > 1 || step.kind == StepKind::GlobalPool || step.vector || words > words_) {
      for (const Operand& operand : step.inputs) possible[static_cast<std::size_t>(operand.image)] = false;
    }
    dense[in] = dense[in] && step.kind == StepKind::Convolution && !by_piece(step) &&
                densities_[static_cast<std::size_t>(step.layer)] >= 1;
  }
  for (std::size_t i = 0; i < possible.size(); ++i) {
    if (!possible[i]) continue;
    Image& image = lowered_.images[i];
    const bool spread = !dense[i] && image.planes > 1;
    const int columns = spread ? image.layout.columns | 1 : image.layout.columns;
    image.layout.row_pitch = spread ? columns * image.planes | 1 : columns * image.planes;
    image.by_rows = true;
  }
}

/// The operands of an addition are stepped through together, so their rows must be equally far apart.
void StepFacts::equalise_row_pitches() {
  for (bool changed = true; changed;) {
    changed = false;
    for (const Step& step : lowered_.steps) {
      if (step.inputs.size() < 2) continue;
      int& a = lowered_.images[static_cast<std::size_t>(step.inputs[0].image)].layout.row_pitch;
      int& b = lowered_.images[static_cast<std::size_t>(step.inputs[1].image)].layout.row_pitch;
      int pitch = std::max(a, b);
      if (padded(step.inputs[0].image) || padded(step.inputs[1].image)) pitch = round_up(pitch, words_per_beat_);
      changed = changed || a != pitch || b != pitch;
      a = b = pitch;
    }
  }
}

std::vector<int> StepFacts::count_entries(const Step& step) const {
  const model::Layer& layer = network_.layers[static_cast<std::size_t>(step.layer)];
  std::vector<int> result(static_cast<std::size_t>(step.tiling.height), step.tiling.width);
  if (rows_match(step)) return result;
  if (layer.kind == model::LayerKind::AveragePool && !layer.count_include_padding) return {};
  const WritePlan plan = plan_writes(step.tiling, image(step.output).layout);
  if (plan.permutations.size() > abi::PermuteDepth) return {};
  std::fill(result.begin(), result.end(), 0);
  for (std::size_t i = 0; i < plan.positions.size(); ++i) {
    result[i / static_cast<std::size_t>(step.tiling.width)] += std::max(1, static_cast<int>(plan.positions[i].size()));
  }
  return result;
}

/// Share of the weights of a step that take time.
double StepFacts::density(const Step& step) const {
  const auto& weights = network_.layers[static_cast<std::size_t>(step.layer)].weights;
  if (step.kind != StepKind::Convolution || weights.empty()) return 1;
  const auto zeros = std::count(weights.begin(), weights.end(), 0);
  const double share = 1 - static_cast<double>(zeros) / static_cast<double>(weights.size());
  return share > DenseShare ? 1 : share;
}

double StepFacts::taps(const Step& step) const {
  const int segments = step.channelwise() ? 1 : step.split();
  return static_cast<double>(step.planes_per_group()) * segments * step.window.kernel_y * step.window.kernel_x *
         (step.kind == StepKind::Add ? 3 : 1);
}

double StepFacts::compute_cycles(const Step& step) const {
  const double results = static_cast<double>(step.tiling.positions()) * step.rows();
  return results * std::max(taps(step) * densities_[static_cast<std::size_t>(step.layer)] / lanes_, 1.0 / writers_);
}

double StepFacts::stream_cycles(const Step& step) const {
  const double share = densities_[static_cast<std::size_t>(step.layer)];
  const double bytes = share < 1 ? 4 : 1.0 * step.split();
  const double tables = 12.0;  // bytes of a row and its scale
  return beat_cycles_ * (taps(step) * share * bytes + tables) * step.rows() / abi::BeatBytes;
}

}  // namespace espalier::compile
