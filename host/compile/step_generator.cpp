#include "compile/step_generator.hpp"

#include <algorithm>
#include <map>
#include <numeric>
#include <string>

#include "esp_error.hpp"

namespace espalier::compile {
namespace {

/// Entries of the write program that one strip may use, so that the next one can be loaded meanwhile.
constexpr std::size_t program_share(const abi::Configuration& configuration) {
  return configuration.program_depth / 2 - 24;
}

/// Estimated cycles by which private words must win before 32-bit entries are preferred to dense weights.
constexpr double SparseMargin = 0.99;

std::uint16_t word(int address) { return static_cast<std::uint16_t>(address); }

}  // namespace

StepGenerator::StepGenerator(const StepRows& rows, const Lowered& lowered, const Placement& placement,
                             const StepPlace& place, const abi::Configuration& configuration, const Options& options)
    : rows_(rows),
      step_(rows.step()),
      lowered_(lowered),
      placement_(placement),
      place_(place),
      configuration_(configuration),
      options_(options) {
  if (step_.vector) vector_.emplace(rows, lowered, placement, place, configuration, options);
}

void StepGenerator::prepare() {
  if (vector_) return vector_->prepare();
  choose_loading();
  choose_mode();
  strips_ = {{0, step_.tiling.height}};
  for (int piece = 0; piece * place_.piece_rows < step_.rows(); ++piece) {
    pieces_.push_back(make_chunks(first_job(piece)));
  }
  strips_ = choose_strips(strip_rows());
  if (step_.kind == StepKind::Convolution) choose_format();
}

void StepGenerator::begin(ProgramBuilder& builder, LayerWork& work, const std::function<void()>& before_first_compute) {
  builder_ = &builder;
  work_ = &work;
  before_first_compute_ = before_first_compute;
  if (vector_) return;
  work.sparse = work.sparse || stream_mode_ != StreamMode::Dense;
  choose_pass_sets();
  if (work.slots == 0) work.split = step_.split();
}

void StepGenerator::emit() {
  if (vector_) return vector_->emit(*builder_, *work_, before_first_compute_);
  load_codes();
  for (std::size_t piece = 0; piece < pieces_.size(); ++piece) emit_piece(piece);
}

void StepGenerator::emit_turn(int turn) {
  // Other steps have loaded permutations and codes since the turn before.
  for (PassSet& set : pass_sets_) set.permute_table = -1;
  load_codes();
  if (place_.grouping == Grouping::Pieces) {
    emit_piece(static_cast<std::size_t>(turn));
  } else {
    emit_strip(0, static_cast<std::size_t>(turn));
  }
}

int StepGenerator::turns() const {
  return static_cast<int>(place_.grouping == Grouping::Pieces ? pieces_.size() : strips_.size());
}

/// The first strip of a piece.
StepGenerator::Job StepGenerator::first_job(int piece) const {
  const int first = piece * place_.piece_rows;
  Job job;
  job.piece = {first, std::min(place_.piece_rows, step_.rows() - first)};
  job.height = strips_.front().count;
  job.index = piece * static_cast<int>(strips_.size());
  job.last_strip = strips_.size() == 1;
  return job;
}

void StepGenerator::emit_piece(std::size_t piece) {
  stored_rows_ = 0;
  for (std::size_t strip = 0; strip < strips_.size(); ++strip) emit_strip(piece, strip);
}

void StepGenerator::emit_strip(std::size_t piece, std::size_t strip) {
  Job job = first_job(static_cast<int>(piece));
  job.y = strips_[strip].first;
  job.index += static_cast<int>(strip);
  job.height = strips_[strip].count;
  job.last_strip = strip + 1 == strips_.size();
  load_inputs(job);
  for (PassSet& set : pass_sets_) {
    load_permutations(set);
    const auto programs = write_programs(job, set);
    for (const Chunk& chunk : pieces_[piece]) {
      load_planes(chunk);
      compute(job, chunk, set, programs);
      if (&set == &pass_sets_.back()) store(job, chunk);
    }
  }
  stored_rows_ = storable_rows(job);
}

void StepGenerator::choose_mode() {
  Job job;
  job.piece = {0, place_.piece_rows};
  job.height = step_.tiling.height;
  const ChunkProblem whole = problem(job);
  const std::vector<Row> taps = rows_.taps(0, place_.piece_rows, whole.views);
  const int strips = divide_up(step_.tiling.height, place_.strip_rows);
  const auto by_lane = estimate_private(whole, taps, step_.tiling.height, step_.tiling.width, strips);
  const auto dense = estimate_dense(whole, step_.tiling.height, step_.tiling.width, strips);
  bool use_dense = rows_.dense_possible() && by_lane.cycles > SparseMargin * dense.cycles;
  if (options_.mode == Mode::Dense) use_dense = rows_.dense_possible();
  if (options_.mode == Mode::Sparse) use_dense = false;
  const double pieces = divide_up(step_.rows(), place_.piece_rows);
  estimate_ = use_dense ? dense : by_lane;
  estimate_.cycles *= pieces;
  estimate_.slots *= pieces;
  estimate_.beats *= pieces;
  stream_mode_ = use_dense ? StreamMode::Dense : rows_.command_split() > 1 ? StreamMode::Block : StreamMode::Sparse;
  for (const Pass& pass : rows_.passes()) {
    int unroll = 1;
    if (!use_dense) {
      unroll = pass.width == step_.tiling.width ? by_lane.unroll
                                                : estimate_private(whole, taps, pass.height, pass.width, strips).unroll;
    }
    stretches_.push_back(stretches_of(pass.x, pass.width, unroll));
  }
}

/// As many passes as fit the permutation table; a step with more loads them again for each strip.
void StepGenerator::choose_pass_sets() {
  std::size_t size = abi::PermuteDepth + 1;
  for (const Pass& pass : rows_.passes()) {
    if (size + pass.plan.permutations.size() > abi::PermuteDepth) {
      pass_sets_.push_back({permute_first_.size(), 0, -1});
      size = 0;
    }
    ++pass_sets_.back().count;
    permute_first_.push_back(static_cast<int>(size));
    size += pass.plan.permutations.size();
  }
}

void StepGenerator::load_permutations(PassSet& set) {
  if (set.permute_table >= 0 && pass_sets_.size() == 1) return;
  std::vector<Permutation> table;
  for (std::size_t p = set.first; p < set.first + set.count; ++p) {
    const auto& permutations = rows_.passes()[p].plan.permutations;
    table.insert(table.end(), permutations.begin(), permutations.end());
  }
  set.permute_table = builder_->permute_table(table);
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
  const std::size_t share = program_share(configuration_);
  for (int rows = place_.strip_rows; rows > 0; --rows) {
    std::size_t most = 0;
    for (int y = 0; y < step_.tiling.height; y += rows) {
      std::size_t sum = 0;
      for (const Pass& pass : rows_.passes()) sum += entries(pass, y, rows);
      most = std::max(most, sum);
    }
    if (most <= share || (rows == 1 && most <= configuration_.program_depth)) return rows;
  }
  throw Error(ErrorCode::Unsupported, "one row of positions needs too many entries of the write program",
              "image of '" + lowered_.images[static_cast<std::size_t>(step_.output)].name + "'",
              std::to_string(step_.tiling.width) + " positions", "use a larger array or a narrower map");
}

/// Input planes of the groups that these rows belong to.
Range StepGenerator::group_planes(Range rows) const {
  const int first = rows.first / step_.rows_per_group();
  const int last = (rows.first + rows.count - 1) / step_.rows_per_group();
  return {first * step_.planes_per_group(), (last - first + 1) * step_.planes_per_group()};
}

Range StepGenerator::input_planes(const Job& job) const {
  return place_.inputs_by_piece ? group_planes(job.piece) : Range{0, step_.planes()};
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
    const int plane = step_.inputs[operand].plane + input_planes(job).first;
    return residence.address[0] + plane * residence.plane_pitch + row * layout.row_pitch + column;
  }
  if (!residence.strip) {
    return buffer(residence, job.piece.first / place_.piece_rows) + row * layout.row_pitch + column;
  }
  return buffer(residence, job.index) + column;
}

