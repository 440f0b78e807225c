#include "compile/step_generator.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "esp_error.hpp"

namespace espalier::compile {
namespace {

/// Entries of the write program that one strip may use, so that the next one can be loaded meanwhile.
constexpr std::size_t ProgramShare = abi::ProgramDepth / 2 - 24;

/// Estimated cycles by which private words must win before 32-bit entries are preferred to dense weights.
constexpr double SparseMargin = 0.99;

/// A step is cut into strips, so that its loads and stores overlap with its computation, if they are more than this
/// share of it; the weights, which every strip streams again, may take up to StreamShare of the cycles.
constexpr double OverlapShare = 0.005;
constexpr double StreamShare = 0.4;
constexpr double MaxStrips = 8;

std::uint16_t word(int address) { return static_cast<std::uint16_t>(address); }

}  // namespace

StepGenerator::StepGenerator(const StepRows& rows, const Lowered& lowered, const Placement& placement,
                             const StepPlace& place, const abi::Configuration& configuration, Mode mode)
    : rows_(rows),
      step_(rows.step()),
      lowered_(lowered),
      placement_(placement),
      place_(place),
      configuration_(configuration),
      mode_(mode) {}

void StepGenerator::prepare() {
  choose_loading();
  choose_mode();
  strip_ = overlapping_strip(strip_rows());
  strips_ = divide_up(step_.tiling.height, strip_);
  for (int piece = 0; piece * place_.piece_channels < step_.output_channels; ++piece) {
    pieces_.push_back(make_chunks(first_job(piece)));
  }
}

void StepGenerator::emit(ProgramBuilder& builder, LayerWork& work, const std::function<void()>& before_first_compute) {
  builder_ = &builder;
  work_ = &work;
  before_first_compute_ = before_first_compute;
  work.sparse = work.sparse || stream_mode_ == StreamMode::Sparse;
  load_tables();
  for (std::size_t piece = 0; piece < pieces_.size(); ++piece) emit_piece(piece);
}

/// The first strip of a piece.
StepGenerator::Job StepGenerator::first_job(int piece) const {
  const int first = piece * place_.piece_channels;
  Job job;
  job.piece = {first, std::min(place_.piece_channels, step_.output_channels - first)};
  job.height = std::min(strip_, step_.tiling.height);
  job.index = piece * strips_;
  job.last_strip = strips_ == 1;
  return job;
}

void StepGenerator::emit_piece(std::size_t piece) {
  Job job = first_job(static_cast<int>(piece));
  stored_rows_ = 0;
  for (; job.y < step_.tiling.height; job.y += strip_, ++job.index) {
    job.height = std::min(strip_, step_.tiling.height - job.y);
    job.last_strip = job.y + strip_ >= step_.tiling.height;
    load_inputs(job);
    const auto programs = write_programs(job);
    for (const Chunk& chunk : pieces_[piece]) {
      load_channels(chunk);
      compute(job, chunk, programs);
      store(job, chunk);
    }
    stored_rows_ = storable_rows(job);
  }
}

void StepGenerator::choose_mode() {
  Job job;
  job.piece = {0, place_.piece_channels};
  job.height = step_.tiling.height;
  const ChunkProblem whole = problem(job);
  const std::vector<Row> taps = rows_.taps(0, place_.piece_channels, whole.views);
  const int strips = divide_up(step_.tiling.height, place_.strip_rows);
  const auto sparse = estimate_sparse(whole, taps, step_.tiling.height, step_.tiling.width, strips);
  const auto dense = estimate_dense(whole, step_.tiling.height, step_.tiling.width, strips);
  bool use_dense = rows_.dense_possible() && sparse.cycles > SparseMargin * dense.cycles;
  if (mode_ == Mode::Dense) use_dense = rows_.dense_possible();
  if (mode_ == Mode::Sparse) use_dense = false;
  const double pieces = divide_up(step_.output_channels, place_.piece_channels);
  estimate_ = use_dense ? dense : sparse;
  estimate_.cycles *= pieces;
  estimate_.beats *= pieces;
  stream_mode_ = use_dense ? StreamMode::Dense : StreamMode::Sparse;
  for (const Pass& pass : rows_.passes()) {
    int unroll = 1;
    if (!use_dense) {
      unroll = pass.width == step_.tiling.width ? sparse.unroll
                                                : estimate_sparse(whole, taps, pass.height, pass.width, strips).unroll;
    }
    stretches_.push_back(stretches_of(pass.x, pass.width, unroll));
  }
}

void StepGenerator::load_tables() {
  std::vector<Permutation> table;
  for (const Pass& pass : rows_.passes()) {
    permute_first_.push_back(static_cast<int>(table.size()));
    table.insert(table.end(), pass.plan.permutations.begin(), pass.plan.permutations.end());
  }
  if (table.size() > abi::PermuteDepth) {
    throw Error(ErrorCode::Unsupported, "the output needs too many byte permutations",
                "image of '" + lowered_.images[static_cast<std::size_t>(step_.output)].name + "'",
                std::to_string(table.size()) + " of " + std::to_string(abi::PermuteDepth),
                "use a larger array or another map size");
  }
  permute_table_ = builder_->permute_table(table);
  for (int& first : permute_first_) first += permute_table_;
}

std::size_t StepGenerator::entries(const Pass& pass, int y, int height) const {
  std::size_t count = 0;
  for (int row = std::max(y, pass.y); row < std::min(y + height, pass.y + pass.height); ++row) {
    for (int x = pass.x; x < pass.x + pass.width; ++x) {
      count += std::max<std::size_t>(1, pass.plan.positions[position_index(row, x)].size());
    }
  }
  return count;
}

int StepGenerator::strip_rows() const {
  for (int rows = place_.strip_rows; rows > 0; --rows) {
    std::size_t most = 0;
    for (int y = 0; y < step_.tiling.height; y += rows) {
      std::size_t sum = 0;
      for (const Pass& pass : rows_.passes()) sum += entries(pass, y, rows);
      most = std::max(most, sum);
    }
    if (most <= ProgramShare || (rows == 1 && most <= abi::ProgramDepth)) return rows;
  }
  throw Error(ErrorCode::Unsupported, "one row of positions needs too many entries of the write program",
              "image of '" + lowered_.images[static_cast<std::size_t>(step_.output)].name + "'",
              std::to_string(step_.tiling.width) + " positions", "use a larger array or a narrower map");
}

void StepGenerator::choose_loading() {
  const int words_per_beat = static_cast<int>(configuration_.words_per_beat());
  for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
    const Operand& operand = step_.inputs[i];
    const Image& image = lowered_.images[static_cast<std::size_t>(operand.image)];
    const bool again = i > 0 && operand.image == step_.inputs[0].image;
    const bool shared = step_.inputs.size() > 1 && step_.inputs[0].image == step_.inputs[1].image;
    const bool all_planes = operand.channel == 0 && image.channels == step_.input_channels && !shared;
    const bool by_beats =
        place_.inputs[i].plane_pitch >= round_up(image.layout.plane_words(), words_per_beat) && image.input;
    Loading loading = Loading::None;
    if (place_.inputs[i].whole && place_.inputs[i].load && !again) {
      loading = step_.groups > 1 && all_planes ? Loading::Channels : Loading::Rows;
      weights_after_loads_ = weights_after_loads_ || image.input;
    }
    by_channels_ = by_channels_ || loading == Loading::Channels;
    loading_.push_back(loading);
    row_loads_ = row_loads_ || (loading == Loading::Rows && by_beats);
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
  const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.inputs[operand].image)].layout;
  if (!row_loads_ || job.last_strip) return layout.rows;
  const int end = first_input_row(operand, job) + (job.height - 1) * step_.window.stride_y + step_.window.extent_y();
  return std::min(layout.rows, round_up(end, rows_per_beat(layout)));
}

