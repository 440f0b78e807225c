// What command lists compute on the machine without a clock:
//   - sparse rows of every operation give the definition of the contract, on every array size
//   - dense slots count their offsets and leave the tail lanes idle
//   - a split word has a weight and a scale for each segment
//   - results follow the write program: chains, drops, permutations with keep, copy and fill
//   - addresses wrap at the end of the scratchpad; planes are strided in memory and scratchpad
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "driver/list_builder.hpp"
#include "esp_arithmetic.hpp"
#include "functional/functional_bus.hpp"
#include "kernel_sizes.hpp"
#include "random.hpp"

namespace espalier {
namespace {

using functional::FunctionalBus;
using test::ListBuilder;
using test::Random;

std::vector<std::uint8_t> random_bytes(Random& random, std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.byte());
  return bytes;
}

std::vector<std::uint8_t> identity(unsigned pixels) {
  std::vector<std::uint8_t> bytes(pixels);
  for (unsigned p = 0; p < pixels; ++p) {
    bytes[p] = static_cast<std::uint8_t>(p | abi::PermuteCopy << abi::PermuteModeLsb);
  }
  return bytes;
}

/// A chunk of `rows` random rows per lane over a grid of positions, written out as [position][row][lane].
struct Chunk {
  unsigned lanes, pixels, rows, slots;
  std::vector<abi::Entry> entries;  // [slot][lane]
  std::vector<abi::Row> table;
  std::vector<abi::ScaleEntry> scales;
  std::vector<abi::ProgramEntry> program;
  abi::Command command;
};

/// The next lane's offset in a slot: `wanted`, or that of the lane of its group that reads the same bank.
std::uint16_t free_offset(const Chunk& chunk, unsigned slot, std::uint16_t wanted) {
  const std::size_t lane = chunk.entries.size() - std::size_t{slot} * chunk.lanes;
  for (std::size_t back = lane % abi::LanesPerPort; back > 0; --back) {
    const std::uint16_t offset = (chunk.entries.end() - static_cast<std::ptrdiff_t>(back))->offset;
    if (offset % abi::Banks == wanted % abi::Banks) return offset;
  }
  return wanted;
}

Chunk random_chunk(Random& random, const abi::Configuration& array, unsigned operation, unsigned input_words) {
  Chunk chunk{array.lanes, array.pixels, static_cast<unsigned>(random.between(1, 4)), 0, {}, {}, {}, {}, {}};
  const unsigned length = static_cast<unsigned>(random.between(1, 9));
  chunk.slots = chunk.rows * length;
  for (unsigned slot = 0; slot < chunk.slots; ++slot) {
    for (unsigned lane = 0; lane < chunk.lanes; ++lane) {
      abi::Entry entry;
      entry.weight = operation == abi::OperationAdd ? std::int8_t{1} : random.byte();
      entry.offset = free_offset(chunk, slot, static_cast<std::uint16_t>(random.between(0, 40)));
      entry.valid = random.chance(0.7);
      entry.last = slot % length == length - 1;
      chunk.entries.push_back(entry);
    }
  }
  abi::Command& c = chunk.command;
  c.opcode = abi::OpCompute;
  c.slots = chunk.slots;
  c.count_x = static_cast<std::uint16_t>(random.between(1, 3));
  c.count_y = static_cast<std::uint16_t>(random.between(1, 3));
  c.step_x = 1;
  c.step_y = static_cast<std::uint16_t>(random.between(3, 20));
  c.operation = static_cast<std::uint8_t>(operation);
  c.zero = random.byte();
  c.low = static_cast<std::int8_t>(random.between(-128, 0));
  c.high = static_cast<std::int8_t>(random.between(0, 127));
  c.output = static_cast<std::uint16_t>(input_words);
  for (unsigned row = 0; row < chunk.rows * chunk.lanes; ++row) {
    chunk.table.push_back({static_cast<std::uint16_t>(row), 0, 0});
    abi::ScaleEntry scale;
    scale.bias = random.between(-5000, 5000);
    scale.multiplier = static_cast<std::uint32_t>(random.between(1 << 22, (1 << 24) - 1));
    scale.shift = static_cast<std::uint8_t>(random.between(24, 34));
    chunk.scales.push_back(scale);
  }
  for (unsigned n = 0; n < unsigned{c.count_x} * c.count_y; ++n) {
    abi::ProgramEntry entry;
    entry.offset = static_cast<std::uint16_t>(n * chunk.rows * chunk.lanes);
    chunk.program.push_back(entry);
  }
  return chunk;
}

/// The definition: one result pixel row of a lane, straight from the contract.
std::vector<std::int8_t> expected_word(const Chunk& chunk, unsigned position, unsigned row, unsigned lane,
                                       std::span<const std::uint8_t> input) {
  const abi::Command& c = chunk.command;
  const unsigned length = chunk.slots / chunk.rows;
  const unsigned base = position % c.count_x * c.step_x + position / c.count_x * c.step_y;
  const bool maximum = c.operation == abi::OperationMax || c.operation == abi::OperationMaxReduce;
  std::vector<std::int32_t> acc(chunk.pixels, maximum ? -128 : 0);
  for (unsigned slot = row * length; slot < (row + 1) * length; ++slot) {
    const abi::Entry& entry = chunk.entries[slot * chunk.lanes + lane];
    if (!entry.valid) continue;
    for (unsigned p = 0; p < chunk.pixels; ++p) {
      const auto a = static_cast<std::int8_t>(input[(base + entry.offset) * chunk.pixels + p]);
      acc[p] = maximum ? std::max<std::int32_t>(acc[p], a) : acc[p] + a * entry.weight;
    }
  }
  if (c.operation == abi::OperationMacReduce) acc.assign(acc.size(), std::accumulate(acc.begin(), acc.end(), 0));
  if (c.operation == abi::OperationMaxReduce) acc.assign(acc.size(), *std::max_element(acc.begin(), acc.end()));
  const abi::ScaleEntry& scale = chunk.scales[row * chunk.lanes + lane];
  std::vector<std::int8_t> word;
  for (const std::int32_t value : acc) {
    word.push_back(abi::requantise(value + scale.bias, scale.multiplier, scale.shift, c.zero, c.low, c.high));
  }
  return word;
}

class Compute : public ::testing::TestWithParam<abi::Configuration> {};

TEST_P(Compute, RandomSparseRowsGiveTheDefinition) {
  const abi::Configuration array = GetParam();
  FunctionalBus bus(test::make_sized_core(array));
  driver::Device device(bus);
  for (unsigned index = 0; index < 60; ++index) {
    Random random(index);
    const unsigned operation =
        std::array{abi::OperationMac, abi::OperationMax, abi::OperationMacReduce, abi::OperationMaxReduce}[index % 4];
    const unsigned input_beats = 128 / array.words_per_beat();
    const Chunk chunk = random_chunk(random, array, operation, 128);
    const unsigned results = chunk.rows * chunk.lanes * chunk.command.count_x * chunk.command.count_y;
    ListBuilder list;
    list.transfer(abi::OpLoad, abi::WindowInput, input_beats, 0);
    list.table<abi::Row>(abi::FormatRow, chunk.table);
    list.table<abi::ScaleEntry>(abi::FormatScale, chunk.scales);
    list.table<abi::ProgramEntry>(abi::FormatProgram, chunk.program);
    list.permutations(identity(array.pixels), array.pixels);
    list.sparse(chunk.entries, array.lanes);
    list.add(chunk.command);
    list.transfer(abi::OpStore, abi::WindowOutput, results / array.words_per_beat(), 128);
    const auto input = random_bytes(random, 128 * array.pixels);
    const auto result = device.run({list.build(input.size(), results * array.pixels), input, {}});
    unsigned wrong = 0;
    for (unsigned n = 0; n < results; ++n) {
      const unsigned lane = n % chunk.lanes;
      const unsigned row = n / chunk.lanes % chunk.rows;
      const auto expected = expected_word(chunk, n / chunk.lanes / chunk.rows, row, lane, input);
      for (unsigned p = 0; p < array.pixels && wrong < 8; ++p) {
        const auto actual = static_cast<std::int8_t>(result.output[n * array.pixels + p]);
        if (actual == expected[p]) continue;
        ++wrong;
        ADD_FAILURE() << "result " << n << " pixel " << p << ": expected " << int{expected[p]} << ", got "
                      << int{actual};
      }
    }
    const auto valid = std::count_if(chunk.entries.begin(), chunk.entries.end(), [](auto& e) { return e.valid; });
    EXPECT_EQ(result.counters.macs, valid * chunk.command.count_x * chunk.command.count_y);
  }
}

TEST_P(Compute, AddSeparatesItsOperandsAndRoundsOnce) {
  const abi::Configuration array = GetParam();
  FunctionalBus bus(test::make_sized_core(array));
  driver::Device device(bus);
  Random random;
  // Word 0 and 1 are the operands of lane 0; the other lanes have no row.
  std::vector<abi::Entry> entries(3 * array.lanes);
  entries[0] = {1, 0, true, false};
  entries[array.lanes] = {-128, 1, true, false};
  entries[2 * array.lanes] = {-128, 1, true, true};
  abi::Command add;
  add.opcode = abi::OpCompute;
  add.slots = 3;
  add.count_x = add.count_y = 1;
  add.operation = abi::OperationAdd;
  add.zero = 3;
  add.zero_a = -5;
  add.zero_b = 7;
  add.multiplier_b = 9876543;
  add.output = 64;
  ListBuilder list;
  list.transfer(abi::OpLoad, abi::WindowInput, 1, 0);
  list.table<abi::Row>(abi::FormatRow, std::vector<abi::Row>(1));
  list.table<abi::ScaleEntry>(abi::FormatScale, std::vector<abi::ScaleEntry>{{0, 12345678, 25}});
  list.table<abi::ProgramEntry>(abi::FormatProgram, std::vector<abi::ProgramEntry>(1));
  list.permutations(identity(array.pixels), array.pixels);
  list.sparse(entries, array.lanes);
  list.add(add);
  list.transfer(abi::OpStore, abi::WindowOutput, 1, 64);
  const auto input = random_bytes(random, 64);
  const auto result = device.run({list.build(64, 64), input, {}});
  for (unsigned p = 0; p < array.pixels; ++p) {
    const auto a = static_cast<std::int8_t>(input[p]);
    const auto b = static_cast<std::int8_t>(input[array.pixels + p]);
    EXPECT_EQ(static_cast<std::int8_t>(result.output[p]),
              abi::residual_add(a, b, -5, 7, 12345678, 9876543, 25, 3, -128, 127))
        << "pixel " << p;
  }
}

TEST_P(Compute, DenseSlotsCountOffsetsAndStopAtTheTail) {
  const abi::Configuration array = GetParam();
  FunctionalBus bus(test::make_sized_core(array));
  driver::Device device(bus);
  Random random;
  // Two rows per lane of 2 x 3 x 2 taps; the second uses 3 lanes. Rows end inside a line.
  constexpr unsigned Taps = 12;
  const unsigned per_line = array.line_weights();
  abi::Command dense;
  dense.format = abi::FormatDense;
  dense.items = (2 * Taps + per_line - 1) / per_line;
  const auto weights = random_bytes(random, dense.items * std::size_t{abi::BeatBytes});
  std::vector<abi::Row> rows(2 * array.lanes);
  std::vector<abi::ScaleEntry> scales(2 * array.lanes);
  for (unsigned i = 0; i < rows.size(); ++i) {
    rows[i].output = static_cast<std::uint16_t>(i);
    scales[i] = {static_cast<std::int32_t>(i), 1 << 23, 32};
  }
  abi::Command compute;
  compute.opcode = abi::OpCompute;
  compute.weights = abi::WeightsDense;
  compute.address = 2;
  compute.slots = 2 * Taps;
  compute.count_x = compute.count_y = 1;
  compute.tap_count = {2, 3, 2};
  compute.tap_step = {1, 5, 17};
  compute.tail_lanes = 3;
  compute.output = 64;
  ListBuilder list;
  const unsigned beats = 64 / array.words_per_beat();
  list.transfer(abi::OpLoad, abi::WindowInput, beats, 0);
  list.transfer(abi::OpLoad, abi::WindowInput, beats, 64);  // what no result overwrites
  list.table<abi::Row>(abi::FormatRow, rows);
  list.table<abi::ScaleEntry>(abi::FormatScale, scales);
  list.table<abi::ProgramEntry>(abi::FormatProgram, std::vector<abi::ProgramEntry>(1));
  list.permutations(identity(array.pixels), array.pixels);
  list.weight(dense, weights);
  list.add(compute);
  list.transfer(abi::OpStore, abi::WindowOutput, beats, 64);
  const auto input = random_bytes(random, 64 * array.pixels);
  const auto result = device.run({list.build(input.size(), input.size()), input, {}});
  EXPECT_EQ(result.counters.macs, Taps * (array.lanes + 3));
  for (unsigned row = 0; row < 64; ++row) {
    for (unsigned p = 0; p < array.pixels; ++p) {
      std::int32_t acc = static_cast<std::int32_t>(row);
      for (unsigned tap = 0; tap < Taps && row < array.lanes + 3; ++tap) {
        const unsigned word = 2 + tap % 2 + tap / 2 % 3 * 5 + tap / 6 * 17;
        const unsigned slot = row / array.lanes * Taps + tap;
        const unsigned weight = slot / per_line * 64 + row % array.lanes * per_line + slot % per_line;
        acc += static_cast<std::int8_t>(weights[weight]) * static_cast<std::int8_t>(input[word * array.pixels + p]);
      }
      const std::int8_t expected = row < array.lanes + 3 ? abi::requantise(acc, 1 << 23, 32, 0, -128, 127)
                                                         : static_cast<std::int8_t>(input[row * array.pixels + p]);
      ASSERT_EQ(static_cast<std::int8_t>(result.output[row * array.pixels + p]), expected) << row << " " << p;
    }
  }
}

// A word of s channels times s weights, with one segment of the word given to all of them and without; every segment
// has its own scale, and the row adds to the permutation.
TEST_P(Compute, SplitWordsHaveAWeightAndAScalePerSegment) {
  const abi::Configuration array = GetParam();
  FunctionalBus bus(test::make_sized_core(array));
  driver::Device device(bus);
  for (unsigned split = 1; split <= array.max_split(); split *= 2) {
    for (const unsigned segment : {0U, 1U, split - 1, split}) {  // split: no broadcast
      if (segment > split) continue;
      Random random(split * 16 + segment);
      abi::Command block;
      block.format = abi::FormatBlock;
      block.items = 1;
      std::vector<std::uint8_t> line = random_bytes(random, 64);
      line.resize(64 + std::max(64U, array.lanes * 4));
      const abi::Entry entry{0, 1, true, true, static_cast<std::uint8_t>(segment % split)};
      abi::set_bits(std::span(line).subspan(64 + 2 * 4), 0, 32, abi::encode(entry));  // lane 2
      std::vector<abi::ScaleEntry> scales(3 * split);
      for (unsigned g = 0; g < split; ++g) scales[2 * split + g] = {static_cast<std::int32_t>(g * 100), 1 << 23, 30};
      abi::Command compute;
      compute.opcode = abi::OpCompute;
      compute.weights = abi::WeightsBlock;
      compute.split = static_cast<std::uint8_t>(split);
      compute.flags = segment < split ? abi::FlagBroadcast : 0;
      compute.slots = compute.count_x = compute.count_y = 1;
      compute.output = 16;
      std::vector<std::uint8_t> permutations(3 * array.pixels, 0);
      const auto copy = identity(array.pixels);
      std::copy(copy.begin(), copy.end(), permutations.begin() + 2 * array.pixels);
      ListBuilder list;
      list.transfer(abi::OpLoad, abi::WindowInput, 1, 0);
      list.table<abi::Row>(abi::FormatRow, std::vector<abi::Row>{{}, {}, {0, 0, 3}});
      list.table<abi::ScaleEntry>(abi::FormatScale, scales);
      list.table<abi::ProgramEntry>(abi::FormatProgram, std::vector<abi::ProgramEntry>{{0, 255, false, 0}});
      list.permutations(permutations, array.pixels);
      list.weight(block, line);
      list.add(compute);
      list.transfer(abi::OpStore, abi::WindowOutput, 1, 16);
      const auto input = random_bytes(random, 64);
      const auto result = device.run({list.build(64, 64), input, {}});
      EXPECT_EQ(result.counters.macs, 1U);
      const unsigned length = array.pixels / split;
      for (unsigned p = 0; p < array.pixels; ++p) {
        const unsigned source = segment < split ? segment * length + p % length : p;
        const int a = static_cast<std::int8_t>(input[array.pixels + source]);
        const int w = static_cast<std::int8_t>(line[2 * array.line_weights() + p / length]);
        const auto bias = static_cast<std::int32_t>(p / length * 100);
        ASSERT_EQ(static_cast<std::int8_t>(result.output[p]), abi::requantise(a * w + bias, 1 << 23, 30, 0, -128, 127))
            << "split " << split << " segment " << segment << " pixel " << p;
      }
    }
  }
}

TEST_P(Compute, WriteProgramChainsDropsAndPermutes) {
  const abi::Configuration array = GetParam();
  FunctionalBus bus(test::make_sized_core(array));
  driver::Device device(bus);
  const unsigned pixels = array.pixels;
  // Entry 0 drops and goes on to 5, which rotates the word; 6 copies two bytes and fills one.
  std::vector<abi::ProgramEntry> program(7);
  program[0] = {0, 0, true, 5};
  program[5] = {1, 0, false, 6};
  program[6] = {2, 1, false, 0};
  std::vector<std::uint8_t> permutations(2 * pixels, 0);
  for (unsigned p = 0; p < pixels; ++p) permutations[p] = static_cast<std::uint8_t>((p + 1) % pixels | 64);
  permutations[pixels] = 3 | abi::PermuteCopy << abi::PermuteModeLsb;
  permutations[pixels + 1] = abi::PermuteFill << abi::PermuteModeLsb;
  permutations[pixels + 4] = 0 | abi::PermuteCopy << abi::PermuteModeLsb;
  std::vector<abi::Entry> entries(array.lanes);
  entries[0] = {1, 0, true, true};
  abi::Command compute;
  compute.opcode = abi::OpCompute;
  compute.slots = 1;
  compute.count_x = compute.count_y = 1;
  compute.output = 16;
  compute.fill = -77;
  ListBuilder list;
  list.transfer(abi::OpLoad, abi::WindowInput, 1, 0);
  list.table<abi::Row>(abi::FormatRow, std::vector<abi::Row>(1));
  list.table<abi::ScaleEntry>(abi::FormatScale, std::vector<abi::ScaleEntry>{{0, 1, 0}});
  list.table<abi::ProgramEntry>(abi::FormatProgram, program);
  list.permutations(permutations, pixels);
  list.sparse(entries, array.lanes);
  list.transfer(abi::OpLoad, abi::WindowArena, 2, 16);  // zeros
  list.add(compute);
  list.transfer(abi::OpStore, abi::WindowOutput, 2, 16);
  Random random;
  const auto input = random_bytes(random, 64);
  const auto result = device.run({list.build(64, 128, 128), input, {}});
  std::vector<std::uint8_t> expected(128, 0);
  for (unsigned p = 0; p < pixels; ++p) expected[pixels + p] = input[(p + 1) % pixels];
  expected[2 * pixels] = input[3];
  expected[2 * pixels + 1] = static_cast<std::uint8_t>(-77);
  expected[2 * pixels + 4] = input[0];
  EXPECT_EQ(result.output, expected);
}

TEST_P(Compute, PlanesAreStridedAndAddressesWrap) {
  const abi::Configuration array = GetParam();
  FunctionalBus bus(test::make_sized_core(array));
  driver::Device device(bus);
  abi::Command load;
  load.opcode = abi::OpLoad;
  load.window = abi::WindowInput;
  load.offset = 1;
  load.run = 2;
  load.pitch = 3;
  load.planes = 2;
  load.address = static_cast<std::uint16_t>(array.scratch_words() - array.words_per_beat());  // wraps in plane 0
  load.word_pitch = static_cast<std::uint16_t>(4 * array.words_per_beat());
  ListBuilder list;
  list.add(load);
  list.transfer(abi::OpStore, abi::WindowOutput, 6, load.address);
  Random random;
  const auto input = random_bytes(random, 7 * 64);
  const auto result = device.run({list.build(input.size(), 6 * 64), input, {}});
  for (const unsigned beat : {0U, 1U, 4U, 5U}) {
    const unsigned source = beat < 2 ? 1 + beat : beat;
    EXPECT_TRUE(
        std::equal(input.begin() + source * 64, input.begin() + (source + 1) * 64, result.output.begin() + beat * 64))
        << "beat " << beat;
  }
  EXPECT_EQ(result.counters.read_beats, 4U + 2U);
  EXPECT_EQ(result.counters.write_beats, 6U);
}

INSTANTIATE_TEST_SUITE_P(Arrays, Compute,
                         ::testing::Values(abi::Array8x8, abi::Array16x16, abi::Array32x32,
                                           abi::Configuration{16, 8, 64, 100}),
                         [](const auto& info) {
                           return std::to_string(info.param.lanes) + "x" + std::to_string(info.param.pixels);
                         });

}  // namespace
}  // namespace espalier
