// esp_scratchpad
//   - every lane group reads the word it asks for in the next cycle, also beside results, stores and loads
//   - a write reaches all copies: it waits while any lane group of port B reads the bank
//   - queued results are written in order, stores and loads only while the bank's queue is empty; each grant is real
//   - words are written by enabled bytes only; the queues are empty when nothing is left
#include <bit>
#include <deque>
#include <map>
#include <optional>

#include "Vesp_scratchpad_g1_p4.h"
#include "Vesp_scratchpad_g2_p8.h"
#include "Vesp_scratchpad_g4_p4.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

using Bytes = std::vector<std::uint8_t>;

struct Result {
  unsigned address = 0;
  std::uint64_t enable = 0;
  Bytes data;
};

template <typename Top>
class ScratchpadBench {
 public:
  ScratchpadBench(unsigned groups, unsigned pixels, unsigned rows, unsigned writers, Random& random)
      : groups_(groups),
        pixels_(pixels),
        rows_(rows),
        row_bits_(static_cast<unsigned>(std::countr_zero(rows))),
        random_(random),
        bench_(random),
        memory_(std::size_t{rows} * 16, Bytes(pixels)),
        queues_(16),
        offered_(writers) {
    put(bench_->push_valid_i, 0);
    put(bench_->store_i, 0);
    put(bench_->load_i, 0);
    put(bench_->lane_read_i, 0);
    bench_->rst_ni = 0;
    bench_.clock();
    bench_->rst_ni = 1;
    fill();
  }

  void run(double idle, double refuse) {
    for (int i = 0; i < 600; ++i) {
      cycle(idle, refuse);
      if (::testing::Test::HasFailure()) return;
    }
    // Without lanes and new words every queue runs dry, one word per cycle.
    for (auto& offer : offered_) offer.reset();
    for (unsigned i = 0; i < abi::QueueDepth; ++i) cycle(1, 0);
    bench_.settle();
    EXPECT_EQ(bench_->queues_empty_o, 1);
    EXPECT_EQ(waited_ != 0, groups_ > 1 && refuse > 0 && idle < 1);
  }

 private:
  /// Loads give every word its first content.
  void fill() {
    for (unsigned row = 0; row < rows_; ++row) {
      for (unsigned b = 0; b < 16; ++b) {
        const Bytes data = random_bytes(random_, pixels_);
        memory_[row * 16 + b] = data;
        set(bench_->load_row_i, b * row_bits_, row_bits_, row);
        set_bytes(bench_->load_data_i, data, b * pixels_ * 8);
      }
      put(bench_->load_i, 0xffff);
      bench_.settle();
      EXPECT_EQ(bench_->load_grant_o, 0xffff);
      bench_.clock();
    }
    put(bench_->load_i, 0);
  }

  unsigned random_row() { return static_cast<unsigned>(random_.between(0, static_cast<int>(rows_) - 1)); }

  /// Reads of this cycle: row by group * 16 + bank.
  void drive_lanes(double refuse) {
    reads_.clear();
    for (unsigned i = 0; i < groups_ * 16; ++i) {
      const bool read = random_.chance(refuse);
      const unsigned row = random_row();
      set(bench_->lane_read_i, i, 1, read);
      set(bench_->lane_row_i, i * row_bits_, row_bits_, row);
      if (read) reads_[i] = row;
    }
  }

  void drive_results(double idle) {
    for (unsigned w = 0; w < offered_.size(); ++w) {
      if (!offered_[w] && !random_.chance(idle)) {
        offered_[w] =
            Result{random_row() * 16 + static_cast<unsigned>(random_.between(0, 15)),
                   static_cast<std::uint64_t>(random_.between(0, (1 << pixels_) - 1)), random_bytes(random_, pixels_)};
      }
      set(bench_->push_valid_i, w, 1, offered_[w].has_value());
      if (!offered_[w]) continue;
      set(bench_->push_addr_i, 16 * w, 16, offered_[w]->address);
      set(bench_->push_enable_i, pixels_ * w, pixels_, offered_[w]->enable);
      set_bytes(bench_->push_data_i, offered_[w]->data, pixels_ * 8 * w);
    }
  }

