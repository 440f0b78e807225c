#include "compile/chunks.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace espalier::compile {
namespace {

std::size_t product(int a, int b) { return static_cast<std::size_t>(a) * static_cast<std::size_t>(b); }

constexpr int MaxUnroll = 8;
constexpr int MoreChunks = 4, MoreSlowChunks = 8;

/// Entries of the row and scale tables that a chunk may use, so that the next one can be loaded meanwhile.
constexpr int TableShare = static_cast<int>(std::min(abi::RowDepth, abi::ScaleDepth)) / 2;

int lanes_of(const ChunkProblem& problem) { return static_cast<int>(problem.configuration.lanes); }
int split_of(const ChunkProblem& problem) { return problem.rows->command_split(); }

unsigned private_weights(const ChunkProblem& problem) {
  return split_of(problem) == 1 ? abi::WeightsSparse : abi::WeightsBlock;
}

/// Slots in half of the weight store.
int slot_limit(const ChunkProblem& problem, unsigned weights) {
  const abi::Configuration& configuration = problem.configuration;
  const auto split = static_cast<unsigned>(split_of(problem));
  return static_cast<int>(configuration.line_depth / 2 * configuration.line_slots(weights, split));
}

/// Whether entries are short if they can be: of a line that takes fewer beats then.
bool wants_short(const ChunkProblem& problem) {
  return split_of(problem) == 2 &&
         lanes_of(problem) * static_cast<int>(abi::EntryBits) / 8 > static_cast<int>(abi::BeatBytes);
}

/// Bytes of a slot with an entry per lane: beats of the weights, if any, and of the entries.
int private_slot_bytes(const ChunkProblem& problem, bool short_entries) {
  const int beat = static_cast<int>(abi::BeatBytes);
  const int entries = lanes_of(problem) * static_cast<int>(short_entries ? abi::ShortBits : abi::EntryBits) / 8;
  return split_of(problem) == 1 ? entries : beat + round_up(entries, beat);
}

/// Cycles of the weight unit for such a slot, if entries are as short as is wanted.
int private_slot_cycles(const ChunkProblem& problem) {
  return std::max(1, divide_up(private_slot_bytes(problem, wants_short(problem)), static_cast<int>(abi::BeatBytes)));
}

abi::Row row_of(const ChunkProblem& problem, int row, int step) {
  const int plane = problem.rows->output_plane(row) - problem.output_plane;
  return {static_cast<std::uint16_t>(plane * problem.output_pitch), static_cast<std::uint8_t>(step),
          static_cast<std::uint8_t>(problem.rows->variant(row))};
}

/// Fills the tables for the row that is entry `entry`.
void describe_row(const ChunkProblem& problem, Stream& stream, std::size_t entry, int row, int step, const Pass& pass) {
  const int channel = row * problem.rows->step().split();
  stream.rows[entry] = row_of(problem, row, step);
  for (int g = 0; g < split_of(problem); ++g) {
    stream.scales[entry * static_cast<std::size_t>(split_of(problem)) + static_cast<std::size_t>(g)] =
        problem.rows->scale(channel + g, pass);
  }
}

/// The fields of a compute command that say how its weights are read.
abi::Command compute_fields(const ChunkProblem& problem, unsigned weights) {
  abi::Command command;
  command.weights = static_cast<std::uint8_t>(weights);
  command.split = static_cast<std::uint8_t>(split_of(problem));
  if (problem.rows->broadcast()) command.flags = static_cast<std::uint8_t>(abi::FlagBroadcast);
  return command;
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

/// Entries of the rows of a range; an empty row takes one.
std::int64_t total_slots(const std::vector<Row>& rows, Range range) {
  std::int64_t total = 0;
  for (int i = range.first; i < range.first + range.count; ++i) {
    total += std::max<std::int64_t>(1, static_cast<std::int64_t>(rows[static_cast<std::size_t>(i)].size()));
  }
  return total;
}

/// Slots of the fullest lane if the rows of a range are computed `unroll` times, from their lengths alone.
int makespan(const std::vector<Row>& rows, Range range, int unroll, int lanes) {
  std::vector<int> lengths;
  lengths.reserve(static_cast<std::size_t>(range.count) * static_cast<std::size_t>(unroll));
  for (int i = range.first; i < range.first + range.count; ++i) {
    lengths.insert(lengths.end(), static_cast<std::size_t>(unroll),
                   static_cast<int>(rows[static_cast<std::size_t>(i)].size()));
  }
  std::sort(lengths.begin(), lengths.end(), std::greater<>());
  std::vector<int> heap(static_cast<std::size_t>(lanes), 0);  // least loaded lane first
  for (const int length : lengths) {
    std::pop_heap(heap.begin(), heap.end(), std::greater<>());
    heap.back() += std::max(length, 1);
    std::push_heap(heap.begin(), heap.end(), std::greater<>());
  }
  return *std::max_element(heap.begin(), heap.end());
}

/// Rows of a chunk, but for the last: multiples of `alignment`, of which those that count are multiples of `unit`.
struct Grain {
  int alignment = 1;
  int unit = 1;
  bool empty_rows = true;  // whether rows without taps count
};

/// Ranges of about equal work, of at most `most_rows` rows.
std::vector<Range> cut_evenly(const std::vector<Row>& rows, int unroll, int count, int most_rows, const Grain& grain) {
  const int end = static_cast<int>(rows.size());
  const std::int64_t total = total_slots(rows, {0, end}) * unroll;
  std::vector<Range> chunks;
  std::int64_t taken = 0;
  int first = 0, counted = 0;
  for (int i = 0; i < end; ++i) {
    taken += total_slots(rows, {i, 1}) * unroll;
    if (grain.empty_rows || !rows[static_cast<std::size_t>(i)].empty()) ++counted;
    const int size = i + 1 - first;
    const bool whole = size % grain.alignment == 0 && counted % grain.unit == 0;
    const bool enough = whole && taken * count >= total * static_cast<std::int64_t>(chunks.size() + 1);
    if (enough || size >= most_rows || i + 1 == end) {
      chunks.push_back({first, size});
      first = i + 1;
      counted = 0;
    }
  }
  return chunks;
}

}  // namespace

std::vector<Stretch> stretches_of(int x, int width, int unroll) {
  std::vector<Stretch> stretches;
  const int whole = width / unroll * unroll;
  if (whole > 0) stretches.push_back({x, whole, unroll});
  if (whole < width) stretches.push_back({x + whole, width - whole, width - whole});
  return stretches;
}

std::vector<Range> cut_dense(const ChunkProblem& problem) {
  const int lanes = lanes_of(problem);
  // A slow memory delays the first position of a chunk: less so if chunks are small.
  const int fitting = std::clamp(slot_limit(problem, abi::WeightsDense) / std::max(1, problem.rows->dense_slots()), 1,
                                 std::max(1, TableShare / lanes / std::max(4, split_of(problem))));
  const int groups = problem.beat_cycles > 1 ? 1 : fitting;
  const int unit = problem.rows->step().rows_per_group();
  std::vector<Range> chunks;
  for (int first = problem.piece.first; first < problem.piece.first + problem.piece.count;) {
    const int group_end = std::min((first / unit + 1) * unit, problem.piece.first + problem.piece.count);
    const int count = std::min(groups * lanes, group_end - first);
    chunks.push_back({first, count});
    first += count;
  }
  return chunks;
}

std::vector<Range> cut_private(const ChunkProblem& problem, const std::vector<Row>& rows, int unroll) {
  const int lanes = lanes_of(problem);
  const std::int64_t total = total_slots(rows, {0, static_cast<int>(rows.size())}) * unroll;
  const std::int64_t capacity = static_cast<std::int64_t>(slot_limit(problem, private_weights(problem))) * lanes;
  const auto by_slots = static_cast<int>((total * 16 + capacity * 15 - 1) / (capacity * 15));
  int most_rows = std::max(lanes, TableShare / 2 / split_of(problem)) / unroll;
  if (problem.most_rows > 0) most_rows = std::min(most_rows, problem.most_rows);
  // Rows that share an output plane stay together, so that a plane is stored once.
  const int alignment = std::min(problem.rows->alignment(), std::max(1, most_rows));
  most_rows = std::max(1, most_rows / alignment * alignment);
  const int by_rows = divide_up(static_cast<int>(rows.size()), most_rows);
  const int least = std::clamp(std::max(by_slots, by_rows), 1, static_cast<int>(rows.size()));
  std::vector<Range> best;
  std::int64_t best_cycles = std::numeric_limits<std::int64_t>::max() / 200;
  // Slots of segments are not coded: the lanes wait for the first chunk, so that chunks had better be small.
  const std::int64_t wait = split_of(problem) == 1 ? 0 : private_slot_cycles(problem) - 1;
  const std::int64_t positions = wait == 0 ? 1 : std::max(1, problem.rows->step().tiling.positions() / unroll);
  const int most = std::min(least + (wait == 0 ? MoreChunks : MoreSlowChunks), static_cast<int>(rows.size()));
  // A lane has whole rows only: chunks of as many for every lane, or a few chunks more, may fill the lanes better.
  const int row_lanes = lanes / std::gcd(lanes, unroll);
  std::vector<Grain> grains{{alignment, alignment}, {alignment, std::lcm(alignment, row_lanes)}};
  if (std::any_of(rows.begin(), rows.end(), [](const Row& row) { return row.empty(); })) {
    grains.push_back({alignment, row_lanes, false});
  }
  const int fitting = 2 * slot_limit(problem, private_weights(problem));
  for (int count = least; count <= most; ++count) {
    for (const Grain& grain : grains) {
      if (grain.unit > most_rows) continue;
      const int limit = grain.empty_rows ? most_rows / grain.unit * grain.unit : most_rows;
      std::vector<Range> chunks = cut_evenly(rows, unroll, count, limit, grain);
      std::int64_t cycles = wait * makespan(rows, chunks.front(), unroll, lanes);
      bool fits = true;
      for (const Range& chunk : chunks) {
        const int slots = makespan(rows, chunk, unroll, lanes);
        fits = fits && slots <= fitting;
        cycles += positions * slots;
      }
      if (!fits && !grain.empty_rows) continue;
      if (cycles * 200 >= best_cycles * 199 && !best.empty()) continue;
      best = std::move(chunks);
      best_cycles = cycles;
    }
    if (best_cycles * lanes * 100 <= total * positions * 101) break;
  }
  for (Range& chunk : best) chunk.first += problem.piece.first;
  return best;
}

Stream dense_stream(const ChunkProblem& problem, Range chunk, const Pass& pass) {
  const int lanes = lanes_of(problem);
  const int split = split_of(problem);
  const StepRows& rows = *problem.rows;
  const Window& window = rows.step().window;
  const int groups = divide_up(chunk.count, lanes);
  const int row_slots = rows.dense_slots();
  const int line_weights = static_cast<int>(problem.configuration.line_weights());
  const int line_slots = line_weights / split;
  Stream stream;
  stream.slots = stream.lower_bound = groups * row_slots;
  stream.rows.resize(product(groups, lanes));
  stream.scales.resize(product(groups * split, lanes));
  const int lines = divide_up(stream.slots, line_slots);
  stream.bytes.resize(product(lines, abi::BeatBytes));
  for (int i = 0; i < chunk.count; ++i) {
    const int row = chunk.first + i;
    describe_row(problem, stream, static_cast<std::size_t>(i), row, 0, pass);
    const std::size_t lane = product(i % lanes, line_weights);
    for (int g = 0; g < split; ++g) {
      const auto weights = rows.dense_weights(row * split + g);
      for (int tap = 0; tap < row_slots; ++tap) {
        const int slot = i / lanes * row_slots + tap;
        const std::size_t line = product(slot / line_slots, abi::BeatBytes);
        stream.bytes[line + lane + static_cast<std::size_t>(slot % line_slots * split + g)] =
            static_cast<std::uint8_t>(weights[static_cast<std::size_t>(tap)]);
      }
    }
  }
  stream.weights.format = static_cast<std::uint8_t>(abi::FormatDense);
  stream.weights.items = static_cast<std::uint32_t>(lines);
  abi::Command& command = stream.compute = compute_fields(problem, abi::WeightsDense);
  command.tap_count = {static_cast<std::uint16_t>(window.kernel_x), static_cast<std::uint16_t>(window.kernel_y),
                       static_cast<std::uint16_t>(rows.step().planes_per_group())};
  command.tap_step = {static_cast<std::uint16_t>(window.dilation_x),
                      static_cast<std::uint16_t>(window.dilation_y * problem.views[0].row_pitch),
                      static_cast<std::uint16_t>(problem.views[0].plane_pitch)};
  command.tail_lanes = static_cast<std::uint8_t>(chunk.count - (groups - 1) * lanes);
  return stream;
}

Stream private_stream(const ChunkProblem& problem, Range chunk, const std::vector<Row>& rows, const Pass& pass,
                      const Stretch& stretch) {
  const int lanes = lanes_of(problem);
  const int split = split_of(problem);
  const Schedule schedule = schedule_rows(unrolled(rows, stretch.unroll, problem.rows->step().window.stride_x), lanes);
  const unsigned weights = private_weights(problem);
  const bool block = weights == abi::WeightsBlock;
  Stream stream;
  stream.slots = schedule.size();
  stream.lower_bound = schedule.lower_bound;
  stream.rows.resize(product(schedule.rows_per_lane(), lanes));
  stream.scales.resize(stream.rows.size() * static_cast<std::size_t>(split));
  const auto fits = [](const ScheduledEntry& entry) { return abi::fits_short(entry); };
  const bool short_entries = wants_short(problem) &&
                             std::all_of(schedule.slots.begin(), schedule.slots.end(),
                                         [&](const auto& slot) { return std::all_of(slot.begin(), slot.end(), fits); });
  const unsigned entry_bytes = (short_entries ? abi::ShortBits : abi::EntryBits) / 8;
  const std::size_t slot_bytes = static_cast<std::size_t>(private_slot_bytes(problem, short_entries));
  const std::size_t entries_at = block ? abi::BeatBytes : 0;
  stream.bytes.resize(schedule.slots.size() * slot_bytes);
  for (int lane = 0; lane < lanes; ++lane) {
    const auto& lane_rows = schedule.lane_rows[static_cast<std::size_t>(lane)];
    std::size_t j = 0;
    for (std::size_t slot = 0; slot < schedule.slots.size() && j < lane_rows.size(); ++slot) {
      ScheduledEntry entry = schedule.slots[slot][static_cast<std::size_t>(lane)];
      const int row = chunk.first + lane_rows[j] / stretch.unroll;
      if (block && entry.valid) {
        const std::size_t at =
            slot * slot_bytes + product(lane, static_cast<int>(problem.configuration.line_weights()));
        for (int g = 0; g < split; ++g) {
          stream.bytes[at + static_cast<std::size_t>(g)] =
              static_cast<std::uint8_t>(problem.rows->weight(row * split + g, entry.index));
        }
        entry.weight = 0;
      }
      const std::uint32_t bits = short_entries ? abi::encode_short(entry) : abi::encode(entry);
      const std::size_t at = slot * slot_bytes + entries_at + product(lane, static_cast<int>(entry_bytes));
      for (unsigned byte = 0; byte < entry_bytes; ++byte)
        stream.bytes[at + byte] = static_cast<std::uint8_t>(bits >> (8 * byte));
      if (!entry.last) continue;
      describe_row(problem, stream, j * static_cast<std::size_t>(lanes) + static_cast<std::size_t>(lane), row,
                   lane_rows[j] % stretch.unroll, pass);
      ++j;
    }
  }
  stream.weights.format = static_cast<std::uint8_t>(block ? abi::FormatBlock : abi::FormatSparse);
  if (short_entries) stream.weights.gap_bits = static_cast<std::uint8_t>(abi::ShortBits);
  stream.weights.items = static_cast<std::uint32_t>(stream.slots);
  stream.compute = compute_fields(problem, weights);
  return stream;
}

SlotEstimate estimate_dense(const ChunkProblem& problem, int height, int width, int strips) {
  double slots = 0;
  for (const Range& chunk : cut_dense(problem)) {
    slots += static_cast<double>(divide_up(chunk.count, lanes_of(problem))) * problem.rows->dense_slots();
  }
  const double beats = slots * split_of(problem) / problem.configuration.line_weights();
  const double issued = slots * height * width;
  return {std::max(issued, beats * strips * problem.beat_cycles), 1, beats, issued};
}

SlotEstimate estimate_private(const ChunkProblem& problem, const std::vector<Row>& rows, int height, int width,
                              int strips) {
  const int lanes = lanes_of(problem);
  SlotEstimate best{std::numeric_limits<double>::infinity(), 1, 0, 0};
  for (int unroll = 1; unroll <= std::min(MaxUnroll, width); ++unroll) {
    double cycles = 0;
    double beats = 0;
    double stream = 0;  // cycles of the weight unit
    for (const Stretch& stretch : stretches_of(0, width, unroll)) {
      for (const Range& chunk : cut_private(problem, rows, unroll)) {
        const Range local{chunk.first - problem.piece.first, chunk.count};
        const double slots = makespan(rows, local, stretch.unroll, lanes);
        if (unroll > 1 && slots > slot_limit(problem, private_weights(problem)))
          cycles = std::numeric_limits<double>::infinity();
        const int passes = stretch.count / stretch.unroll;
        cycles += slots * height * passes;
        beats += slots * private_slot_bytes(problem, wants_short(problem)) / abi::BeatBytes;
        stream += slots * private_slot_cycles(problem);
      }
    }
    const double issued = cycles;
    cycles = std::max(cycles, std::max(stream, beats * problem.beat_cycles) * strips);
    if (cycles < 0.995 * best.cycles) best = {cycles, unroll, beats, issued};
  }
  return best;
}

}  // namespace espalier::compile
