// esp_bank_port
//   - priority in every cycle: lane read, oldest queued result, store read, load write
//   - the queue keeps the order of results, takes those of the first writer first, refuses when full and loses nothing
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
void run(unsigned bytes, unsigned row_bits, unsigned writers) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(bytes);
    Bench<Top> bench(random);
    const auto row = [&] { return static_cast<std::uint64_t>(random.between(0, (1 << row_bits) - 1)); };
    const auto word = [&] {
      return Word{row(), static_cast<std::uint64_t>(random.between(0, (1 << bytes) - 1)), random_bytes(random, bytes)};
    };
    std::deque<Word> queue;
    std::vector<std::optional<Word>> offered(writers);  // until taken
    bench->lane_read_i = bench->push_i = bench->store_i = bench->load_i = 0;
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
      for (unsigned w = 0; w < writers; ++w) {
        set(bench->push_i, w, 1, offered[w].has_value());
        if (!offered[w]) continue;
        set(bench->push_row_i, w * row_bits, row_bits, offered[w]->row);
        set(bench->push_enable_i, w * bytes, bytes, offered[w]->enable);
        set_bytes(bench->push_data_i, offered[w]->data, w * bytes * 8);
      }
      bench.settle();

      const bool full = queue.size() == abi::QueueDepth;
      was_full = was_full || full;
      const bool pop = !lane && !queue.empty();
      const bool stored = !lane && queue.empty() && store;
      const bool loads = !lane && queue.empty() && !store && load;
      EXPECT_EQ(bench->queue_empty_o, queue.empty());
      EXPECT_EQ(bench->full_o, full);
      std::optional<Word>* taken = nullptr;
      for (unsigned w = 0; w < writers; ++w) {
        if (!full && taken == nullptr && offered[w]) taken = &offered[w];
      }
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
      bench.clock();
      if (pop) queue.pop_front();
      if (taken != nullptr) {
        queue.push_back(**taken);
        taken->reset();
      }
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(was_full || refuse < 0.5 || idle > 0.5) << "never full";
  });
}

TEST(BankPort, ServesLanesThenResultsThenStoresThenLoads) {
  run<Vesp_bank_port_b1_r2>(1, 2, 1);
  run<Vesp_bank_port_b3_r5>(3, 5, 2);
  run<Vesp_bank_port_b8_r10>(8, 10, 2);
  run<Vesp_bank_port_b16_r12>(16, 12, 4);
}

}  // namespace
}  // namespace espalier::test
