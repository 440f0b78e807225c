// esp_fifo
//   - entries leave in the order in which they entered, none is lost or doubled
//   - data_o shows the oldest entry whenever the FIFO is not empty, without a request
//   - count, empty and full tell the number of entries
//   - push and pop in one cycle work at every fill level that allows them
//   - a pop of an empty FIFO fails an assertion
#include <deque>

#include "Vesp_fifo_w13_d4.h"
#include "Vesp_fifo_w1_d2.h"
#include "Vesp_fifo_w32_d8.h"
#include "Vesp_fifo_w512_d128.h"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

template <typename Top>
void run(unsigned width, unsigned depth) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(width);
    Bench<Top> bench(random);
    std::deque<std::vector<std::uint8_t>> expected;
    bench->rst_ni = 0;
    bench->push_i = bench->pop_i = 0;
    bench.clock();
    bench->rst_ni = 1;
    bool was_full = false;
    for (int i = 0; i < 600; ++i) {
      EXPECT_EQ(bench->empty_o, expected.empty());
      EXPECT_EQ(bench->full_o, expected.size() == depth);
      EXPECT_EQ(bench->count_o, expected.size());
      if (!expected.empty()) {
        EXPECT_EQ(get_bytes(bench->data_o, expected.front().size()), expected.front());
      }
      was_full = was_full || expected.size() == depth;
      const bool push = expected.size() < depth && !random.chance(idle);
      const bool pop = !expected.empty() && !random.chance(refuse);
      std::vector<std::uint8_t> data = random_bytes(random, (width + 7) / 8);
      if (width % 8 != 0) data.back() = static_cast<std::uint8_t>(data.back() & ((1U << (width % 8)) - 1));
      bench->push_i = push;
      set_bytes(bench->data_i, data);
      bench->pop_i = pop;
      bench.clock();
      if (pop) expected.pop_front();
      if (push) expected.push_back(data);
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(was_full || refuse <= idle) << "never full";
  });
}

TEST(Fifo, KeepsOrderAndCount) {
  run<Vesp_fifo_w1_d2>(1, 2);
  run<Vesp_fifo_w13_d4>(13, 4);
  run<Vesp_fifo_w32_d8>(32, 8);
  run<Vesp_fifo_w512_d128>(512, 128);
}

TEST(Fifo, ResetEmptiesIt) {
  Random random;
  Bench<Vesp_fifo_w32_d8> bench(random);
  bench->rst_ni = 0;
  bench->push_i = bench->pop_i = 0;
  bench.clock();
  bench->rst_ni = 1;
  bench->push_i = 1;
  for (int i = 0; i < 5; ++i) bench.clock();
  EXPECT_EQ(bench->count_o, 5);
  bench->push_i = 0;
  bench->rst_ni = 0;
  bench.clock();
  EXPECT_EQ(bench->count_o, 0);
  EXPECT_EQ(bench->empty_o, 1);
}

/// The benches rely on failing assertions being seen.
TEST(Fifo, MisuseFailsItsAssertions) {
  Random random;
  Bench<Vesp_fifo_w32_d8> bench(random);
  bench->rst_ni = 0;
  bench->push_i = bench->pop_i = 0;
  bench.clock();
  bench->rst_ni = 1;
  bench.clock();
  EXPECT_FALSE(bench.asserted());
  bench->pop_i = 1;
  bench.clock();
  EXPECT_TRUE(bench.asserted()) << "an empty FIFO was popped";
  bench.forget_assertion();
}

}  // namespace
}  // namespace espalier::test
