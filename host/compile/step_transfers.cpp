// What a step moves between memory and scratchpad: its inputs, by strips or planes, and its results.
#include <algorithm>
#include <numeric>

#include "compile/step_generator.hpp"
#include "compile/strips.hpp"

namespace espalier::compile {
namespace {

std::uint16_t word(int address) { return static_cast<std::uint16_t>(address); }

}  // namespace

/// Whether steps that take turns with this one read the image too, and perhaps more rows of it in a turn.
bool StepGenerator::shared_in_group(int image) const {
  if (place_.grouping == Grouping::None) return false;
  const auto reads = [&](const Step& step) {
    return std::any_of(step.inputs.begin(), step.inputs.end(), [&](const Operand& o) { return o.image == image; });
  };
  return std::count_if(lowered_.steps.begin(), lowered_.steps.end(), reads) > 1;
}

void StepGenerator::choose_loading() {
  const int words_per_beat = static_cast<int>(configuration_.words_per_beat());
  for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
    const Operand& operand = step_.inputs[i];
    const Image& image = lowered_.images[static_cast<std::size_t>(operand.image)];
    const bool again = i > 0 && operand.image == step_.inputs[0].image;
    const bool shared = step_.inputs.size() > 1 && step_.inputs[0].image == step_.inputs[1].image;
    const bool all_planes = operand.plane == 0 && image.channels == step_.input_channels && !shared;
    const ImagePlace& at = placement_.images[static_cast<std::size_t>(operand.image)];
    const bool by_beats =
        at.linear ? image.by_rows
                  : place_.inputs[i].plane_pitch >= round_up(image.layout.plane_words(), words_per_beat) && image.input;
    Loading loading = Loading::None;
    if (place_.inputs[i].whole && place_.inputs[i].load && !again) {
      loading = step_.row_groups() > 1 && all_planes && !image.by_rows ? Loading::Planes : Loading::Rows;
    }
    by_planes_ = by_planes_ || loading == Loading::Planes;
    weights_after_loads_ = weights_after_loads_ || (place_.inputs[i].load && !again && image.input);
    loading_.push_back(loading);
    row_loads_ = row_loads_ || (loading == Loading::Rows && by_beats && !shared_in_group(operand.image));
    loaded_.push_back(0);
  }
  const Layout& out = lowered_.images[static_cast<std::size_t>(step_.output)].layout;
  const Tiling tiling = out.tiling();
  rows_match_ = tiling == step_.tiling && out.origin_y == 0 && out.origin_x == 0 && out.rows == tiling.height &&
                out.columns == tiling.width;
}

int StepGenerator::rows_per_beat(const Layout& layout) const {
  const int words_per_beat = static_cast<int>(configuration_.words_per_beat());
  return words_per_beat / std::gcd(layout.row_pitch, words_per_beat);
}

int StepGenerator::loadable_rows(std::size_t operand, const Job& job) const {
  const Image& image = lowered_.images[static_cast<std::size_t>(step_.inputs[operand].image)];
  const Layout& layout = image.layout;
  if (!row_loads_ || job.last_strip) return layout.rows;
  const int end = first_input_row(operand, job) + (job.height - 1) * step_.window.stride_y + step_.window.extent_y();
  return std::min(layout.rows, image.by_rows ? end : round_up(end, rows_per_beat(layout)));
}

int StepGenerator::storable_rows(const Job& job) const {
  const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.output)].layout;
  if (job.last_strip) return layout.rows;
  if (!rows_match_) return 0;
  const int unit = std::max(1, rows_per_beat(layout));
  return (job.y + job.height) / unit * unit;
}

