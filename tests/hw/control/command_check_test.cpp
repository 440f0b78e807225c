// esp_command_check
//   - a valid command has no error and names its unit
//   - every field that can be wrong gives its error and position, at the edges of its range and with random values
//   - without coded weights, the formats, modes and flags that need them are faults of their fields
//   - of several faults the one at the lowest bit counts; random beats agree with the kernels
#include <bit>

#include "Vesp_command_check_k16_d2048_plain.h"
#include "Vesp_command_check_k16_d4096.h"
#include "Vesp_command_check_k32_d8192.h"
#include "Vesp_command_check_k8_d64.h"
#include "esp_abi.hpp"
#include "esp_command_check.hpp"
#include "esp_sizes.hpp"
#include "functional/kernel_memory.hpp"
#include "hw/bench.hpp"

namespace espalier::test {
namespace {

using abi::Command;

Command valid_command(unsigned opcode, Random& random, const abi::Configuration& array) {
  Command c;
  c.opcode = static_cast<std::uint8_t>(opcode);
  c.flags = static_cast<std::uint8_t>(random.between(0, 255));
  c.layer = static_cast<std::uint16_t>(random.between(0, abi::MarkDepth - 1));
  c.window = static_cast<std::uint8_t>(opcode == abi::OpStore ? random.between(2, 3) : random.between(0, 3));
  c.format = static_cast<std::uint8_t>(random.between(0, abi::Formats - 1));
  c.run = static_cast<std::uint32_t>(random.between(1, 1 << 30));
  c.planes = static_cast<std::uint16_t>(random.between(1, 65535));
  c.items = static_cast<std::uint32_t>(random.between(1, 1 << 30));
  c.gap_bits = static_cast<std::uint8_t>(random.between(1, 8));
  c.value_bits =
      static_cast<std::uint8_t>(c.format == abi::FormatFixed ? random.between(0, 8) : 1 << random.between(0, 2));
  if (c.format == abi::FormatHuffman && random.chance(0.5)) c.value_bits = abi::ValueHuffman;
  if (c.format == abi::FormatVector && random.chance(0.5)) c.value_bits = 8;
  c.columns = random.chance(0.2) ? abi::MostColumns : static_cast<std::uint32_t>(random.between(1, abi::MostColumns));
  c.weights = static_cast<std::uint8_t>(random.between(0, abi::WeightsModes - 1));
  if (c.weights != abi::WeightsSparse && c.weights != abi::WeightsVector) {
    c.split = static_cast<std::uint8_t>(1 << random.between(0, std::countr_zero(array.max_split())));
  }
  c.scale = static_cast<std::uint16_t>(random.between(0, 65535) / c.split * c.split);
  c.tail_lanes = static_cast<std::uint8_t>(random.between(1, static_cast<int>(array.lanes)));
  c.tap_count = {static_cast<std::uint16_t>(random.between(1, 255)), static_cast<std::uint16_t>(random.between(1, 255)),
                 static_cast<std::uint16_t>(random.between(1, 65535))};
  const auto most = static_cast<int>(array.line_depth * array.line_slots(c.weights, c.split));
  c.slots = static_cast<std::uint32_t>(random.chance(0.3) ? most : random.between(1, most));
  c.count_x = static_cast<std::uint16_t>(random.between(1, 65535));
  c.count_y = static_cast<std::uint16_t>(random.between(1, 65535));
  if (c.weights == abi::WeightsVector) c.count_x = c.count_y = 1;
  c.unroll = static_cast<std::uint8_t>(random.between(1, 16));
  c.operation = static_cast<std::uint8_t>(random.between(0, abi::Operations - 1));
  return c;
}

void damage(Command& c, Random& random, const abi::Configuration& array) {
  switch (random.between(0, 19)) {
    case 0:
      c.layer = static_cast<std::uint16_t>(random.between(abi::MarkDepth, 65535));
      break;
    case 1:
      c.window = static_cast<std::uint8_t>(random.between(0, 255));
      break;
    case 2:
      c.format = static_cast<std::uint8_t>(random.between(0, 255));
      break;
    case 3:
      c.run = 0;
      break;
    case 4:
      c.planes = 0;
      break;
    case 5:
      c.items = 0;
      break;
    case 6:
      c.tap_count[static_cast<std::size_t>(random.between(0, 2))] = 0;
      break;
    case 7:
      c.tail_lanes = static_cast<std::uint8_t>(random.chance(0.5) ? 0 : array.lanes + 1);
      break;
    case 8:
      c.slots = random.chance(0.3) ? 0 : c.slots + static_cast<std::uint32_t>(random.between(1, 9000));
      if (random.chance(0.5)) c.slots = array.line_depth * array.line_slots(c.weights % abi::WeightsModes, 1) + 1;
      break;
    case 9:
      c.count_x = static_cast<std::uint16_t>(random.between(0, 1));
      break;
    case 10:
      c.count_y = static_cast<std::uint16_t>(random.between(0, 1));
      break;
    case 11:
      c.unroll = static_cast<std::uint8_t>(random.chance(0.5) ? 0 : random.between(16, 255));
      break;
    case 12:
      c.operation = static_cast<std::uint8_t>(random.between(0, 255));
      break;
    case 13:
      c.split = static_cast<std::uint8_t>(random.chance(0.7) ? 1 << random.between(0, 7) : random.between(0, 255));
      break;
    case 14:
      c.scale = static_cast<std::uint16_t>(random.between(0, 65535));
      break;
    case 15:
      c.weights = static_cast<std::uint8_t>(random.chance(0.5) ? random.between(0, 3) : random.between(0, 255));
      break;
    case 16:
      c.gap_bits = static_cast<std::uint8_t>(random.chance(0.5) ? random.between(0, 9) : random.between(0, 255));
      break;
    case 17:
      c.value_bits = static_cast<std::uint8_t>(random.chance(0.7) ? random.between(0, 16) : random.between(0, 255));
      break;
    case 18:
      c.columns = random.chance(0.5) ? 0 : abi::MostColumns + static_cast<std::uint32_t>(random.between(0, 2));
      break;
    default:
      c.opcode = static_cast<std::uint8_t>(random.between(0, 255));
      break;
  }
}

/// What the kernels say of a command.
kernel::Fault expected_fault(const abi::Beat& beat, const abi::Configuration& array) {
  const kernel::Beat command = functional::to_beat(beat.data());
  if (array.lanes == 8) return kernel::check_command<kernel::Sizes<8, 8, 1024, 64, 2>>(command);
  if (array == abi::Array16x16Compact) return kernel::check_command<kernel::Array16x16Compact>(command);
  return array.lanes == 16 ? kernel::check_command<kernel::Array16x16>(command)
                           : kernel::check_command<kernel::Array32x32>(command);
}

template <typename Top>
void check(Bench<Top>& bench, const abi::Beat& beat, const abi::Configuration& array) {
  set_bytes(bench->command_i, beat);
  bench.settle();
  const Command c = abi::decode(beat);
  const kernel::Fault fault = expected_fault(beat, array);
  EXPECT_EQ(bench->error_o, fault.code) << "opcode " << int{c.opcode};
  if (fault.code != abi::ErrorNone) {
    EXPECT_EQ(bench->detail_o, fault.detail) << "opcode " << int{c.opcode};
  } else {
    EXPECT_EQ(bench->unit_o, 1U << (c.opcode - 1));
  }
}

template <typename Top>
void run(const abi::Configuration& array) {
  Random random(array.lanes);
  Bench<Top> bench(random);
  for (unsigned opcode = abi::OpLoad; opcode <= abi::OpMark; ++opcode) {
    for (int i = 0; i < 800; ++i) {
      Command c = valid_command(opcode, random, array);
      check(bench, abi::encode(c), array);
      for (int n = random.between(1, 3); n > 0; --n) damage(c, random, array);
      check(bench, abi::encode(c), array);
      if (::testing::Test::HasFailure()) return;
    }
  }
  for (unsigned opcode = 0; opcode < 256; ++opcode) {
    abi::Beat beat;
    for (auto& byte : beat) byte = static_cast<std::uint8_t>(random.byte());
    beat[0] = static_cast<std::uint8_t>(opcode);
    check(bench, beat, array);
  }
}

TEST(CommandCheck, FindsTheFirstFaultOfEveryField) {
  run<Vesp_command_check_k8_d64>({8, 8, 1024, 64});
  run<Vesp_command_check_k16_d4096>(abi::Array16x16);
  run<Vesp_command_check_k16_d2048_plain>(abi::Array16x16Compact);
  run<Vesp_command_check_k32_d8192>(abi::Array32x32);
}

}  // namespace
}  // namespace espalier::test
