// esp_load_unit
//   - beat i of plane p lands as words at address + p * word_pitch + i * words, bank = address mod 16, wrapping at 2^16
//   - with FlagReplicate word i of a plane lands in row (address + p * word_pitch) div 16 + i of all banks instead
//   - words wait for their banks one by one; the order of writes to a word is the order of beats
//   - a load counts as done once its last word is written, and not before
//   - commands are requested from the DMA in order and not at all while halted
#include <deque>
#include <map>

#include "Vesp_load_unit_p16_r12.h"
#include "Vesp_load_unit_p4_r2.h"
#include "Vesp_load_unit_p64_r5.h"
#include "Vesp_load_unit_p8_r10.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

using Word = std::vector<std::uint8_t>;
using Scratchpad = std::map<std::uint64_t, Word>;  // by bank + 16 * row

template <typename Top>
void run(unsigned pixels, unsigned row_bits) {
  const unsigned words = abi::BeatBytes / pixels;
  for_each_pressure([&](double idle, double refuse) {
    Random random(pixels);
    Bench<Top> bench(random);
    std::vector<abi::Command> commands;
    std::deque<Word> beats;  // from the DMA
    Scratchpad expected, actual;
    for (int n = 0; n < 8; ++n) {
      abi::Command c;
      c.opcode = abi::OpLoad;
      c.address = static_cast<std::uint16_t>(random.between(0, 65535));
      c.word_pitch = static_cast<std::uint16_t>(random.between(0, 200));
      c.planes = static_cast<std::uint16_t>(random.between(1, 3));
      c.run = static_cast<std::uint32_t>(random.between(1, 8));
      // Planes that are not multiples of 16 apart have rows in common only with others of them.
      if (random.chance(0.3)) {
        c.flags = abi::FlagReplicate;
        c.word_pitch = static_cast<std::uint16_t>(c.word_pitch / 16 * 16);
      }
      commands.push_back(c);
    }
    bench->run_ni = 0;
    bench->halt_i = bench->command_valid_i = bench->request_ready_i = bench->beat_valid_i = 0;
    bench->grant_i = 0;
    bench.clock();
    bench->run_ni = 1;
    std::size_t issued = 0;
    std::vector<std::size_t> words_until;  // written words after which each load is done
    std::size_t written = 0, total = 0;
    for (int i = 0; i < 30000 && bench->done_o < commands.size(); ++i) {
      const bool halt = random.chance(0.05);
      bench->halt_i = halt;
      bench->command_valid_i = issued < commands.size();
      if (issued < commands.size()) set_bytes(bench->command_i, abi::encode(commands[issued]));
      bench->request_ready_i = !random.chance(idle);
      const bool offers = !beats.empty() && !random.chance(idle);
      bench->beat_valid_i = offers;
      if (offers) set_bytes(bench->beat_i, beats.front());
      bench.settle();
      const auto wanted = static_cast<unsigned>(bench->load_o);
      const auto grant = wanted & static_cast<unsigned>(random.chance(refuse) ? random.between(0, 65535) : 65535);
      put(bench->grant_i, grant);
      bench.settle();
      if (halt) {
        EXPECT_EQ(bench->request_o, 0);
      }
      for (unsigned bank = 0; bank < 16; ++bank) {
        if (((grant >> bank) & 1U) == 0) continue;
        const std::uint64_t row = get(bench->row_o, bank * row_bits, row_bits);
        actual[bank + 16 * row] = get_bytes(bench->data_o, pixels, bank * pixels * 8);
        ++written;
      }
      const bool popped = bench->beat_pop_o != 0;
      EXPECT_LE(popped, offers);
      if (bench->command_pop_o) {
        const abi::Command& c = commands[issued++];
        for (unsigned p = 0; p < c.planes; ++p) {
          for (unsigned b = 0; b < c.run; ++b) {
            const Word beat = random_bytes(random, abi::BeatBytes);
            beats.push_back(beat);
            for (unsigned w = 0; w < words && c.flags != 0; ++w) {
              const std::uint64_t row = ((c.address + p * c.word_pitch) / 16U + b * words + w) % (1U << row_bits);
              for (unsigned bank = 0; bank < 16; ++bank, ++total) {
                expected[bank + 16 * row] = Word(beat.begin() + w * pixels, beat.begin() + (w + 1) * pixels);
              }
            }
            for (unsigned w = 0; w < words && c.flags == 0; ++w) {
              const auto address = static_cast<std::uint16_t>(c.address + p * c.word_pitch + b * words + w);
              const std::uint64_t row = address / 16U % (1U << row_bits);
              expected[address % 16 + 16 * row] = Word(beat.begin() + w * pixels, beat.begin() + (w + 1) * pixels);
              ++total;
            }
          }
        }
        words_until.push_back(total);
      }
      bench.clock();
      if (popped) beats.pop_front();
      const std::size_t done = bench->done_o;
      if (done > 0) {
        EXPECT_GE(written, words_until[done - 1]) << "done too early";
      }
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_EQ(bench->done_o, commands.size());
    EXPECT_EQ(actual, expected);
  });
}

TEST(LoadUnit, WritesEveryWordToItsBank) {
  run<Vesp_load_unit_p4_r2>(4, 2);
  run<Vesp_load_unit_p8_r10>(8, 10);
  run<Vesp_load_unit_p16_r12>(16, 12);
  run<Vesp_load_unit_p64_r5>(64, 5);
}

}  // namespace
}  // namespace espalier::test