/// Steps whose images are whole are cut so that loads and stores overlap with the computation; others as they are
/// placed.
std::vector<Range> StepGenerator::choose_strips(int most) const {
  StripProblem problem;
  problem.height = step_.tiling.height;
  problem.most = most;
  const bool staged = std::any_of(place_.inputs.begin(), place_.inputs.end(), [](const auto& r) { return !r.whole; });
  std::vector<int> heights;
  if (staged || by_planes_ || place_.grouping == Grouping::Strips) {
    heights = chosen_strips(problem, {1, most});
  } else {
    const double interval = abi::BeatBytes / options_.memory.bytes;
    const ImagePlace& out = placement_.images[static_cast<std::size_t>(step_.output)];
    problem.compute = estimate_.slots / step_.tiling.height;
    problem.weights = estimate_.beats * interval;
    problem.chunks =
        static_cast<double>(std::accumulate(pieces_.begin(), pieces_.end(), std::size_t{0},
                                            [](auto sum, const auto& chunks) { return sum + chunks.size(); }));
    problem.store_rows = rows_match_ && !out.linear;
    if (out.in_memory) {
      problem.store = static_cast<double>(out.beats(rows_.output_planes(0, step_.rows()))) * interval / problem.height;
    }
    for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
      if (!row_loads_ || loading_[i] != Loading::Rows) continue;
      const auto& image = lowered_.images[static_cast<std::size_t>(step_.inputs[i].image)];
      const auto beats = placement_.images[static_cast<std::size_t>(step_.inputs[i].image)].beats(image.planes);
      problem.load += static_cast<double>(beats) * interval / image.layout.rows;
    }
    problem.loaded_rows = step_.window.extent_y();
    problem.rows_per_row = step_.window.stride_y;
    const auto layer = static_cast<std::size_t>(step_.layer);
    const auto told = layer < options_.layers.size() ? options_.layers[layer].strips : std::nullopt;
    heights = told ? chosen_strips(problem, *told) : estimate_strips(problem);
  }
  std::vector<Range> strips;
  for (int y = 0; const int height : heights) {
    strips.push_back({y, height});
    y += height;
  }
  return strips;
}

void StepGenerator::load_planes(const Chunk& chunk) {
  for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
    if (loading_[i] != Loading::Planes) continue;
    const Image& image = lowered_.images[static_cast<std::size_t>(step_.inputs[i].image)];
    const Range planes = group_planes(chunk.rows);
    const int end = planes.first + planes.count;
    const int pitch = place_.inputs[i].plane_pitch;
    if (linear(i)) load_words(i, end * pitch);
    if (linear(i) || end <= loaded_[i]) continue;
    load_image(i, {loaded_[i], end - loaded_[i]}, 0, image.layout.rows,
               place_.inputs[i].address[0] + loaded_[i] * pitch, pitch);
    loaded_[i] = end;
  }
}

void StepGenerator::load_image(std::size_t operand, Range planes, int first_row, int rows, int address, int pitch) {
  const int index = step_.inputs[operand].image;
  const Layout& layout = lowered_.images[static_cast<std::size_t>(index)].layout;
  const ImagePlace& place = placement_.images[static_cast<std::size_t>(index)];
  const int words_per_beat = static_cast<int>(configuration_.words_per_beat());
  abi::Command command;
  command.window = static_cast<std::uint8_t>(place.window);
  command.address = word(address);
  command.offset = place.offset + static_cast<std::uint32_t>(place.beats(planes.first)) +
                   static_cast<std::uint32_t>(first_row * layout.row_pitch / words_per_beat);
  command.run = static_cast<std::uint32_t>(divide_up((rows - 1) * layout.row_pitch + layout.columns, words_per_beat));
  command.pitch = static_cast<std::uint32_t>(place.plane_beats);
  command.planes = static_cast<std::uint16_t>(planes.count);
  command.word_pitch = static_cast<std::uint16_t>(pitch);
  builder_->load(command);
}

/// Brings in the first `words` of a linear image, as far as they are not there.
void StepGenerator::load_words(std::size_t operand, int words) {
  const int words_per_beat = static_cast<int>(configuration_.words_per_beat());
  const int end = divide_up(words, words_per_beat);
  if (end <= loaded_[operand]) return;
  const ImagePlace& place = placement_.images[static_cast<std::size_t>(step_.inputs[operand].image)];
  abi::Command command;
  command.window = static_cast<std::uint8_t>(place.window);
  command.address = word(place_.inputs[operand].address[0] + loaded_[operand] * words_per_beat);
  command.offset = place.offset + static_cast<std::uint32_t>(loaded_[operand]);
  command.run = static_cast<std::uint32_t>(end - loaded_[operand]);
  command.planes = 1;
  builder_->load(command, loaded_[operand] == 0 ? 0 : first_weights_);
  loaded_[operand] = end;
}

