// esp_ram and esp_scratch_bank
//   - a read gives the last value written to its address, one cycle later
//   - the output holds while there is no read
//   - byte enables write the enabled bytes only; both ports of a bank read at once
//   - every address is reached: first, last and random
#include "Vesp_ram_w128_d2048.h"
#include "Vesp_ram_w1_d2.h"
#include "Vesp_ram_w37_d5.h"
#include "Vesp_scratch_bank_b16_r4096.h"
#include "Vesp_scratch_bank_b1_r2.h"
#include "Vesp_scratch_bank_b3_r7.h"
#include "Vesp_scratch_bank_b8_r1024.h"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

using Word = std::vector<std::uint8_t>;

Word random_word(Random& random, unsigned width) {
  Word word = random_bytes(random, (width + 7) / 8);
  if (width % 8 != 0) word.back() = static_cast<std::uint8_t>(word.back() & ((1U << (width % 8)) - 1));
  return word;
}

template <typename Top>
void run_ram(unsigned width, unsigned depth) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(depth);
    Bench<Top> bench(random);
    std::vector<Word> memory;
    bench->read_i = 0;
    bench->write_i = 1;
    for (unsigned address = 0; address < depth; ++address) {
      memory.push_back(random_word(random, width));
      put(bench->write_addr_i, address);
      set_bytes(bench->write_data_i, memory.back());
      bench.clock();
    }
    const auto pick = [&] { return static_cast<unsigned>(random.between(0, static_cast<int>(depth) - 1)); };
    Word shown;
    for (int i = 0; i < 500; ++i) {
      const unsigned read = i == 0 ? 0 : i == 1 ? depth - 1 : pick();
      const unsigned write = pick();
      const bool reads = i < 2 || !random.chance(refuse);
      const bool writes = (!reads || write != read) && !random.chance(idle);
      const Word data = random_word(random, width);
      bench->read_i = reads;
      put(bench->read_addr_i, read);
      bench->write_i = writes;
      put(bench->write_addr_i, write);
      set_bytes(bench->write_data_i, data);
      bench.clock();
      if (reads) shown = memory[read];
      if (writes) memory[write] = data;
      EXPECT_EQ(get_bytes(bench->read_data_o, shown.size()), shown);
    }
  });
}

template <typename Top>
void run_bank(unsigned bytes, unsigned rows) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(rows);
    Bench<Top> bench(random);
    std::vector<Word> memory;
    bench->a_read_i = bench->b_read_i = 0;
    bench->b_write_i = 1;
    put(bench->b_enable_i, (1U << bytes) - 1);
    for (unsigned row = 0; row < rows; ++row) {
      memory.push_back(random_bytes(random, bytes));
      put(bench->b_row_i, row);
      set_bytes(bench->b_data_i, memory.back());
      bench.clock();
    }
    const auto pick = [&] { return static_cast<unsigned>(random.between(0, static_cast<int>(rows) - 1)); };
    Word shown_a, shown_b;
    for (int i = 0; i < 500; ++i) {
      const unsigned a = i == 0 ? rows - 1 : pick();
      const unsigned b = pick();
      const bool writes = b != a && !random.chance(idle);
      const bool reads_a = !random.chance(refuse);
      const bool reads_b = !writes && !random.chance(refuse);
      const Word data = random_bytes(random, bytes);
      const auto enable = static_cast<unsigned>(random.between(0, (1 << bytes) - 1));
      bench->a_read_i = reads_a;
      put(bench->a_row_i, a);
      bench->b_read_i = reads_b;
      bench->b_write_i = writes;
      put(bench->b_row_i, b);
      put(bench->b_enable_i, enable);
      set_bytes(bench->b_data_i, data);
      bench.clock();
      if (reads_a) shown_a = memory[a];
      if (reads_b) shown_b = memory[b];
      for (unsigned k = 0; writes && k < bytes; ++k) {
        if (((enable >> k) & 1U) != 0) memory[b][k] = data[k];
      }
      EXPECT_EQ(get_bytes(bench->a_data_o, shown_a.size()), shown_a);
      EXPECT_EQ(get_bytes(bench->b_data_o, shown_b.size()), shown_b);
    }
  });
}

TEST(Ram, GivesWhatWasWritten) {
  run_ram<Vesp_ram_w1_d2>(1, 2);
  run_ram<Vesp_ram_w37_d5>(37, 5);
  run_ram<Vesp_ram_w128_d2048>(128, 2048);
}

TEST(ScratchBank, WritesEnabledBytesAndReadsOnBothPorts) {
  run_bank<Vesp_scratch_bank_b1_r2>(1, 2);
  run_bank<Vesp_scratch_bank_b3_r7>(3, 7);
  run_bank<Vesp_scratch_bank_b8_r1024>(8, 1024);
  run_bank<Vesp_scratch_bank_b16_r4096>(16, 4096);
}

}  // namespace
}  // namespace espalier::test
