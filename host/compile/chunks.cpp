#include "compile/chunks.hpp"

#include <algorithm>
#include <limits>

namespace espalier::compile {
namespace {

std::size_t product(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

constexpr int MaxUnroll = 8;

/// Entries of the row table that a chunk may use, so that the next one can be loaded meanwhile.
constexpr int RowShare = static_cast<int>(abi::RowDepth) / 2;

int lanes_of(const ChunkProblem& problem) { return static_cast<int>(problem.configuration.lanes); }
/// Slots in half of the weight store.
int slot_limit(const ChunkProblem& problem, unsigned weights) {
  return static_cast<int>(problem.configuration.line_depth / 2 * problem.configuration.line_slots(weights, 1));
}

abi::Row row_of(const ChunkProblem& problem, int channel, int step) {
  return {static_cast<std::uint16_t>((channel - problem.output_channel) * problem.output_pitch),
          static_cast<std::uint8_t>(step), 0};
}

/// Copies of the rows for each of the unrolled positions: row r of position t is r * unroll + t.
std::vector<Row> unrolled(const std::vector<Row>& rows, int unroll, int stride) {
  if (unroll == 1) return rows;
  std::vector<Row> result;
  for (const Row& row : rows) {
    for (int t = 0; t < unroll; ++t) {
      Row& copy = result.emplace_back(row);
      for (Tap& tap : copy) tap.offset = static_cast<std::uint16_t>(tap.offset + t * stride);
    }
  }
  return result;
}

/// Slots of the fullest lane, from row lengths alone.
int makespan(std::vector<int> lengths, int lanes) {
  std::sort(lengths.begin(), lengths.end(), std::greater<>());
  std::vector<int> heap(static_cast<std::size_t>(lanes), 0);  // least loaded lane first
  for (const int length : lengths) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.back() += std::max(length, 1);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  }
  return *std::max_element(heap.begin(), heap.end());
}

}  // namespace

std::vector<Stretch> stretches_of(int x, int width, int unroll) {
  std::vector<Stretch> stretches;
  const int whole = width / unroll * unroll;
  if (whole > 0) stretches.push_back({x, whole, unroll});
  if (whole < width) stretches.push_back({x + whole, width - whole, width - whole});
  return stretches;
}

std::vector<ChannelRange> split_dense(const ChunkProblem& problem) {
  const int lanes = lanes_of(problem);
  const int groups = std::clamp(slot_limit(problem, abi::WeightsDense) / std::max(1, problem.rows->taps_per_row()), 1,
                                std::max(1, RowShare / lanes / 4));
  const int unit = problem.rows->outputs_per_group();
  std::vector<ChannelRange> chunks;
  for (int first = problem.piece.first; first < problem.piece.first + problem.piece.count;) {
    const int group_end = std::min((first / unit + 1) * unit, problem.piece.first + problem.piece.count);
    const int count = std::min(groups * lanes, group_end - first);
    chunks.push_back({first, count});
    first += count;
  }
  return chunks;
}

std::vector<ChannelRange> split_sparse(const ChunkProblem& problem, const std::vector<Row>& rows, int unroll) {
  const int lanes = lanes_of(problem);
  std::int64_t total = 0;
  for (const Row& row : rows) total += std::max<std::int64_t>(1, static_cast<std::int64_t>(row.size()));
  total *= unroll;
  const std::int64_t capacity = static_cast<std::int64_t>(slot_limit(problem, abi::WeightsSparse)) * lanes * 15 / 16;
  const auto by_slots = static_cast<int>((total + capacity - 1) / capacity);
  int most_rows = std::max(lanes, RowShare / 2) / unroll;
  if (problem.most_channels > 0) most_rows = std::min(most_rows, problem.most_channels);
  const int by_rows = divide_up(static_cast<int>(rows.size()), std::max(1, most_rows));
  const int count = std::max({by_slots, by_rows, 1});
  std::vector<ChannelRange> chunks;
  std::int64_t taken = 0;
  int first = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    taken += std::max<std::int64_t>(1, static_cast<std::int64_t>(rows[i].size())) * unroll;
    const int next = static_cast<int>(i) + 1;
    const bool enough = taken * count >= total * static_cast<std::int64_t>(chunks.size() + 1);
    if (enough || next - first >= most_rows || next == static_cast<int>(rows.size())) {
      chunks.push_back({problem.piece.first + first, next - first});
      first = next;
    }
  }
  return chunks;
}