void StepGenerator::load_inputs(const Job& job) {
  for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
    const Residence& residence = place_.inputs[i];
    const Operand& operand = step_.inputs[i];
    const Image& image = lowered_.images[static_cast<std::size_t>(operand.image)];
    const Layout& layout = image.layout;
    if (residence.whole) {
      if (loading_[i] != Loading::Rows) continue;
      const int end = loadable_rows(i, job);
      if (linear(i)) load_words(i, image.by_rows ? end * layout.row_pitch : image.planes * residence.plane_pitch);
      if (linear(i) || end <= loaded_[i]) continue;
      load_image(i, {0, image.planes}, loaded_[i], end - loaded_[i],
                 residence.address[0] + loaded_[i] * layout.row_pitch, residence.plane_pitch);
      loaded_[i] = end;
    } else if (!residence.load) {
      continue;
    } else if (!residence.strip) {
      if (job.y > 0) continue;
      const Range planes = input_planes(job);
      load_image(i, {operand.plane + planes.first, planes.count}, 0, layout.rows,
                 buffer(residence, job.piece.first / place_.piece_rows), residence.plane_pitch);
    } else {
      const int rows = (job.height - 1) * step_.window.stride_y + step_.window.extent_y();
      const Range planes = input_planes(job);
      load_image(i, {operand.plane + planes.first, planes.count}, first_input_row(i, job), rows,
                 buffer(residence, job.index), residence.plane_pitch);
    }
  }
}

void StepGenerator::store(const Job& job, const Chunk& chunk) {
  const ImagePlace& place = placement_.images[static_cast<std::size_t>(step_.output)];
  if (!place.in_memory) return;
  if (place.linear) {
    if (job.last_strip) store_words(job, chunk);
    return;
  }
  const Image& image = lowered_.images[static_cast<std::size_t>(step_.output)];
  const int end = storable_rows(job);
  if (end <= stored_rows_) return;
  const int words_per_beat = static_cast<int>(configuration_.words_per_beat());
  const int first_word = stored_rows_ * image.layout.row_pitch;
  const int words = (end - stored_rows_ - 1) * image.layout.row_pitch + image.layout.columns;
  abi::Command command;
  command.window = static_cast<std::uint8_t>(place.window);
  const Range planes = output_planes(chunk);
  command.address = word(output_base(job) + (planes.first - output_plane(job)) * place_.output.plane_pitch +
                         first_word - strip_offset(job));
  command.offset = place.offset + static_cast<std::uint32_t>(place.beats(planes.first)) +
                   static_cast<std::uint32_t>(first_word / words_per_beat);
  command.run = static_cast<std::uint32_t>(divide_up(words, words_per_beat));
  command.pitch = static_cast<std::uint32_t>(place.plane_beats);
  command.planes = static_cast<std::uint16_t>(planes.count);
  command.word_pitch = static_cast<std::uint16_t>(place_.output.plane_pitch);
  builder_->store(command);
}

/// Stores the beats of a linear image that are complete with this chunk.
void StepGenerator::store_words(const Job& job, const Chunk& chunk) {
  const ImagePlace& place = placement_.images[static_cast<std::size_t>(step_.output)];
  const int words_per_beat = static_cast<int>(configuration_.words_per_beat());
  const Range planes = output_planes(chunk);
  const int words = (planes.first + planes.count) * place_.output.plane_pitch;
  const bool last = chunk.rows.first + chunk.rows.count == step_.rows();
  const int end = last ? divide_up(words, words_per_beat) : words / words_per_beat;
  if (end <= stored_beats_) return;
  abi::Command command;
  command.window = static_cast<std::uint8_t>(place.window);
  command.address = word(output_base(job) - strip_offset(job) + stored_beats_ * words_per_beat);
  command.offset = place.offset + static_cast<std::uint32_t>(stored_beats_);
  command.run = static_cast<std::uint32_t>(end - stored_beats_);
  command.planes = 1;
  builder_->store(command);
  stored_beats_ = end;
}

}  // namespace espalier::compile