int StepGenerator::storable_rows(const Job& job) const {
  const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.output)].layout;
  if (job.last_strip) return layout.rows;
  if (!rows_match_) return 0;
  const int unit = std::max(1, rows_per_beat(layout));
  return (job.y + job.height) / unit * unit;
}

int StepGenerator::overlapping_strip(int rows) const {
  const bool staged = std::any_of(place_.inputs.begin(), place_.inputs.end(), [](const auto& r) { return !r.whole; });
  if (staged) return rows;
  const ImagePlace& out = placement_.images[static_cast<std::size_t>(step_.output)];
  double moved = 0;
  if (row_loads_) {
    for (const Operand& operand : step_.inputs) {
      const auto& image = lowered_.images[static_cast<std::size_t>(operand.image)];
      moved += static_cast<double>(placement_.images[static_cast<std::size_t>(operand.image)].beats(image.channels));
    }
  }
  if (rows_match_ && out.in_memory) moved += static_cast<double>(out.beats(step_.output_channels));
  if (by_channels_ || moved < OverlapShare * estimate_.cycles) return rows;
  const double most = std::min(MaxStrips, estimate_.cycles * StreamShare / std::max(1.0, estimate_.beats));
  return std::min(rows, std::max(1, divide_up(step_.tiling.height, std::max(1, static_cast<int>(most)))));
}