  void cycle(double idle, double refuse) {
    drive_lanes(refuse);
    drive_results(idle);
    std::array<unsigned, 16> store_row{}, load_row{};
    std::array<Bytes, 16> loaded;
    for (unsigned b = 0; b < 16; ++b) {
      store_row[b] = random_row();
      load_row[b] = random_row();
      loaded[b] = random_bytes(random_, pixels_);
      set(bench_->store_i, b, 1, idle < 1 && random_.chance(0.3));
      set(bench_->load_i, b, 1, idle < 1 && random_.chance(0.3));
      set(bench_->store_row_i, b * row_bits_, row_bits_, store_row[b]);
      set(bench_->load_row_i, b * row_bits_, row_bits_, load_row[b]);
      set_bytes(bench_->load_data_i, loaded[b], b * pixels_ * 8);
    }
    bench_.settle();

    bool empty = true;
    std::map<unsigned, Bytes> expected;  // by group * 16 + bank: what the lanes see in the next cycle
    for (const auto& [port, row] : reads_) expected[port] = memory_[row * 16 + port % 16];
    std::map<unsigned, Bytes> stored;
    for (unsigned b = 0; b < 16; ++b) {
      empty = empty && queues_[b].empty();
      bool taken = false;  // port B, in any copy
      for (unsigned g = 1; g < groups_; g += 2) taken = taken || reads_.contains(g * 16 + b);
      const bool free = !taken && queues_[b].empty();
      const bool store = free && get(bench_->store_i, b, 1) != 0;
      const bool load = free && !store && get(bench_->load_i, b, 1) != 0;
      EXPECT_EQ(get(bench_->store_grant_o, b, 1), store) << "bank " << b;
      EXPECT_EQ(get(bench_->load_grant_o, b, 1), load) << "bank " << b;
      if (store) stored[b] = memory_[store_row[b] * 16 + b];
      if (load) memory_[load_row[b] * 16 + b] = loaded[b];
      if (taken && !queues_[b].empty()) ++waited_;
      if (!taken && !queues_[b].empty()) {
        write(queues_[b].front());
        queues_[b].pop_front();
        popped_[b] = true;
      } else {
        popped_[b] = false;
      }
    }
    EXPECT_EQ(bench_->queues_empty_o, empty);
    take_results();
    bench_.clock();
    for (const auto& [port, data] : expected) {
      EXPECT_EQ(get_bytes(bench_->lane_data_o, pixels_, port * pixels_ * 8), data) << "group " << port / 16;
    }
    for (const auto& [b, data] : stored) {
      EXPECT_EQ(get_bytes(bench_->store_data_o, pixels_, b * pixels_ * 8), data) << "store from bank " << b;
    }
  }

  void write(const Result& result) {
    for (unsigned p = 0; p < pixels_; ++p) {
      if (((result.enable >> p) & 1U) != 0) memory_[result.address][p] = result.data[p];
    }
  }

  /// Room is that before this cycle's word left; the first writer that wants a bank is served.
  void take_results() {
    std::uint32_t wanted = 0;
    for (unsigned w = 0; w < offered_.size(); ++w) {
      if (!offered_[w]) continue;
      const unsigned bank = offered_[w]->address % 16;
      const bool meets = (wanted >> bank & 1U) != 0;
      wanted |= 1U << bank;
      const bool ready = !meets && queues_[bank].size() + (popped_[bank] ? 1U : 0U) < abi::QueueDepth;
      EXPECT_EQ(get(bench_->push_ready_o, w, 1), ready) << "writer " << w;
      if (!ready) continue;
      queues_[bank].push_back(*offered_[w]);
      offered_[w].reset();
    }
  }

  unsigned groups_, pixels_, rows_, row_bits_;
  Random& random_;
  Bench<Top> bench_;
  std::vector<Bytes> memory_;
  std::vector<std::deque<Result>> queues_;
  std::vector<std::optional<Result>> offered_;  // by writer
  std::array<bool, 16> popped_{};
  std::map<unsigned, unsigned> reads_;
  unsigned waited_ = 0;
};

template <typename Top>
void run(unsigned groups, unsigned pixels, unsigned rows, unsigned writers) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(groups);
    ScratchpadBench<Top>(groups, pixels, rows, writers, random).run(idle, refuse);
  });
}

TEST(Scratchpad, GivesEveryGroupTheWordsThatWereWritten) {
  run<Vesp_scratchpad_g1_p4>(1, 4, 4, 2);
  run<Vesp_scratchpad_g2_p8>(2, 8, 64, 2);
  run<Vesp_scratchpad_g4_p4>(4, 4, 16, 4);
}

}  // namespace
}  // namespace espalier::test