std::vector<OperandView> StepGenerator::views(const Job& job) const {
  std::vector<OperandView> result;
  for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
    const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.inputs[i].image)].layout;
    result.push_back({base_address(i, job) - base_address(0, job), place_.inputs[i].plane_pitch, layout.row_pitch,
                      input_planes(job).first});
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
  result.output_plane = output_plane(job);
  result.beat_cycles = static_cast<double>(abi::BeatBytes) / options_.memory.bytes;
  if (by_planes_) result.most_rows = static_cast<int>(configuration_.lanes);
  return result;
}

std::vector<abi::ProgramEntry> StepGenerator::program_entries(const Job& job, const Pass& pass, const Stretch& stretch,
                                                              int permute_first) const {
  const int y = std::max(job.y, pass.y);
  const int height = std::min(job.y + job.height, pass.y + pass.height) - y;
  const int strip = strip_offset(job);
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
        entry.offset = word(writes[i].plane * place_.output.plane_pitch + writes[i].offset - strip);
        entry.permute = static_cast<std::uint8_t>(permute_first + writes[i].permute);
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

std::vector<std::vector<int>> StepGenerator::write_programs(const Job& job, const PassSet& set) {
  std::vector<std::vector<abi::ProgramEntry>> tables;
  std::vector<std::vector<int>> programs;  // per pass and stretch: index of the table, -1 if it has no rows here
  for (std::size_t p = set.first; p < set.first + set.count; ++p) {
    const Pass& pass = rows_.passes()[p];
    const int y = std::max(job.y, pass.y);
    const int height = std::min(job.y + job.height, pass.y + pass.height) - y;
    auto& indices = programs.emplace_back();
    for (const Stretch& stretch : stretches_[p]) {
      indices.push_back(height > 0 ? static_cast<int>(tables.size()) : -1);
      if (height > 0) tables.push_back(program_entries(job, pass, stretch, set.permute_table + permute_first_[p]));
    }
  }
  const std::vector<int> firsts = builder_->program_tables(tables);
  for (auto& indices : programs) {
    for (int& index : indices) index = index < 0 ? index : firsts[static_cast<std::size_t>(index)];
  }
  return programs;
}

std::vector<StepGenerator::Chunk> StepGenerator::make_chunks(const Job& job) const {
  const ChunkProblem chunk_problem = problem(job);
  std::vector<Chunk> chunks;
  if (stream_mode_ == StreamMode::Dense) {
    for (const Range& range : cut_dense(chunk_problem)) chunks.push_back(make_chunk(chunk_problem, range, {}));
    return chunks;
  }
  int unroll = 1;
  for (const auto& stretches : stretches_) {
    for (const Stretch& stretch : stretches) unroll = std::max(unroll, stretch.unroll);
  }
  const std::vector<Row> rows = rows_.taps(job.piece.first, job.piece.count, chunk_problem.views);
  for (const Range& range : cut_private(chunk_problem, rows, unroll)) {
    const auto first = rows.begin() + (range.first - job.piece.first);
    chunks.push_back(make_chunk(chunk_problem, range, {first, first + range.count}));
  }
  return chunks;
}

StepGenerator::Chunk StepGenerator::make_chunk(const ChunkProblem& chunk_problem, Range range,
                                               const std::vector<Row>& rows) const {
  Chunk chunk;
  chunk.rows = range;
  for (std::size_t p = 0; p < rows_.passes().size(); ++p) {
    const Pass& pass = rows_.passes()[p];
    auto& streams = chunk.streams.emplace_back();
    for (const Stretch& stretch : stretches_[p]) {
      streams.push_back(stream_mode_ == StreamMode::Dense ? dense_stream(chunk_problem, range, pass)
                                                          : private_stream(chunk_problem, range, rows, pass, stretch));
    }
  }
  return chunk;
}

std::vector<Region> StepGenerator::reads(const Job& job, const Chunk& chunk) const {
  const Range planes = step_.row_groups() > 1 ? group_planes(chunk.rows) : input_planes(job);
  std::vector<Region> regions;
  for (std::size_t i = 0; i < step_.inputs.size(); ++i) {
    const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.inputs[i].image)].layout;
    const int rows = (job.height - 1) * step_.window.stride_y + step_.window.extent_y();
    const int columns = (step_.tiling.width - 1) * step_.window.stride_x + step_.window.extent_x();
    const int pitch = place_.inputs[i].plane_pitch;
    const int begin = base_address(i, job) + (planes.first - input_planes(job).first) * pitch;
    regions.push_back({begin, (rows - 1) * layout.row_pitch + columns, pitch, planes.count});
  }
  return regions;
}