void StepGenerator::load_channels(const Chunk& chunk) {
  for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
    if (loading_[i] != Loading::Channels) continue;
    const Image& image = lowered_.images[static_cast<std::size_t>(step_.inputs[i].image)];
    const int last_group = (chunk.channels.first + chunk.channels.count - 1) / rows_.outputs_per_group();
    const int end = (last_group + 1) * rows_.inputs_per_group();
    if (end <= loaded_[i]) continue;
    const int pitch = place_.inputs[i].plane_pitch;
    load_image(i, {loaded_[i], end - loaded_[i]}, 0, image.layout.rows,
               place_.inputs[i].address[0] + loaded_[i] * pitch, pitch);
    loaded_[i] = end;
  }
}

ChannelRange StepGenerator::input_channels(const Job& job) const {
  if (!place_.inputs_by_piece) return {0, step_.input_channels};
  const int first = job.piece.first / rows_.outputs_per_group() * rows_.inputs_per_group();
  return {first, job.piece.count / rows_.outputs_per_group() * rows_.inputs_per_group()};
}

int StepGenerator::buffer(const Residence& residence, int turn) const {
  return residence.address[static_cast<std::size_t>(turn) % residence.address.size()];
}

int StepGenerator::first_input_row(std::size_t operand, const Job& job) const {
  const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.inputs[operand].image)].layout;
  return job.y * step_.window.stride_y - step_.window.pad_top + layout.origin_y;
}

int StepGenerator::base_address(std::size_t operand, const Job& job) const {
  const Residence& residence = place_.inputs[operand];
  const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.inputs[operand].image)].layout;
  const int column = layout.origin_x - step_.window.pad_left;
  const int row = first_input_row(operand, job);
  if (residence.whole) {
    const int plane = step_.inputs[operand].channel + input_channels(job).first;
    return residence.address[0] + plane * residence.plane_pitch + row * layout.row_pitch + column;
  }
  if (!place_.inputs_by_strip) {
    return buffer(residence, job.piece.first / place_.piece_channels) + row * layout.row_pitch + column;
  }
  return buffer(residence, job.index) + column;
}

std::vector<OperandView> StepGenerator::views(const Job& job) const {
  std::vector<OperandView> result;
  for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
    const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.inputs[i].image)].layout;
    result.push_back({base_address(i, job) - base_address(0, job), place_.inputs[i].plane_pitch, layout.row_pitch,
                      input_channels(job).first});
  }
  return result;
}

ChunkProblem StepGenerator::problem(const Job& job) const {
  ChunkProblem result;
  result.rows = &rows_;
  result.configuration = configuration_;
  result.views = views(job);
  result.output_pitch = place_.output.plane_pitch;
  result.piece = job.piece;
  result.output_channel = output_channel(job);
  if (by_channels_) result.most_channels = static_cast<int>(configuration_.lanes);
  return result;
}