Stream dense_stream(const ChunkProblem& problem, ChannelRange chunk, const Pass& pass) {
  const int lanes = lanes_of(problem);
  const StepRows& rows = *problem.rows;
  const Window& window = rows.step().window;
  const int groups = divide_up(chunk.count, lanes);
  const int taps = rows.taps_per_row();
  Stream stream;
  stream.slots = stream.lower_bound = groups * taps;
  stream.rows.resize(product(groups, lanes));
  stream.scales.resize(product(groups, lanes));
  const int line_weights = static_cast<int>(problem.configuration.line_weights());
  const int lines = divide_up(stream.slots, line_weights);
  stream.bytes.resize(product(lines, abi::BeatBytes));
  for (int i = 0; i < chunk.count; ++i) {
    const int group = i / lanes;
    const int lane = i % lanes;
    stream.rows[static_cast<std::size_t>(i)] = row_of(problem, chunk.first + i, 0);
    stream.scales[static_cast<std::size_t>(i)] = rows.scale(chunk.first + i, pass);
    const auto weights = rows.dense_weights(chunk.first + i);
    for (int tap = 0; tap < taps; ++tap) {
      const int slot = group * taps + tap;
      const std::size_t line = product(slot / line_weights, abi::BeatBytes);
      stream.bytes[line + product(lane, line_weights) + static_cast<std::size_t>(slot % line_weights)] =
          static_cast<std::uint8_t>(weights[static_cast<std::size_t>(tap)]);
    }
  }
  stream.weights.format = static_cast<std::uint8_t>(abi::FormatDense);
  stream.weights.items = static_cast<std::uint32_t>(lines);
  abi::Command& command = stream.compute;
  command.weights = static_cast<std::uint8_t>(abi::WeightsDense);
  command.tap_count = {static_cast<std::uint16_t>(window.kernel_x), static_cast<std::uint16_t>(window.kernel_y),
                       static_cast<std::uint16_t>(rows.inputs_per_group())};
  command.tap_step = {static_cast<std::uint16_t>(window.dilation_x),
                      static_cast<std::uint16_t>(window.dilation_y * problem.views[0].row_pitch),
                      static_cast<std::uint16_t>(problem.views[0].plane_pitch)};
  command.tail_lanes = static_cast<std::uint8_t>(chunk.count - (groups - 1) * lanes);
  return stream;
}

Stream sparse_stream(const ChunkProblem& problem, ChannelRange chunk, const std::vector<Row>& rows, const Pass& pass,
                     const Stretch& stretch) {
  const int lanes = lanes_of(problem);
  const Schedule schedule = schedule_rows(unrolled(rows, stretch.unroll, problem.rows->step().window.stride_x), lanes);
  Stream stream;
  stream.slots = schedule.size();
  stream.lower_bound = schedule.lower_bound;
  stream.rows.resize(product(schedule.rows_per_lane(), lanes));
  stream.scales.resize(stream.rows.size());
  for (int lane = 0; lane < lanes; ++lane) {
    const auto& lane_rows = schedule.lane_rows[static_cast<std::size_t>(lane)];
    for (std::size_t j = 0; j < lane_rows.size(); ++j) {
      const int row = lane_rows[j];
      const std::size_t entry = j * static_cast<std::size_t>(lanes) + static_cast<std::size_t>(lane);
      const int channel = chunk.first + row / stretch.unroll;
      stream.rows[entry] = row_of(problem, channel, row % stretch.unroll);
      stream.scales[entry] = problem.rows->scale(channel, pass);
    }
  }
  stream.bytes.reserve(product(stream.slots, lanes) * 4);
  for (const auto& slot : schedule.slots) {
    for (const abi::Entry& entry : slot) {
      const std::uint32_t bits = abi::encode(entry);
      for (unsigned byte = 0; byte < 4; ++byte) stream.bytes.push_back(static_cast<std::uint8_t>(bits >> (8 * byte)));
    }
  }
  stream.weights.format = static_cast<std::uint8_t>(abi::FormatSparse);
  stream.weights.items = static_cast<std::uint32_t>(stream.slots);
  return stream;
}

SlotEstimate estimate_dense(const ChunkProblem& problem, int height, int width, int strips) {
  double slots = 0;
  for (const ChannelRange& chunk : split_dense(problem)) {
    slots += static_cast<double>(divide_up(chunk.count, lanes_of(problem))) * problem.rows->taps_per_row();
  }
  const double beats = slots * problem.configuration.lanes / abi::BeatBytes;
  return {std::max(slots * height * width, beats * strips), 1, beats};
}

SlotEstimate estimate_sparse(const ChunkProblem& problem, const std::vector<Row>& rows, int height, int width,
                             int strips) {
  const int lanes = lanes_of(problem);
  SlotEstimate best{std::numeric_limits<double>::infinity(), 1, 0};
  for (int unroll = 1; unroll <= std::min(MaxUnroll, width); ++unroll) {
    double cycles = 0;
    double beats = 0;
    for (const Stretch& stretch : stretches_of(0, width, unroll)) {
      for (const ChannelRange& chunk : split_sparse(problem, rows, unroll)) {
        std::vector<int> lengths;
        for (int i = 0; i < chunk.count * stretch.unroll; ++i) {
          const int row = chunk.first - problem.piece.first + i / stretch.unroll;
          lengths.push_back(static_cast<int>(rows[static_cast<std::size_t>(row)].size()));
        }
        const double slots = makespan(std::move(lengths), lanes);
        if (unroll > 1 && slots > slot_limit(problem, abi::WeightsSparse))
          cycles = std::numeric_limits<double>::infinity();
        const int passes = stretch.count / stretch.unroll;
        cycles += slots * height * passes;
        beats += slots * lanes * 4 / abi::BeatBytes;
      }
    }
    cycles = std::max(cycles, beats * strips);
    if (cycles < 0.995 * best.cycles) best = {cycles, unroll, beats};
  }
  return best;
}

}  // namespace espalier::compile
