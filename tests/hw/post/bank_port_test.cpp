// esp_bank_port
//   - priority in every cycle: lane read, oldest queued result, store read, load write
//   - the queue keeps the order of results, takes writer 0 before writer 1, refuses when full and loses nothing
//   - stores and loads are granted only while the queue is empty
#include <deque>

#include "Vesp_bank_port_b16_r12.h"
#include "Vesp_bank_port_b1_r2.h"
#include "Vesp_bank_port_b3_r5.h"
#include "Vesp_bank_port_b8_r10.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

struct Word {
  std::uint64_t row = 0, enable = 0;
  std::vector<std::uint8_t> data;
};

template <typename Top>
void run(unsigned bytes, unsigned row_bits) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(bytes);
    Bench<Top> bench(random);
    const auto row = [&] { return static_cast<std::uint64_t>(random.between(0, (1 << row_bits) - 1)); };
    const auto word = [&] {
      return Word{row(), static_cast<std::uint64_t>(random.between(0, (1 << bytes) - 1)), random_bytes(random, bytes)};
    };
    std::deque<Word> queue;
    std::array<std::optional<Word>, 2> offered;  // by the writers, until taken
    bench->lane_read_i = bench->push0_i = bench->push1_i = bench->store_i = bench->load_i = 0;
    bench->rst_ni = 0;
    bench.clock();
    bench->rst_ni = 1;
    bool was_full = false;
    for (int i = 0; i < 1000; ++i) {
      for (auto& offer : offered) {
        if (!offer && !random.chance(idle)) offer = word();
      }
      const bool lane = random.chance(refuse), store = random.chance(0.5), load = random.chance(0.5);
      const std::uint64_t lane_row = row(), store_row = row();
      const Word loaded = word();
      bench->lane_read_i = lane;
      put(bench->lane_row_i, lane_row);
      bench->store_i = store;
      put(bench->store_row_i, store_row);
      bench->load_i = load;
      put(bench->load_row_i, loaded.row);
      set_bytes(bench->load_data_i, loaded.data);
      bench->push0_i = offered[0].has_value();
      bench->push1_i = offered[1].has_value();
      if (offered[0]) {
        put(bench->push0_row_i, offered[0]->row);
        put(bench->push0_enable_i, offered[0]->enable);
        set_bytes(bench->push0_data_i, offered[0]->data);
      }
      if (offered[1]) {
        put(bench->push1_row_i, offered[1]->row);
        put(bench->push1_enable_i, offered[1]->enable);
        set_bytes(bench->push1_data_i, offered[1]->data);
      }
      bench.settle();

      const bool full = queue.size() == abi::QueueDepth;
      was_full = was_full || full;
      const bool pop = !lane && !queue.empty();
      const bool stored = !lane && queue.empty() && store;
      const bool loads = !lane && queue.empty() && !store && load;
      EXPECT_EQ(bench->queue_empty_o, queue.empty());
      EXPECT_EQ(bench->ready0_o, !full);
      EXPECT_EQ(bench->ready1_o, !full && !offered[0]);
      EXPECT_EQ(bench->store_grant_o, stored);
      EXPECT_EQ(bench->load_grant_o, loads);
      EXPECT_EQ(bench->read_o, lane || stored);
      EXPECT_EQ(bench->write_o, pop || loads);
      if (lane) {
        EXPECT_EQ(bench->row_o, lane_row);
      }
      if (stored) {
        EXPECT_EQ(bench->row_o, store_row);
      }
      if (pop || loads) {
        const Word expected = pop ? queue.front() : Word{loaded.row, (1ULL << bytes) - 1, loaded.data};
        EXPECT_EQ(bench->row_o, expected.row);
        EXPECT_EQ(bench->enable_o, expected.enable);
        EXPECT_EQ(get_bytes(bench->data_o, bytes), expected.data);
      }
      const bool first = offered[0] && !full;
      const bool second = offered[1] && !full && !offered[0];
      bench.clock();
      if (pop) queue.pop_front();
      if (first || second) {
        auto& taken = offered[first ? 0 : 1];
        queue.push_back(*taken);
        taken.reset();
      }
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(was_full || refuse < 0.5 || idle > 0.5) << "never full";
  });
}

TEST(BankPort, ServesLanesThenResultsThenStoresThenLoads) {
  run<Vesp_bank_port_b1_r2>(1, 2);
  run<Vesp_bank_port_b3_r5>(3, 5);
  run<Vesp_bank_port_b8_r10>(8, 10);
  run<Vesp_bank_port_b16_r12>(16, 12);
}

}  // namespace
}  // namespace espalier::test