void StepGenerator::load_image(std::size_t operand, ChannelRange channels, int first_row, int rows, int address,
                               int pitch) {
  const int index = step_.inputs[operand].image;
  const Layout& layout = lowered_.images[static_cast<std::size_t>(index)].layout;
  const ImagePlace& place = placement_.images[static_cast<std::size_t>(index)];
  const int words_per_beat = static_cast<int>(configuration_.words_per_beat());
  abi::Command command;
  command.window = static_cast<std::uint8_t>(place.window);
  command.address = word(address);
  command.offset = place.offset + static_cast<std::uint32_t>(place.beats(channels.first)) +
                   static_cast<std::uint32_t>(first_row * layout.row_pitch / words_per_beat);
  command.run = static_cast<std::uint32_t>(divide_up((rows - 1) * layout.row_pitch + layout.columns, words_per_beat));
  command.pitch = static_cast<std::uint32_t>(place.plane_beats);
  command.planes = static_cast<std::uint16_t>(channels.count);
  command.word_pitch = static_cast<std::uint16_t>(pitch);
  builder_->load(command);
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
      if (end <= loaded_[i]) continue;
      load_image(i, {0, image.channels}, loaded_[i], end - loaded_[i],
                 residence.address[0] + loaded_[i] * layout.row_pitch, residence.plane_pitch);
      loaded_[i] = end;
    } else if (!place_.inputs_by_strip) {
      if (job.y > 0) continue;
      const ChannelRange channels = input_channels(job);
      load_image(i, {operand.channel + channels.first, channels.count}, 0, layout.rows,
                 buffer(residence, job.piece.first / place_.piece_channels), residence.plane_pitch);
    } else {
      const int rows = (job.height - 1) * step_.window.stride_y + step_.window.extent_y();
      const ChannelRange channels = input_channels(job);
      load_image(i, {operand.channel + channels.first, channels.count}, first_input_row(i, job), rows,
                 buffer(residence, job.index), residence.plane_pitch);
    }
  }
}

std::vector<abi::ProgramEntry> StepGenerator::program_entries(const Pass& pass, const Stretch& stretch, int y,
                                                              int height) const {
  const std::size_t index = static_cast<std::size_t>(&pass - rows_.passes().data());
  std::vector<abi::ProgramEntry> heads;
  std::vector<abi::ProgramEntry> tails;
  const std::size_t positions = static_cast<std::size_t>(height) * static_cast<std::size_t>(stretch.count);
  for (int row = y; row < y + height; ++row) {
    for (int x = stretch.x; x < stretch.x + stretch.count; ++x) {
      const auto& writes = pass.plan.positions[position_index(row, x)];
      abi::ProgramEntry head;
      head.drop = writes.empty();
      for (std::size_t i = 0; i < writes.size(); ++i) {
        abi::ProgramEntry entry;
        entry.offset = word(writes[i].offset);
        entry.permute = static_cast<std::uint8_t>(permute_first_[index] + writes[i].permute);
        const std::size_t next = i == 0 ? positions + tails.size() : positions + tails.size() + 1;
        entry.next = i + 1 < writes.size() ? static_cast<std::uint16_t>(next) : std::uint16_t{0};
        if (i == 0) {
          head = entry;
        } else {
          tails.push_back(entry);
        }
      }
      heads.push_back(head);
    }
  }
  heads.insert(heads.end(), tails.begin(), tails.end());
  return heads;
}

std::vector<std::vector<int>> StepGenerator::write_programs(const Job& job) {
  std::vector<std::vector<int>> programs;
  for (std::size_t p = 0; p < rows_.passes().size(); ++p) {
    const Pass& pass = rows_.passes()[p];
    const int y = std::max(job.y, pass.y);
    const int height = std::min(job.y + job.height, pass.y + pass.height) - y;
    auto& firsts = programs.emplace_back();
    for (const Stretch& stretch : stretches_[p]) {
      firsts.push_back(height > 0 ? builder_->program_table(program_entries(pass, stretch, y, height)) : -1);
    }
  }
  return programs;
}

