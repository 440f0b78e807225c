// esp_lane_router
//   - three cycles after its issue a valid entry meets the word at base + offset, with its weights, segment and flags
//   - WeightsSparse takes slot j of the line, WeightsDense weights j * s and up at the offset of all lanes, and
//     WeightsBlock the line's weights at an offset of the lane's own
//   - WeightsVector gives every lane the bytes of its products, of words in two banks of its own
//   - lanes of a group that address one word share the read; groups read through ports of their own
//   - a bank is read only when a lane wants it; cycles without issue give no entries
#include <array>
#include <bit>
#include <deque>
#include <map>

#include "Vesp_lane_router_k16_p16.h"
#include "Vesp_lane_router_k16_p16_mux.h"
#include "Vesp_lane_router_k32_p4.h"
#include "Vesp_lane_router_k8_p2.h"
#include "Vesp_lane_router_k8_p8.h"
#include "Vesp_lane_router_k8_p8_mux.h"
#include "hw/bench.hpp"
#include "hw/lanes/line_plan.hpp"

namespace espalier::test {
namespace {

struct LaneEntry {
  bool valid = false, last = false;
  std::uint16_t offset = 0;
  unsigned segment = 0;
  std::vector<std::uint8_t> weights;  // those that count
  unsigned used = 1;                  // words read; of WeightsVector up to two, and for each product its word and byte
  std::array<unsigned, 2> words{};
  std::vector<std::array<unsigned, 2>> products;
};

struct Slot {
  bool issued = false, maximum = false, broadcast = false;
  unsigned weights = abi::WeightsSparse, split = 0, slot = 0;  // split: log2 of s
  std::uint16_t base = 0;
  std::vector<LaneEntry> entries;
  LineWords line;
};

/// What the scratchpad holds: a byte for every word and pixel.
std::uint8_t content(unsigned bank, unsigned row, unsigned pixel) {
  return static_cast<std::uint8_t>((row * 16 + bank) * 2654435761U >> 11) ^ static_cast<std::uint8_t>(pixel * 37);
}

/// Puts an entry's fields where the mode has them in the lane's part of the line, over random bits.
void place(Slot& slot, unsigned k, const abi::Configuration& array, Random& random) {
  LaneEntry& entry = slot.entries[k];
  std::vector<bool> bits(line_bits(array));
  for (auto&& bit : bits) bit = random.chance(0.5);
  const auto field = [&](unsigned lsb, unsigned count, unsigned value) {
    for (unsigned i = 0; i < count; ++i) bits[lsb + i] = ((value >> i) & 1U) != 0;
  };
  unsigned weights_lsb = 0;
  if (slot.weights == abi::WeightsSparse) {
    const bool two = array.line_slots(abi::WeightsSparse, 1) == 2;
    weights_lsb = two && slot.slot == 1 ? 8 * array.line_weights() - 8 : 0;
    field(two && slot.slot == 0 ? 8 : 8 * array.line_weights(), 16, entry.offset);
  } else if (slot.weights == abi::WeightsDense) {
    weights_lsb = slot.slot * (8U << slot.split);
  } else {
    field(8 * array.line_weights(), 16, entry.offset);
    field(8 * array.line_weights() + 18, 3, entry.segment);
  }
  for (unsigned i = 0; i < entry.weights.size(); ++i) field(weights_lsb + 8 * i, 8, entry.weights[i]);
  for (unsigned i = 0; i < bits.size(); ++i) set_line(slot.line, k * line_bits(array) + i, 1, bits[i] ? 1 : 0);
}

unsigned log2(unsigned value) { return static_cast<unsigned>(std::countr_zero(value)); }

/// Bits of a lane in a slot of WeightsVector.
unsigned vector_bits(const abi::Configuration& array) {
  return array.vector_products() * (9 + log2(array.pixels)) + 2 * (16 - log2(array.pixels)) + 3;
}

Slot random_vector(Random& random, const abi::Configuration& array, Slot slot) {
  slot.split = log2(array.vector_products());
  for (unsigned k = 0; k < array.lanes; ++k) {
    LaneEntry& entry = slot.entries[k];
    entry.last = random.chance(0.3);
    entry.weights = random_bytes(random, array.vector_products());
    entry.used = static_cast<unsigned>(random.between(0, 2));
    entry.valid = entry.used != 0;
    for (unsigned& word : entry.words)
      word = static_cast<unsigned>(random.between(0, (1 << (16 - log2(array.pixels))) - 1));
    for (unsigned i = 0; i < array.vector_products(); ++i) {
      entry.products.push_back(
          {static_cast<unsigned>(random.between(0, std::max<int>(1, static_cast<int>(entry.used)) - 1)),
           static_cast<unsigned>(random.between(0, static_cast<int>(array.pixels) - 1))});
    }
  }
  return slot;
}

/// Lanes of a group that meet in a bank want the same word; WeightsDense gives one offset and segment to all.
Slot random_slot(Random& random, const abi::Configuration& array, double idle) {
  Slot slot;
  slot.issued = !random.chance(idle);
  slot.maximum = random.chance(0.5);
  slot.broadcast = random.chance(0.5);
  slot.weights = static_cast<unsigned>(random.between(0, abi::WeightsModes - 1));
  slot.base = static_cast<std::uint16_t>(random.between(0, 65535));
  slot.entries.resize(array.lanes);
  slot.line = empty_line(array);
  if (slot.weights == abi::WeightsVector) return random_vector(random, array, slot);
  if (slot.weights != abi::WeightsSparse) {
    slot.split = static_cast<unsigned>(random.between(0, std::countr_zero(array.max_split())));
  }
  slot.slot =
      static_cast<unsigned>(random.between(0, static_cast<int>(array.line_slots(slot.weights, 1U << slot.split)) - 1));
  const auto offset = static_cast<std::uint16_t>(random.between(0, 65535));
  const auto segment = static_cast<unsigned>(random.between(0, (1 << slot.split) - 1));
  std::map<unsigned, std::uint16_t> taken;
  for (unsigned k = 0; k < array.lanes; ++k) {
    if (k % abi::LanesPerPort == 0) taken.clear();
    LaneEntry& entry = slot.entries[k];
    entry.valid = random.chance(0.7);
    entry.last = random.chance(0.3);
    entry.weights = random_bytes(random, std::size_t{1} << slot.split);
    entry.offset = offset;
    entry.segment = segment;
    if (slot.weights != abi::WeightsDense) {
      entry.offset = static_cast<std::uint16_t>(random.between(0, 65535));
      entry.segment = static_cast<unsigned>(random.between(0, (1 << slot.split) - 1));
      const unsigned bank = static_cast<std::uint16_t>(slot.base + entry.offset) % abi::Banks;
      if (entry.valid) entry.offset = taken.try_emplace(bank, entry.offset).first->second;
    }
    place(slot, k, array, random);
  }
  return slot;
}

template <typename Top>
void issue_vector(Bench<Top>& bench, const Slot& slot, const abi::Configuration& array) {
  const unsigned byte_bits = log2(array.pixels);
  for (unsigned k = 0; k < array.lanes; ++k) {
    const LaneEntry& entry = slot.entries[k];
    unsigned at = k * vector_bits(array);
    const auto field = [&](unsigned bits, unsigned value) {
      set(bench->vector_i, at, bits, value);
      at += bits;
    };
    for (unsigned i = 0; i < array.vector_products(); ++i) {
      field(8, entry.weights[i]);
      field(byte_bits, entry.products[i][1]);
      field(1, entry.products[i][0]);
    }
    for (const unsigned word : entry.words) field(16 - byte_bits, word);
    field(2, (1U << entry.used) - 1U);
    field(1, entry.last ? 1 : 0);
  }
}

template <typename Top>
void issue(Bench<Top>& bench, const Slot& slot, const abi::Configuration& array) {
  if (slot.weights == abi::WeightsVector) issue_vector(bench, slot, array);
  bench->issue_i = slot.issued;
  bench->maximum_i = slot.maximum;
  bench->broadcast_i = slot.broadcast;
  put(bench->weights_i, slot.weights);
  put(bench->split_i, slot.split);
  put(bench->slot_i, slot.slot);
  put(bench->base_i, slot.base);
  put(bench->offset_i, slot.entries[0].offset);
  put(bench->segment_i, slot.entries[0].segment);
  for (unsigned k = 0; k < slot.entries.size(); ++k) {
    set(bench->valid_i, k, 1, slot.entries[k].valid);
    set(bench->last_i, k, 1, slot.entries[k].last);
  }
  std::copy(slot.line.begin(), slot.line.end(), &bench->line_i[0]);
}

/// The byte of a lane's word that a slot of WeightsVector gives it.
unsigned gathered(const Slot& slot, unsigned k, unsigned pixel, const abi::Configuration& array) {
  const unsigned spread = array.pixels / array.vector_products();
  if (pixel % spread != 0) return 0;
  const auto [which, byte] = slot.entries[k].products[pixel / spread];
  const unsigned row = (slot.base / 16U + slot.entries[k].words[which]) % array.bank_rows;
  return content(k % abi::LanesPerPort * 2 + which, row, byte);
}

template <typename Top>
void check(Bench<Top>& bench, const Slot& slot, const abi::Configuration& array) {
  for (unsigned k = 0; k < array.lanes; ++k) {
    EXPECT_EQ(get(bench->valid_o, k, 1), slot.issued && slot.entries[k].valid);
    EXPECT_EQ(get(bench->last_o, k, 1), slot.issued && slot.entries[k].last);
    if (!slot.issued || !slot.entries[k].valid) continue;
    const LaneEntry& entry = slot.entries[k];
    EXPECT_EQ(bench->maximum_o, slot.maximum);
    EXPECT_EQ(bench->split_o, slot.split);
    const bool vector = slot.weights == abi::WeightsVector;
    EXPECT_EQ(bench->broadcast_o, slot.broadcast && !vector);
    if (slot.split != 0 && slot.broadcast && !vector) {
      EXPECT_EQ(get(bench->segment_o, 3 * k, 3), entry.segment);
    }
    EXPECT_EQ(get_bytes(bench->weight_o, entry.weights.size(), 8 * array.line_weights() * k), entry.weights);
    const unsigned address = static_cast<std::uint16_t>(slot.base + entry.offset);
    for (unsigned p = 0; p < array.pixels; ++p) {
      EXPECT_EQ(get(bench->word_o, (k * array.pixels + p) * 8, 8),
                vector ? gathered(slot, k, p, array) : content(address % 16, address / 16 % array.bank_rows, p));
    }
  }
}

template <typename Top>
void run(const abi::Configuration& array) {
  const unsigned groups = (array.lanes + 7) / 8;
  const auto row_bits = static_cast<unsigned>(std::countr_zero(array.bank_rows));
  for (const double idle : {0.0, 0.3, 0.9}) {
    Random random(array.lanes);
    Bench<Top> bench(random);
    std::deque<Slot> pipe(3);
    bench->rst_ni = 0;
    bench->issue_i = 0;
    bench.clock();
    bench->rst_ni = 1;
    for (int i = 0; i < 600; ++i) {
      const Slot slot = random_slot(random, array, idle);
      issue(bench, slot, array);
      bench.settle();
      std::vector<std::pair<unsigned, unsigned>> reads;  // port, row
      for (unsigned port = 0; port < groups * 16; ++port) {
        if (get(bench->read_o, port, 1) != 0) {
          reads.emplace_back(port, static_cast<unsigned>(get(bench->row_o, port * row_bits, row_bits)));
        }
      }
      const Slot& before = pipe[1];  // the slot whose words are read now
      unsigned wanted = 0;
      for (const LaneEntry& entry : before.entries) wanted += before.issued && entry.valid ? entry.used : 0U;
      EXPECT_LE(reads.size(), wanted);
      bench.clock();
      for (const auto& [port, row] : reads) {
        for (unsigned p = 0; p < array.pixels; ++p) {
          set(bench->data_i, (port * array.pixels + p) * 8, 8, content(port % 16, row, p));
        }
      }
      bench.settle();
      pipe.push_back(slot);
      pipe.pop_front();
      if (!pipe.front().entries.empty()) check(bench, pipe.front(), array);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(LaneRouter, BringsEveryLaneItsWord) {
  run<Vesp_lane_router_k8_p2>({8, 2, 4, 4});
  run<Vesp_lane_router_k8_p8>(abi::Array8x8);
  run<Vesp_lane_router_k16_p16>(abi::Array16x16);
  run<Vesp_lane_router_k32_p4>({32, 4, 64, 4});
}

TEST(LaneRouter, BringsEveryLaneItsWordThroughMultiplexersOfSlices) {
  run<Vesp_lane_router_k8_p8_mux>(abi::Array8x8);
  run<Vesp_lane_router_k16_p16_mux>(abi::Array16x16);
}

}  // namespace
}  // namespace espalier::test
