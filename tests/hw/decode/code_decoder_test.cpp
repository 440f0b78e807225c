// esp_code_decoder
//   - slots of streams of random bits, with random code tables, are those of the contract's reader: undefined
//     codes, all widths, extra bits, runs that end before their items or go on behind them
//   - slots of FormatVector likewise, of random bits and of bits that make long gaps, ends of rows and of lanes
//   - the same at every pattern of late beats and of slots that wait
//   - without waiting a round takes one cycle, or two if it deals more than 16 words
#include "Vesp_code_decoder_k16.h"
#include "Vesp_code_decoder_k32.h"
#include "Vesp_code_decoder_k8.h"
#include "esp_code.hpp"
#include "esp_vector.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

constexpr unsigned StoredBits = abi::EntryLastLsb + 1;

abi::Command random_command(Random& random) {
  abi::Command c;
  c.opcode = abi::OpWeight;
  c.format = random.chance(0.5) ? abi::FormatFixed : abi::FormatHuffman;
  c.items = static_cast<std::uint32_t>(random.between(1, 60));
  c.run = static_cast<std::uint32_t>(random.between(1, 60));
  c.gap_bits = static_cast<std::uint8_t>(random.between(1, 8));
  c.value_bits = static_cast<std::uint8_t>(random.between(0, c.format == abi::FormatFixed ? 8 : 4));
  if (c.format == abi::FormatHuffman && random.chance(0.5)) c.value_bits = abi::ValueHuffman;
  if (random.chance(0.4)) {
    c.format = abi::FormatVector;
    c.value_bits = static_cast<std::uint8_t>(random.chance(0.5) ? 8 : random.between(1, 4));
    c.columns = random.chance(0.1) ? abi::MostColumns
                                   : static_cast<std::uint32_t>(random.between(1, 1 << random.between(0, 16)));
  }
  return c;
}

/// Lengths whose limits rise, as those of a code, or any.
std::uint32_t random_length(Random& random, unsigned length, bool code) {
  const int limit = code ? static_cast<int>(length) * 340 + random.between(0, 50) : random.between(0, 8191);
  return abi::encode(
      abi::CodeLength{static_cast<std::uint16_t>(limit), static_cast<std::uint8_t>(random.between(0, 255))});
}

template <typename Top>
class DecoderBench {
 public:
  DecoderBench(unsigned lanes, Random& random) : lanes_(lanes), random_(random), bench_(random) {
    bench_->rst_ni = 0;
    bench_->start_i = bench_->run_i = bench_->code_write_i = 0;
    bench_->more_i = bench_->beat_valid_i = bench_->slot_ready_i = 0;
    bench_.clock();
    bench_->rst_ni = 1;
  }

  void write_table() {
    const bool code = random_.chance(0.7);
    for (unsigned address = 0; address < abi::CodeDepth; ++address) {
      std::uint32_t bits = static_cast<std::uint32_t>(random_.between(0, 0x7fffffff)) |
                           static_cast<std::uint32_t>(random_.between(0, 1)) << abi::CodeStepLsb;
      if (random_.chance(0.6)) bits &= (1U << abi::CodeExtraLsb) - 1U;
      if (address >= abi::CodeGapLengths) bits = random_length(random_, address % 16 + 1, code);
      table_.write(address, bits);
      bench_->code_write_i = 1;
      bench_->code_addr_i = static_cast<SData>(address);
      bench_->code_data_i = bits;
      bench_.clock();
    }
    bench_->code_write_i = 0;
  }

