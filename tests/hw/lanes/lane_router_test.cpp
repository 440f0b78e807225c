// esp_lane_router
//   - three cycles after its issue a valid entry meets the word at base + offset, its weight and its flags
//   - lanes of a group that address one word share the read; groups read through ports of their own
//   - a bank is read only when a lane wants it; cycles without issue give no entries
#include <deque>
#include <map>

#include "Vesp_lane_router_k16_p16.h"
#include "Vesp_lane_router_k1_p1.h"
#include "Vesp_lane_router_k8_p8.h"
#include "Vesp_lane_router_k9_p3.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

struct Slot {
  bool issued = false;
  bool maximum = false;
  std::vector<abi::Entry> entries;
  std::uint16_t base = 0;
};

/// What the scratchpad holds: a byte for every word and pixel.
std::uint8_t content(unsigned bank, unsigned row, unsigned pixel) {
  return static_cast<std::uint8_t>((row * 16 + bank) * 2654435761U >> 11) ^ static_cast<std::uint8_t>(pixel * 37);
}

/// Lanes of a group that meet in a bank want the same word.
Slot random_slot(Random& random, unsigned lanes, double idle) {
  Slot slot{!random.chance(idle), random.chance(0.5), std::vector<abi::Entry>(lanes),
            static_cast<std::uint16_t>(random.between(0, 65535))};
  std::map<unsigned, std::uint16_t> taken;
  for (unsigned k = 0; k < lanes; ++k) {
    if (k % abi::LanesPerPort == 0) taken.clear();
    abi::Entry& entry = slot.entries[k];
    entry = {random.byte(), static_cast<std::uint16_t>(random.between(0, 65535)), random.chance(0.7),
             random.chance(0.3)};
    const unsigned bank = static_cast<std::uint16_t>(slot.base + entry.offset) % abi::Banks;
    if (entry.valid) entry.offset = taken.try_emplace(bank, entry.offset).first->second;
  }
  return slot;
}

template <typename Top>
void run(unsigned lanes, unsigned pixels, unsigned rows) {
  const unsigned groups = (lanes + 7) / 8;
  const auto row_bits = static_cast<unsigned>(std::countr_zero(rows));
  for (const double idle : {0.0, 0.3, 0.9}) {
    Random random(lanes);
    Bench<Top> bench(random);
    std::deque<Slot> pipe(3);
    bench->rst_ni = 0;
    bench->issue_i = 0;
    bench.clock();
    bench->rst_ni = 1;
    for (int i = 0; i < 800; ++i) {
      const Slot slot = random_slot(random, lanes, idle);
      bench->issue_i = slot.issued;
      bench->maximum_i = slot.maximum;
      put(bench->base_i, slot.base);
      for (unsigned k = 0; k < lanes; ++k) set(bench->slot_i, 32 * k, 32, abi::encode(slot.entries[k]));
      bench.settle();
      std::vector<std::pair<unsigned, unsigned>> reads;  // port, row
      for (unsigned port = 0; port < groups * 16; ++port) {
        if (get(bench->read_o, port, 1) != 0) {
          reads.emplace_back(port, static_cast<unsigned>(get(bench->row_o, port * row_bits, row_bits)));
        }
      }
      const Slot& before = pipe[1];  // the slot whose words are read now
      unsigned wanted = 0;
      for (unsigned k = 0; before.issued && k < lanes; ++k) wanted += before.entries[k].valid ? 1 : 0;
      EXPECT_LE(reads.size(), wanted);
      bench.clock();
      for (const auto& [port, row] : reads) {
        for (unsigned p = 0; p < pixels; ++p)
          set(bench->data_i, (port * pixels + p) * 8, 8, content(port % 16, row, p));
      }
      bench.settle();
      pipe.push_back(slot);
      pipe.pop_front();
      const Slot& out = pipe.front();
      for (unsigned k = 0; k < lanes; ++k) {
        const abi::Entry entry = out.issued ? out.entries[k] : abi::Entry{};
        EXPECT_EQ(get(bench->valid_o, k, 1), entry.valid);
        EXPECT_EQ(get(bench->last_o, k, 1), entry.last);
        if (!entry.valid) continue;
        EXPECT_EQ(bench->maximum_o, out.maximum);
        EXPECT_EQ(static_cast<std::int8_t>(get(bench->weight_o, 8 * k, 8)), entry.weight);
        const unsigned address = static_cast<std::uint16_t>(out.base + entry.offset);
        for (unsigned p = 0; p < pixels; ++p) {
          EXPECT_EQ(get(bench->word_o, (k * pixels + p) * 8, 8), content(address % 16, address / 16 % rows, p));
        }
      }
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(LaneRouter, BringsEveryLaneItsWord) {
  run<Vesp_lane_router_k1_p1>(1, 1, 4);
  run<Vesp_lane_router_k9_p3>(9, 3, 64);
  run<Vesp_lane_router_k8_p8>(8, 8, 1024);
  run<Vesp_lane_router_k16_p16>(16, 16, 4096);
}

}  // namespace
}  // namespace espalier::test