std::vector<StepGenerator::Chunk> StepGenerator::make_chunks(const Job& job) const {
  const ChunkProblem chunk_problem = problem(job);
  std::vector<Chunk> chunks;
  if (stream_mode_ == StreamMode::Dense) {
    for (const ChannelRange& channels : split_dense(chunk_problem)) {
      chunks.push_back(make_chunk(chunk_problem, channels, {}));
    }
    return chunks;
  }
  int unroll = 1;
  for (const auto& stretches : stretches_) {
    for (const Stretch& stretch : stretches) unroll = std::max(unroll, stretch.unroll);
  }
  const std::vector<Row> rows = rows_.taps(job.piece.first, job.piece.count, chunk_problem.views);
  for (const ChannelRange& channels : split_sparse(chunk_problem, rows, unroll)) {
    const auto first = rows.begin() + (channels.first - job.piece.first);
    chunks.push_back(make_chunk(chunk_problem, channels, {first, first + channels.count}));
  }
  return chunks;
}

StepGenerator::Chunk StepGenerator::make_chunk(const ChunkProblem& chunk_problem, ChannelRange channels,
                                               const std::vector<Row>& rows) const {
  Chunk chunk;
  chunk.channels = channels;
  for (std::size_t p = 0; p < rows_.passes().size(); ++p) {
    const Pass& pass = rows_.passes()[p];
    auto& streams = chunk.streams.emplace_back();
    for (const Stretch& stretch : stretches_[p]) {
      streams.push_back(stream_mode_ == StreamMode::Dense
                            ? dense_stream(chunk_problem, channels, pass)
                            : sparse_stream(chunk_problem, channels, rows, pass, stretch));
    }
  }
  return chunk;
}

std::vector<Region> StepGenerator::reads(const Job& job, const Chunk& chunk) const {
  ChannelRange channels = input_channels(job);
  if (step_.groups > 1) {
    const int first = chunk.channels.first / rows_.outputs_per_group();
    const int last = (chunk.channels.first + chunk.channels.count - 1) / rows_.outputs_per_group();
    channels = {first * rows_.inputs_per_group(), (last - first + 1) * rows_.inputs_per_group()};
  }
  std::vector<Region> regions;
  for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
    const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.inputs[i].image)].layout;
    const int rows = (job.height - 1) * step_.window.stride_y + step_.window.extent_y();
    const int columns = (step_.tiling.width - 1) * step_.window.stride_x + step_.window.extent_x();
    const int pitch = place_.inputs[i].plane_pitch;
    const int begin = base_address(i, job) + (channels.first - input_channels(job).first) * pitch;
    regions.push_back({begin, (rows - 1) * layout.row_pitch + columns, pitch, channels.count});
  }
  return regions;
}

int StepGenerator::output_base(const Job& job) const {
  const Residence& residence = place_.output;
  return residence.whole ? residence.address[0] + step_.output_channel * residence.plane_pitch
                         : buffer(residence, job.piece.first / place_.piece_channels);
}

int StepGenerator::output_channel(const Job& job) const { return place_.output.whole ? 0 : job.piece.first; }

Region StepGenerator::output_region(const Job& job, const Chunk& chunk) const {
  const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.output)].layout;
  const int pitch = place_.output.plane_pitch;
  const int start = output_base(job) + (chunk.channels.first - output_channel(job)) * pitch;
  if (!rows_match_) return {start, layout.plane_words(), pitch, chunk.channels.count};
  return {start + job.y * layout.row_pitch, (job.height - 1) * layout.row_pitch + layout.columns, pitch,
          chunk.channels.count};
}

void StepGenerator::compute(const Job& job, const Chunk& chunk, const std::vector<std::vector<int>>& programs) {
  for (std::size_t p = 0; p < programs.size(); ++p) {
    for (std::size_t s = 0; s < programs[p].size(); ++s) {
      if (programs[p][s] >= 0) compute_stretch(job, chunk, p, s, programs[p][s]);
    }
  }
}

