// esp_vector_symbols
//   - symbols are read in order as long as their bits are there, and at most as many as there are products
//   - a product gets the weight of its value, and the byte and word of its column; at most two words are read
//   - a column beyond the last ends the row or the lane as the value says, and nothing behind it is read
//   - a gap of all ones only moves the column
//   - for every width of gap and value
#include <array>
#include <bit>

#include "Vesp_vector_symbols_p16_v4.h"
#include "Vesp_vector_symbols_p32_v2.h"
#include "Vesp_vector_symbols_p4_v1.h"
#include "Vesp_vector_symbols_p8_v4.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

struct Input {
  std::uint64_t window = 0;
  unsigned held = 0, gap_bits = 1, value_bits = 1, columns = 1, column = 0;
};

struct Product {
  unsigned weight = 0, byte = 0, word = 0;
};

struct Expected {
  unsigned used = 0, column = 0;
  bool over = false, last = false;
  std::vector<unsigned> words;
  std::array<Product, abi::VectorProducts> products{};
};

Input random_input(Random& random) {
  Input in;
  for (int i = 0; i < 8; ++i) in.window = in.window << 8 | static_cast<std::uint8_t>(random.byte());
  // Streaks of ones and zeros: gaps that pass, and columns close to each other.
  if (random.chance(0.3)) in.window |= in.window << 3 | in.window >> 5;
  if (random.chance(0.3)) in.window &= in.window << 2 & in.window >> 1;
  in.held = static_cast<unsigned>(random.between(0, 64));
  in.gap_bits = static_cast<unsigned>(random.between(1, 8));
  in.value_bits = static_cast<unsigned>(random.between(1, 5));
  if (in.value_bits == 5) in.value_bits = 8;
  in.columns =
      random.chance(0.1) ? abi::MostColumns : static_cast<unsigned>(random.between(1, 1 << random.between(0, 15)));
  in.column = static_cast<unsigned>(random.between(0, static_cast<int>(in.columns)));
  return in;
}

using Weights = std::array<std::uint8_t, 16>;

Expected read(const Input& in, const Weights& weights, unsigned pixels, unsigned products) {
  Expected out;
  out.column = in.column;
  const unsigned width = in.gap_bits + in.value_bits;
  for (unsigned i = 0; i < products && out.used + width <= in.held; ++i) {
    const auto symbol = static_cast<unsigned>(in.window << out.used >> (64 - width));
    const unsigned gap = symbol >> in.value_bits, value = symbol % (1U << in.value_bits);
    const unsigned column = out.column + gap;
    if (column >= in.columns) {
      out.used += width;
      out.column = 0;
      out.last = (value & 2U) == 0;
      out.over = (value & 3U) != 0;
      break;
    }
    const bool passes = gap == (1U << in.gap_bits) - 1;
    if (!passes) {
      unsigned word = 0;
      while (word < out.words.size() && out.words[word] != column / pixels) ++word;
      if (word == 2) break;
      if (word == out.words.size()) out.words.push_back(column / pixels);
      out.products[i] = {in.value_bits == 8 ? value : weights[value], column % pixels, word};
    }
    out.used += width;
    out.column = passes ? column : column + 1;
  }
  return out;
}

template <typename Top>
void run(unsigned pixels, unsigned products) {
  Random random(pixels);
  Bench<Top> bench(random);
  const auto byte_bits = static_cast<unsigned>(std::countr_zero(pixels));
  const unsigned product_bits = 9 + byte_bits, word_bits = 16 - byte_bits, words = products * product_bits;
  Weights weights{};
  for (int n = 0; n < 20000; ++n) {
    const Input in = random_input(random);
    put(bench->window_i, in.window);
    put(bench->held_i, in.held);
    put(bench->gap_bits_i, in.gap_bits);
    put(bench->value_bits_i, in.value_bits);
    for (unsigned i = 0; i < products; ++i) set(bench->end_i, i * 7, 7, (i + 1) * (in.gap_bits + in.value_bits));
    put(bench->columns_i, in.columns);
    // The next column, or the one before it and a step.
    const bool steps = in.column != 0 && random.chance(0.5);
    put(bench->column_i, in.column - (steps ? 1 : 0));
    bench->steps_i = steps;
    if (n % 50 == 0) {
      for (unsigned i = 0; i < weights.size(); ++i) {
        weights[i] = static_cast<std::uint8_t>(random.byte());
        bench->code_write_i = 1;
        put(bench->code_addr_i, i);
        put(bench->code_data_i, weights[i]);
        bench.clock();
      }
      bench->code_write_i = 0;
    }
    bench.settle();
    const Expected expected = read(in, weights, pixels, products);
    EXPECT_EQ(bench->reads_o, in.held >= in.gap_bits + in.value_bits);
    EXPECT_EQ(bench->used_o, expected.used);
    if (expected.used != 0) {
      EXPECT_EQ(bench->ends_o ? 0U : bench->column_o + bench->steps_o, expected.column);
    }
    EXPECT_EQ(bench->over_o, expected.over);
    for (unsigned i = 0; i < products; ++i) {
      const Product& product = expected.products[i];
      const unsigned bits = product.weight | product.byte << 8 | product.word << (8 + byte_bits);
      EXPECT_EQ(get(bench->slot_o, i * product_bits, product_bits), bits) << "product " << i;
    }
    for (unsigned w = 0; w < expected.words.size(); ++w) {
      EXPECT_EQ(get(bench->slot_o, words + w * word_bits, word_bits), expected.words[w]) << "word " << w;
    }
    EXPECT_EQ(get(bench->slot_o, words + 2 * word_bits, 2), (1U << expected.words.size()) - 1U);
    EXPECT_EQ(get(bench->slot_o, words + 2 * word_bits + 2, 1), expected.last ? 1U : 0U);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(VectorSymbols, ReadsWhatTheContractSays) {
  run<Vesp_vector_symbols_p4_v1>(4, 1);
  run<Vesp_vector_symbols_p8_v4>(8, 4);
  run<Vesp_vector_symbols_p16_v4>(16, 4);
  run<Vesp_vector_symbols_p32_v2>(32, 2);
}

}  // namespace
}  // namespace espalier::test