int StepGenerator::output_base(const Job& job) const {
  const Residence& residence = place_.output;
  if (residence.whole) return residence.address[0] + strip_offset(job);
  if (residence.strip) return buffer(residence, job.index);
  return buffer(residence, job.piece.first / place_.piece_rows) + strip_offset(job);
}

/// Words of a plane that lie before output_base(): write programs of equal strips are the same then.
int StepGenerator::strip_offset(const Job& job) const {
  const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.output)].layout;
  return place_.output.strip || rows_match_ ? job.y * layout.row_pitch : 0;
}

/// The plane at output_base().
int StepGenerator::output_plane(const Job& job) const {
  return place_.output.whole ? 0 : rows_.output_plane(job.piece.first);
}

Range StepGenerator::output_planes(const Chunk& chunk) const {
  return {rows_.output_plane(chunk.rows.first), rows_.output_planes(chunk.rows.first, chunk.rows.count)};
}

Region StepGenerator::output_region(const Job& job, const Chunk& chunk) const {
  const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.output)].layout;
  const int pitch = place_.output.plane_pitch;
  const Range planes = output_planes(chunk);
  const int start = output_base(job) + (planes.first - output_plane(job)) * pitch;
  if (!rows_match_) return {start, layout.plane_words(), pitch, planes.count};
  return {start + job.y * layout.row_pitch - strip_offset(job), (job.height - 1) * layout.row_pitch + layout.columns,
          pitch, planes.count};
}