  void stream(const abi::Command& command, double idle, double refuse) {
    set_bytes(bench_->command_i, abi::encode(command));
    bench_->start_i = 1;
    bench_.clock();
    bench_->start_i = 0;
    const std::vector<std::uint8_t> bytes = random_bytes(random_, std::size_t{command.run} * abi::BeatBytes);
    const abi::Configuration array{lanes_, lanes_, 1024, 4096};
    const bool vector = command.format == abi::FormatVector;
    abi::CodeReader reader(command, bytes, table_, lanes_);
    abi::VectorReader vectors(command, bytes, table_, array);
    std::vector<abi::Entry> slot(lanes_);
    std::vector<abi::VectorEntry> entries(lanes_);
    std::size_t beat = 0;
    std::uint64_t rounds = 0;
    const std::uint64_t start = bench_.cycles();
    const auto next_slot = [&] {
      while (!(vector ? vectors.ended() : reader.ended())) {
        ++rounds;
        if (vector ? vectors.round(entries).slot : reader.round(slot).slot) return true;
      }
      return false;
    };
    std::uint32_t left = command.items;
    bool expects = next_slot();
    for (int cycle = 0; cycle < 20000 && left != 0; ++cycle) {
      bench_->run_i = 1;
      bench_->more_i = beat < command.run;
      bench_->beat_valid_i = beat < command.run && !random_.chance(idle);
      bench_->slot_ready_i = !random_.chance(refuse);
      if (beat < command.run) set_bytes(bench_->beat_i, std::vector(&bytes[beat * 64], &bytes[beat * 64] + 64));
      bench_.settle();
      if (bench_->ended_o && !bench_->slot_valid_o) break;
      if (bench_->slot_valid_o) {
        ASSERT_TRUE(expects);
        if (vector) {
          check_vector(entries, array);
        } else {
          check(slot);
        }
      }
      const bool pop = bench_->beat_pop_o != 0;
      const bool takes = bench_->slot_valid_o && bench_->slot_ready_i;
      if (pop) {
        ASSERT_TRUE(bench_->beat_valid_i);
      }
      bench_.clock();
      if (pop) ++beat;
      if (!takes) continue;
      --left;
      expects = next_slot();
      if (::testing::Test::HasFailure()) return;
    }
    EXPECT_TRUE(left == 0 || !expects) << left << " slots left";
    if (idle > 0 || refuse > 0) return;
    EXPECT_LE(bench_.cycles() - start, rounds * (lanes_ > 16 ? 2 : 1) + 2);
  }

 private:
  void check_vector(const std::vector<abi::VectorEntry>& slot, const abi::Configuration& array) {
    const auto byte_bits = static_cast<unsigned>(std::countr_zero(array.pixels));
    const unsigned product_bits = 9 + byte_bits, word_bits = 16 - byte_bits;
    const unsigned words = array.vector_products() * product_bits, lane_bits = words + 2 * word_bits + 3;
    for (unsigned k = 0; k < lanes_; ++k) {
      const unsigned at = k * lane_bits;
      for (unsigned i = 0; i < array.vector_products(); ++i) {
        const abi::VectorProduct& product = slot[k].products[i];
        const unsigned expected = static_cast<std::uint8_t>(product.weight) |
                                  (product.byte | static_cast<unsigned>(product.word) << byte_bits) << 8;
        EXPECT_EQ(get(bench_->vector_o, at + i * product_bits, product_bits), expected) << "lane " << k;
      }
      for (unsigned w = 0; w < slot[k].used; ++w) {
        EXPECT_EQ(get(bench_->vector_o, at + words + w * word_bits, word_bits), slot[k].words[w]) << "lane " << k;
      }
      EXPECT_EQ(get(bench_->vector_o, at + lane_bits - 3, 2), (1U << slot[k].used) - 1U) << "lane " << k;
      EXPECT_EQ(get(bench_->vector_o, at + lane_bits - 1, 1), slot[k].last ? 1U : 0U) << "lane " << k;
    }
  }

  void check(const std::vector<abi::Entry>& slot) {
    for (unsigned k = 0; k < lanes_; ++k) {
      const auto entry = static_cast<std::uint32_t>(get(bench_->slot_o, k * StoredBits, StoredBits));
      EXPECT_EQ(entry, abi::encode(slot[k])) << "lane " << k;
    }
  }

  unsigned lanes_;
  Random& random_;
  Bench<Top> bench_;
  abi::CodeTable table_;
};

template <typename Top>
void run(unsigned lanes) {
  for_each_pressure([&](double idle, double refuse) {
    Random random(lanes);
    DecoderBench<Top> bench(lanes, random);
    for (int i = 0; i < 30; ++i) {
      if (i % 5 == 0) bench.write_table();
      bench.stream(random_command(random), idle, refuse);
      if (::testing::Test::HasFailure()) return;
    }
  });
}

TEST(CodeDecoder, DecodesAnyBitsAsTheContractSays) {
  run<Vesp_code_decoder_k8>(8);
  run<Vesp_code_decoder_k16>(16);
  run<Vesp_code_decoder_k32>(32);
}

}  // namespace
}  // namespace espalier::test
