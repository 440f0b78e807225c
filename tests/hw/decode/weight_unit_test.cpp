// esp_weight_unit
//   - sparse slots are passed on as they stand in the stream
//   - dense slots carry base + i0 * step0 + i1 * step1 + i2 * step2, the last of a row ends it, idle lanes of the last
//     group stay idle
//   - table entries reach their table at consecutive addresses; nothing else is written
//   - beats behind the last item are dropped; a command is done when all its beats are taken
//   - slots wait for space, and commands are requested from the DMA in order, not while halted
#include <deque>

#include "Vesp_weight_unit_k16_p16.h"
#include "Vesp_weight_unit_k4_p4.h"
#include "Vesp_weight_unit_k8_p8.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

struct Item {
  unsigned kind = 0;  // format; slots of both formats are FormatSparse
  unsigned address = 0;
  std::vector<std::uint8_t> bytes;

  bool operator==(const Item&) const = default;
};

unsigned item_bytes(unsigned format, unsigned lanes, unsigned pixels) {
  switch (format) {
    case abi::FormatSparse:
      return lanes * 4;
    case abi::FormatDense:
      return lanes;
    case abi::FormatParameter:
      return 16;
    case abi::FormatProgram:
      return 8;
    default:
      return pixels;
  }
}

abi::Command random_command(Random& random, unsigned lanes, unsigned pixels) {
  abi::Command c;
  c.opcode = abi::OpWeight;
  c.format = static_cast<std::uint8_t>(random.between(0, abi::Formats - 1));
  c.address = static_cast<std::uint16_t>(random.between(0, 65535));
  for (unsigned i = 0; i < 3; ++i) {
    c.count[i] = static_cast<std::uint16_t>(random.between(1, 4));
    c.step[i] = static_cast<std::uint16_t>(random.between(0, 65535));
  }
  c.tail_lanes = static_cast<std::uint8_t>(random.between(1, static_cast<int>(lanes)));
  c.items = static_cast<std::uint32_t>(random.between(1, 60));
  if (c.format == abi::FormatDense) {
    c.items = static_cast<std::uint32_t>(random.between(1, 3)) * c.count[0] * c.count[1] * c.count[2];
  }
  const unsigned bytes = c.items * item_bytes(c.format, lanes, pixels);
  c.run = (bytes + abi::BeatBytes - 1) / abi::BeatBytes + (random.chance(0.2) ? 2U : 0U);
  return c;
}

/// The slot of a dense stream as sparse entries.
std::vector<std::uint8_t> expand(const abi::Command& c, unsigned n, const std::uint8_t* weights, unsigned lanes) {
  const unsigned row = 1U * c.count[0] * c.count[1] * c.count[2];
  const unsigned i = n % row;
  const unsigned i0 = i % c.count[0], i1 = i / c.count[0] % c.count[1], i2 = i / c.count[0] / c.count[1];
  const bool tail = n / row == (c.items - 1) / row;
  std::vector<std::uint8_t> slot(lanes * 4);
  for (unsigned k = 0; k < (tail ? c.tail_lanes : lanes); ++k) {
    const std::uint32_t bits = abi::encode(
        abi::Entry{static_cast<std::int8_t>(weights[k]),
                   static_cast<std::uint16_t>(i0 * c.step[0] + i1 * c.step[1] + i2 * c.step[2]), true, i + 1 == row});
    for (unsigned b = 0; b < 4; ++b) slot[4 * k + b] = static_cast<std::uint8_t>(bits >> (8 * b));
  }
  return slot;
}

template <typename Top>
void run(unsigned lanes, unsigned pixels) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(lanes);
    Bench<Top> bench(random);
    std::vector<abi::Command> commands;
    for (int n = 0; n < 15; ++n) commands.push_back(random_command(random, lanes, pixels));
    std::deque<std::vector<std::uint8_t>> beats;
    std::vector<Item> expected, actual;
    std::vector<std::size_t> beats_until;
    std::size_t issued = 0, requested = 0, taken = 0;
    bench->run_ni = 0;
    bench->halt_i = bench->command_valid_i = bench->request_ready_i = bench->beat_valid_i = bench->slot_space_i = 0;
    bench.clock();
    bench->run_ni = 1;
    for (int i = 0; i < 400000 && bench->done_o < commands.size(); ++i) {
      const bool halt = random.chance(0.05);
      bench->halt_i = halt;
      bench->command_valid_i = issued < commands.size();
      if (issued < commands.size()) set_bytes(bench->command_i, abi::encode(commands[issued]));
      bench->request_ready_i = !random.chance(idle);
      bench->beat_valid_i = !beats.empty() && !random.chance(idle);
      if (bench->beat_valid_i) set_bytes(bench->beat_i, beats.front());
      const bool space = !random.chance(refuse);
      bench->slot_space_i = space;
      bench.settle();
      if (halt) {
        EXPECT_EQ(bench->request_o, 0);
      }
      if (bench->slot_write_o) {
        EXPECT_TRUE(space);
        actual.push_back({abi::FormatSparse, 0, get_bytes(bench->slot_o, lanes * 4)});
      }
      const auto table = [&](bool written, unsigned format) {
        if (written)
          actual.push_back(
              {format, bench->table_addr_o, get_bytes(bench->table_data_o, item_bytes(format, lanes, pixels))});
      };
      table(bench->parameter_write_o, abi::FormatParameter);
      table(bench->program_write_o, abi::FormatProgram);
      table(bench->permute_write_o, abi::FormatPermute);
      const bool pop = bench->beat_pop_o != 0;
      if (bench->command_pop_o) {
        const abi::Command& c = commands[issued++];
        const unsigned size = item_bytes(c.format, lanes, pixels);
        const std::vector<std::uint8_t> bytes = random_bytes(random, c.run * abi::BeatBytes);
        for (unsigned b = 0; b < c.run; ++b) {
          beats.emplace_back(bytes.begin() + b * abi::BeatBytes, bytes.begin() + (b + 1) * abi::BeatBytes);
        }
        for (unsigned n = 0; n < c.items; ++n) {
          const std::uint8_t* item = bytes.data() + n * size;
          if (c.format == abi::FormatDense) {
            expected.push_back({abi::FormatSparse, 0, expand(c, n, item, lanes)});
          } else {
            const unsigned address = c.format == abi::FormatSparse ? 0 : (c.address + n) % 65536;
            expected.push_back({c.format, address, {item, item + size}});
          }
        }
        beats_until.push_back(requested += c.run);
      }
      bench.clock();
      if (pop) {
        beats.pop_front();
        ++taken;
      }
      const std::size_t done = bench->done_o;
      if (done > 0) {
        EXPECT_GE(taken, beats_until[done - 1]) << "done too early";
      }
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_EQ(bench->done_o, commands.size());
    EXPECT_TRUE(beats.empty());
    EXPECT_EQ(actual.size(), expected.size());
    EXPECT_TRUE(actual == expected);
  });
}

TEST(WeightUnit, DecodesEveryFormat) {
  run<Vesp_weight_unit_k4_p4>(4, 4);
  run<Vesp_weight_unit_k8_p8>(8, 8);
  run<Vesp_weight_unit_k16_p16>(16, 16);
}

}  // namespace
}  // namespace espalier::test
