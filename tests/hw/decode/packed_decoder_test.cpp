// esp_packed_decoder
//   - every symbol of a line is looked up, for 1, 2 and 4 bits and every line of a beat
//   - entries from 16 on, and symbols of the code table beside the weight, change nothing
#include <array>

#include "Vesp_packed_decoder.h"
#include "esp_abi.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

TEST(PackedDecoder, LooksUpEverySymbol) {
  Random random(1);
  Bench<Vesp_packed_decoder> bench(random);
  std::array<std::uint8_t, 16> table{};
  bench->run_i = 0;
  for (unsigned address = 0; address < abi::CodeDepth; ++address) {
    bench->code_write_i = 1;
    bench->code_addr_i = static_cast<SData>(address);
    bench->code_data_i = static_cast<CData>(random.between(0, 255));
    if (address < table.size()) table[address] = bench->code_data_i;
    bench.clock();
  }
  bench->code_write_i = 0;
  bench->run_i = 1;
  for (int n = 0; n < 200; ++n) {
    const std::vector<std::uint8_t> beat = random_bytes(random, abi::BeatBytes);
    set_bytes(bench->beat_i, beat);
    for (const unsigned bits : {1U, 2U, 4U}) {
      bench->two_i = bits == 2;
      bench->four_i = bits == 4;
      for (unsigned line = 0; line < 8 / bits; ++line) {
        bench->line_i = static_cast<CData>(line);
        bench.settle();
        for (unsigned i = 0; i < abi::BeatBytes; ++i) {
          const auto symbol = abi::get_bits(beat, (line * abi::BeatBytes + i) * bits, bits);
          ASSERT_EQ(get(bench->weights_o, 8 * i, 8), table[symbol]) << bits << " bits, line " << line << ", " << i;
        }
      }
    }
  }
}

}  // namespace
}  // namespace espalier::test
