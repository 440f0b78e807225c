// esp_scratchpad
//   - word addresses name bank and row; every lane group, writer, store and load reaches every bank
//   - lanes of either group read the row of the cycle, the old one if it is written in that cycle
//   - writers that meet in a bank go in order, a writer is refused by the bank it wants only
//   - the queues are reported empty when all are
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "Vesp_scratchpad_k16_p16.h"
#include "Vesp_scratchpad_k8_p8.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

constexpr unsigned Banks = 16;

struct Word {
  unsigned address = 0;
  std::uint64_t enable = 0;
  std::vector<std::uint8_t> data;
};

struct Sizes {
  unsigned groups;
  unsigned pixels;
  unsigned row_bits;
};

/// The banks by word address; bytes that were never written are unknown.
class Reference {
 public:
  explicit Reference(unsigned pixels) : pixels_(pixels) {}

  void write(const Word& word) {
    auto& row = rows_[word.address];
    row.resize(pixels_);
    for (unsigned i = 0; i < pixels_; ++i) {
      if (((word.enable >> i) & 1U) != 0) row[i] = word.data[i];
    }
  }

  template <typename Port>
  void compare(const Port& port, unsigned slot, unsigned address) const {
    const auto found = rows_.find(address);
    if (found == rows_.end()) return;
    const std::vector<std::uint8_t> data = get_bytes(port, pixels_, slot * pixels_ * 8);
    for (unsigned i = 0; i < pixels_; ++i) {
      if (found->second[i]) {
        EXPECT_EQ(data[i], *found->second[i]) << "address " << address << " byte " << i;
      }
    }
  }

 private:
  unsigned pixels_;
  std::map<unsigned, std::vector<std::optional<std::uint8_t>>> rows_;
};

struct Reads {  // of one cycle, by group and bank, and of the store unit by bank
  std::array<std::optional<unsigned>, 2 * Banks> lanes;
  std::array<std::optional<unsigned>, Banks> stores;
};

template <typename Top>
void check_data(Bench<Top>& bench, const Sizes& sizes, const Reference& before, const Reads& reads) {
  for (unsigned i = 0; i < sizes.groups * Banks; ++i) {
    if (reads.lanes[i]) before.compare(bench->lane_data_o, i, *reads.lanes[i]);
  }
  for (unsigned b = 0; b < Banks; ++b) {
    if (reads.stores[b]) before.compare(bench->store_data_o, b, *reads.stores[b]);
  }
}

template <typename Top>
void run(const Sizes& sizes) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(sizes.pixels);
    Bench<Top> bench(random);
    Reference memory(sizes.pixels);
    std::array<std::deque<Word>, Banks> queues;
    std::array<std::optional<Word>, 2> offered;
    const auto row = [&] { return static_cast<unsigned>(random.between(0, (1 << sizes.row_bits) - 1)) % 5; };
    const auto word = [&](unsigned bank) {
      return Word{row() * Banks + bank, static_cast<std::uint64_t>(random.between(0, (1 << sizes.pixels) - 1)),
                  random_bytes(random, sizes.pixels)};
    };
    put(bench->lane_read_i, 0);
    bench->push_valid_i = 0;
    bench->store_i = bench->load_i = 0;
    bench->run_ni = 0;
    bench.clock();
    bench->run_ni = 1;
    for (int cycle = 0; cycle < 600; ++cycle) {
      Reads reads;
      for (unsigned i = 0; i < sizes.groups * Banks; ++i) {
        if (random.chance(refuse)) reads.lanes[i] = row() * Banks + i % Banks;
        set(bench->lane_read_i, i, 1, reads.lanes[i].has_value());
        set(bench->lane_row_i, i * sizes.row_bits, sizes.row_bits, reads.lanes[i].value_or(0) / Banks);
      }
      for (unsigned w = 0; w < 2; ++w) {
        // Few banks, so that the writers meet.
        if (!offered[w] && !random.chance(idle)) offered[w] = word(static_cast<unsigned>(random.between(0, 15)) & 9U);
        set(bench->push_valid_i, w, 1, offered[w].has_value());
        if (!offered[w]) continue;
        set(bench->push_addr_i, 16 * w, 16, offered[w]->address);
        set(bench->push_enable_i, sizes.pixels * w, sizes.pixels, offered[w]->enable);
        set_bytes(bench->push_data_i, offered[w]->data, sizes.pixels * 8 * w);
      }
      std::array<std::optional<Word>, Banks> loads;
      std::array<std::optional<unsigned>, Banks> stores;
      for (unsigned b = 0; b < Banks; ++b) {
        if (random.chance(0.3)) loads[b] = word(b);
        if (random.chance(0.3)) stores[b] = row() * Banks + b;
        set(bench->load_i, b, 1, loads[b].has_value());
        set(bench->store_i, b, 1, stores[b].has_value());
        set(bench->store_row_i, b * sizes.row_bits, sizes.row_bits, stores[b].value_or(0) / Banks);
        if (!loads[b]) continue;
        loads[b]->enable = ~std::uint64_t{0};
        set(bench->load_row_i, b * sizes.row_bits, sizes.row_bits, loads[b]->address / Banks);
        set_bytes(bench->load_data_i, loads[b]->data, b * sizes.pixels * 8);
      }
      bench.settle();

      const Reference before = memory;
      bool all_empty = true;
      std::array<bool, Banks> full{};
      for (unsigned b = 0; b < Banks; ++b) full[b] = queues[b].size() == abi::QueueDepth;
      for (unsigned b = 0; b < Banks; ++b) {
        const bool lane = sizes.groups > 1 && reads.lanes[Banks + b];
        const bool empty = queues[b].empty();
        all_empty = all_empty && empty;
        const bool stored = !lane && empty && stores[b];
        const bool loaded = !lane && empty && !stores[b] && loads[b];
        EXPECT_EQ(get(bench->store_grant_o, b, 1), stored);
        EXPECT_EQ(get(bench->load_grant_o, b, 1), loaded);
        if (stored) reads.stores[b] = stores[b];
        if (loaded) memory.write(*loads[b]);
        if (!lane && !empty) {
          memory.write(queues[b].front());
          queues[b].pop_front();
        }
      }
      EXPECT_EQ(bench->queues_empty_o, all_empty);
      for (unsigned w = 0; w < 2; ++w) {
        if (!offered[w]) continue;
        const unsigned bank = offered[w]->address % Banks;
        const bool behind = w == 1 && get(bench->push_valid_i, 0, 1) != 0 && get(bench->push_addr_i, 0, 4) == bank;
        EXPECT_EQ(get(bench->push_ready_o, w, 1), !full[bank] && !behind);
        if (full[bank] || behind) continue;
        queues[bank].push_back(*offered[w]);
        offered[w].reset();
      }
      bench.clock();
      check_data(bench, sizes, before, reads);
      if (::testing::Test::HasFailure()) return;
    }
  });
}

TEST(Scratchpad, EveryoneReachesEveryBankInOrder) {
  run<Vesp_scratchpad_k8_p8>({1, 8, 10});
  run<Vesp_scratchpad_k16_p16>({2, 16, 12});
}

}  // namespace
}  // namespace espalier::test