void StepGenerator::compute(const Job& job, const Chunk& chunk, const PassSet& set,
                            const std::vector<std::vector<int>>& programs) {
  for (std::size_t p = 0; p < programs.size(); ++p) {
    for (std::size_t s = 0; s < programs[p].size(); ++s) {
      if (programs[p][s] >= 0) compute_stretch(job, chunk, set, set.first + p, s, programs[p][s]);
    }
  }
}

void StepGenerator::compute_stretch(const Job& job, const Chunk& chunk, const PassSet& set, std::size_t pass_index,
                                    std::size_t index, int program) {
  const Pass& pass = rows_.passes()[pass_index];
  const Stretch& stretch = stretches_[pass_index][index];
  const Stream& stream = chunk.streams[pass_index][index];
  const Layout& layout = lowered_.images[static_cast<std::size_t>(step_.inputs[0].image)].layout;
  const int y = std::max(job.y, pass.y);
  const int height = std::min(job.y + job.height, pass.y + pass.height) - y;
  abi::Command command = rows_.command();
  command.flags = stream.compute.flags;
  command.split = stream.compute.split;
  command.weights = stream.compute.weights;
  command.tail_lanes = stream.compute.tail_lanes;
  command.tap_count = stream.compute.tap_count;
  command.tap_step = stream.compute.tap_step;
  command.slots = static_cast<std::uint32_t>(stream.slots);
  command.count_x = static_cast<std::uint16_t>(stretch.count / stretch.unroll);
  command.count_y = static_cast<std::uint16_t>(height);
  command.unroll = static_cast<std::uint8_t>(stretch.unroll);
  command.step_x = word(stretch.unroll * step_.window.stride_x);
  command.step_y = word(step_.window.stride_y * layout.row_pitch);
  int address =
      base_address(0, job) + (y - job.y) * step_.window.stride_y * layout.row_pitch + stretch.x * step_.window.stride_x;
  if (stream_mode_ == StreamMode::Dense) {
    const int group = chunk.rows.first / step_.rows_per_group();
    address += (group * step_.planes_per_group() - input_planes(job).first) * place_.inputs[0].plane_pitch;
  }
  command.address = word(address);
  Region output = output_region(job, chunk);
  command.output = word(output_base(job));

  const int positions = command.count_x * height;
  const bool single_positions = stream.slots > most_slots(command) && positions > 1;
  const int row = builder_->row_table(stream.rows);
  const int scale = builder_->scale_table(stream.scales);
  const auto emit = [&](const abi::Command& part, int first_entry) {
    builder_->weights(stream.weights, stream.bytes, weights_after_loads_ && first_weights_ == 0);
    if (first_weights_ == 0) first_weights_ = builder_->count(Unit::Weight);
    const std::size_t beats = (stream.bytes.size() + abi::BeatBytes - 1) / abi::BeatBytes;
    work_->stream_beats += beats;
    work_->weight_beats += beats;
    const double bits = 8.0 * static_cast<double>(beats) * abi::BeatBytes;
    work_->alignment_bits += stream.coded_bits > 0 ? bits - stream.coded_bits : 0;
    work_->entropy_bits += stream.entropy_bits;
    work_->weight_format = stream.weights.format;
    if (before_first_compute_) before_first_compute_();
    before_first_compute_ = nullptr;
    builder_->compute(part, {row, scale, program, set.permute_table}, reads(job, chunk), {output}, first_entry);
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
  work_->result_words += entries(pass, y, height) * static_cast<std::size_t>(chunk.rows.count);
}

}  // namespace espalier::compile