void StepGenerator::compute_stretch(const Job& job, const Chunk& chunk, std::size_t pass_index, std::size_t index,
                                    int program) {
  const Pass& pass = rows_.passes()[pass_index];
  const Stretch& stretch = stretches_[pass_index][index];
  const Stream& stream = chunk.streams[pass_index][index];
  const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.inputs[0].image)].layout;
  const int y = std::max(job.y, pass.y);
  const int height = std::min(job.y + job.height, pass.y + pass.height) - y;
  abi::Command command = rows_.command();
  command.slots = static_cast<std::uint32_t>(stream.slots);
  command.count_x = static_cast<std::uint16_t>(stretch.count / stretch.unroll);
  command.count_y = static_cast<std::uint16_t>(height);
  command.unroll = static_cast<std::uint8_t>(stretch.unroll);
  command.step_x = word(stretch.unroll * step_.window.stride_x);
  command.step_y = word(step_.window.stride_y * layout.row_pitch);
  int address =
      base_address(0, job) + (y - job.y) * step_.window.stride_y * layout.row_pitch + stretch.x * step_.window.stride_x;
  if (stream_mode_ == StreamMode::Dense) {
    const int group = chunk.channels.first / rows_.outputs_per_group();
    address += (group * rows_.inputs_per_group() - input_channels(job).first) * place_.inputs[0].plane_pitch;
  }
  command.address = word(address);
  Region output = output_region(job, chunk);
  command.output = word(output_base(job));

  const int positions = command.count_x * height;
  const bool single_positions = static_cast<unsigned>(stream.slots) > configuration_.slot_depth && positions > 1;
  const int parameters = builder_->parameter_table(stream.parameters);
  const auto emit = [&](const abi::Command& part, int first_entry) {
    builder_->slots(stream.command, stream.bytes, weights_after_loads_);
    work_->stream_beats += (stream.bytes.size() + abi::BeatBytes - 1) / abi::BeatBytes;
    if (before_first_compute_) before_first_compute_();
    before_first_compute_ = nullptr;
    builder_->compute(part, {parameters, program, permute_table_}, reads(job, chunk), {output}, first_entry);
  };
  if (!single_positions) {
    emit(command, 0);
  } else {
    for (int n = 0; n < positions; ++n) {
      abi::Command part = command;
      part.count_x = part.count_y = 1;
      part.address = word(address + n / command.count_x * command.step_y + n % command.count_x * command.step_x);
      emit(part, n * stretch.unroll);
    }
  }
  work_->slots += static_cast<std::uint64_t>(stream.slots) * static_cast<std::uint64_t>(positions);
  work_->lower_bound += static_cast<std::uint64_t>(stream.lower_bound) * static_cast<std::uint64_t>(positions);
  work_->result_words += entries(pass, y, height) * static_cast<std::size_t>(chunk.channels.count);
}

void StepGenerator::store(const Job& job, const Chunk& chunk) {
  const ImagePlace& place = placement_.images[static_cast<std::size_t>(step_.output)];
  if (!place.in_memory) return;
  const Image& image = lowered_.images[static_cast<std::size_t>(step_.output)];
  const int end = storable_rows(job);
  if (end <= stored_rows_) return;
  const int words_per_beat = static_cast<int>(configuration_.words_per_beat());
  const int first_word = stored_rows_ * image.layout.row_pitch;
  const int words = (end - stored_rows_ - 1) * image.layout.row_pitch + image.layout.columns;
  abi::Command command;
  command.window = static_cast<std::uint8_t>(place.window);
  command.address =
      word(output_base(job) + (chunk.channels.first - output_channel(job)) * place_.output.plane_pitch + first_word);
  command.offset = place.offset + static_cast<std::uint32_t>(place.beats(step_.output_channel + chunk.channels.first)) +
                   static_cast<std::uint32_t>(first_word / words_per_beat);
  command.run = static_cast<std::uint32_t>(divide_up(words, words_per_beat));
  command.pitch = static_cast<std::uint32_t>(place.plane_beats);
  command.planes = static_cast<std::uint16_t>(chunk.channels.count);
  command.word_pitch = static_cast<std::uint16_t>(place_.output.plane_pitch);
  builder_->store(command);
}

}  // namespace espalier::compile
