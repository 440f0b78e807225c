// Codes for weight streams:
// - code lengths are those of Huffman's algorithm where the limit allows, fill the code space, and keep the limit;
// - streams of random slots, coded in every way, are read back by the contract's reader, for every number of lanes;
// - the same with one symbol, with all values, with gaps of any size and with rows that end everywhere;
// - bits are close to the entropy of the symbols; words that nobody reads are left out.
#include "compile/weight_code.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <queue>

#include "compile/huffman.hpp"
#include "esp_code.hpp"
#include "random.hpp"

namespace espalier::test {
namespace {

using compile::SymbolCounts;
using compile::WeightCode;

std::uint64_t coded_bits(const std::vector<std::uint64_t>& counts, const std::vector<unsigned>& lengths) {
  return std::inner_product(counts.begin(), counts.end(), lengths.begin(), std::uint64_t{0});
}

/// Bits of Huffman's algorithm: the sum of all pairs that it joins.
std::uint64_t huffman_bits(const std::vector<std::uint64_t>& counts) {
  std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> queue(counts.begin(), counts.end());
  std::uint64_t bits = 0;
  while (queue.size() > 1) {
    std::uint64_t sum = queue.top();
    queue.pop();
    sum += queue.top();
    queue.pop();
    queue.push(sum);
    bits += sum;
  }
  return bits;
}

double space(const std::vector<unsigned>& lengths) {
  double sum = 0;
  for (const unsigned length : lengths) sum += 1.0 / static_cast<double>(1U << length);
  return sum;
}

TEST(CodeLengths, AreOptimalWithinTheLimit) {
  for (int i = 0; i < 50; ++i) {
    Random random(static_cast<std::uint64_t>(i));
    std::vector<std::uint64_t> counts(static_cast<std::size_t>(random.between(2, 256)));
    for (auto& count : counts) count = static_cast<std::uint64_t>(random.between(1, 1 << random.between(0, 16)));
    const std::vector<unsigned> free = compile::code_lengths(counts, 32);
    EXPECT_EQ(coded_bits(counts, free), huffman_bits(counts));
    const std::vector<unsigned> limited = compile::code_lengths(counts, abi::CodeMaxLength);
    EXPECT_LE(*std::max_element(limited.begin(), limited.end()), abi::CodeMaxLength);
    EXPECT_GE(*std::min_element(limited.begin(), limited.end()), 1U);
    EXPECT_EQ(space(limited), 1.0);
  }
  EXPECT_EQ(compile::code_lengths(std::vector<std::uint64_t>{7}, 12), std::vector<unsigned>{1});
  EXPECT_EQ(compile::code_lengths(std::vector<std::uint64_t>(256, 3), 12), std::vector<unsigned>(256, 8));
  EXPECT_EQ(compile::code_lengths(std::vector<std::uint64_t>{1, 1, 2, 4}, 2), std::vector<unsigned>(4, 2));
}

struct StreamShape {
  std::size_t slots = 100;
  double idle = 0.1, last = 0.1;
  int most_gap = 40;
  int values = 256;
};

std::vector<abi::Entry> random_slots(Random& random, const StreamShape& shape, unsigned lanes) {
  std::vector<abi::Entry> entries(shape.slots * lanes);
  std::vector<std::uint16_t> address(lanes);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    abi::Entry& entry = entries[i];
    entry.valid = !random.chance(shape.idle);
    entry.last = random.chance(shape.last);
    std::uint16_t& at = address[i % lanes];
    const double share = random.unit();
    if (entry.valid) at = static_cast<std::uint16_t>(at + static_cast<int>(shape.most_gap * share * share * share));
    entry.offset = at;
    entry.weight = static_cast<std::int8_t>(entry.valid ? random.between(0, shape.values - 1) - 128 : 0);
  }
  return entries;
}

std::vector<WeightCode> codes_of(const SymbolCounts& counts) {
  std::vector<WeightCode> codes{compile::fixed_code(counts)};
  for (const bool values : {false, true}) {
    if (const auto code = compile::huffman_code(counts, values)) codes.push_back(*code);
  }
  return codes;
}

void check_code(const WeightCode& code, const std::vector<abi::Entry>& entries,
                const std::vector<compile::GapKey>& keys, unsigned lanes) {
  abi::CodeTable table;
  const std::vector<std::uint32_t> symbols = code.table();
  for (std::size_t i = 0; i < symbols.size(); ++i) {
    table.write(code.table_first() + static_cast<std::uint32_t>(i), symbols[i]);
  }
  std::vector<std::uint8_t> bytes = compile::encode_slots(code, entries, keys, lanes);
  EXPECT_LE(static_cast<double>(bytes.size()), code.bits / 8 + 4.0 * lanes * (abi::LaneWords + 1));
  bytes.resize((bytes.size() + abi::BeatBytes - 1) / abi::BeatBytes * abi::BeatBytes);
  abi::Command command;
  command.format = static_cast<std::uint8_t>(code.format);
  command.items = static_cast<std::uint32_t>(entries.size() / lanes);
  command.gap_bits = static_cast<std::uint8_t>(code.gap_bits);
  command.value_bits = static_cast<std::uint8_t>(code.value_bits);
  abi::CodeReader reader(command, bytes, table, lanes);
  std::vector<abi::Entry> slot(lanes);
  std::size_t read = 0;
  while (!reader.ended()) {
    if (!reader.round(slot).slot) continue;
    for (const abi::Entry& entry : slot) {
      ASSERT_LT(read, entries.size());
      ASSERT_EQ(abi::encode(entry), abi::encode(entries[read])) << "entry " << read;
      ++read;
    }
  }
  EXPECT_EQ(read, entries.size());
}

void check(const StreamShape& shape, std::uint64_t seed) {
  for (const unsigned lanes : {8U, 16U, 32U}) {
    Random random(seed);
    const std::vector<abi::Entry> entries = random_slots(random, shape, lanes);
    const std::vector<compile::GapKey> keys = compile::gap_keys(entries, lanes);
    SymbolCounts counts;
    counts.add(entries, keys);
    for (const WeightCode& code : codes_of(counts)) {
      SCOPED_TRACE("format " + std::to_string(code.format) + ", " + std::to_string(lanes) + " lanes");
      check_code(code, entries, keys, lanes);
      EXPECT_LE(code.symbols.size(), abi::CodeSymbols);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(WeightCode, RoundTripsStreamsOfEveryShape) {
  constexpr std::array<int, 5> Values{1, 2, 15, 100, 256};
  constexpr std::array<int, 4> Gaps{0, 3, 400, 65535};
  std::uint64_t seed = 0;
  for (const std::size_t slots : {1U, 2U, 70U}) {
    for (const double idle : {0.0, 0.3, 1.0}) {
      for (const double last : {0.0, 0.2, 1.0}) {
        for (const int values : Values) {
          for (const int gap : Gaps) {
            SCOPED_TRACE(std::to_string(slots) + " slots, idle " + std::to_string(idle) + ", last " +
                         std::to_string(last) + ", values " + std::to_string(values) + ", gaps to " +
                         std::to_string(gap));
            check({slots, idle, last, gap, values}, ++seed);
            if (HasFailure()) return;
          }
        }
      }
    }
  }
}

TEST(WeightCode, HuffmanIsCloseToTheEntropy) {
  Random random(1);
  const StreamShape shape{4000, 0.02, 0.02, 3000, 200};
  const std::vector<abi::Entry> entries = random_slots(random, shape, 16);
  const std::vector<compile::GapKey> keys = compile::gap_keys(entries, 16);
  SymbolCounts counts;
  counts.add(entries, keys);
  const auto code = compile::huffman_code(counts, true);
  ASSERT_TRUE(code);
  EXPECT_GE(code->bits, counts.entropy_bits());
  EXPECT_LE(code->bits, 1.03 * counts.entropy_bits());
}

}  // namespace
}  // namespace espalier::test
