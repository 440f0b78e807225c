#include "compile/timing/slots.hpp"

#include <algorithm>
#include <cstring>

namespace espalier::compile::timing {
namespace {

std::uint32_t low_bits(unsigned count) { return count >= 32 ? ~0U : (1U << count) - 1U; }

std::vector<SlotTiming> sparse_slots(const abi::Command& command, std::span<const std::uint8_t> stream,
                                     unsigned lanes) {
  const std::size_t slots = std::min<std::size_t>(command.items, stream.size() / (std::size_t{4} * lanes));
  std::vector<SlotTiming> result(slots);
  for (std::size_t s = 0; s < slots; ++s) {
    for (unsigned k = 0; k < lanes; ++k) {
      std::uint32_t bits = 0;
      std::memcpy(&bits, &stream[(s * lanes + k) * 4], 4);
      const abi::Entry entry = abi::decode_entry(bits);
      if (entry.last) result[s].last |= 1U << k;
      if (!entry.valid) continue;
      ++result[s].entries;
      if (k >= abi::LanesPerPort) {
        result[s].banks = static_cast<std::uint16_t>(result[s].banks | (1U << (entry.offset % abi::Banks)));
      }
    }
  }
  return result;
}

std::vector<SlotTiming> dense_slots(const abi::Command& command, std::span<const std::uint8_t> stream, unsigned lanes) {
  const std::size_t slots = std::min<std::size_t>(command.items, stream.size() / lanes);
  std::vector<SlotTiming> result(slots);
  const std::uint64_t row_slots = std::uint64_t{command.count[0]} * command.count[1] * command.count[2];
  std::uint64_t in_row = 0;
  unsigned used = lanes;
  for (std::size_t s = 0; s < slots; ++s) {
    if (in_row == 0) used = command.items - s <= row_slots ? command.tail_lanes : lanes;
    const std::uint64_t i0 = in_row % command.count[0];
    const std::uint64_t i1 = in_row / command.count[0] % command.count[1];
    const std::uint64_t i2 = in_row / command.count[0] / command.count[1];
    const std::uint64_t offset = i0 * command.step[0] + i1 * command.step[1] + i2 * command.step[2];
    in_row = in_row + 1 == row_slots ? 0 : in_row + 1;
    result[s].last = in_row == 0 ? low_bits(used) : 0;
    result[s].entries = static_cast<std::uint16_t>(used);
    if (used > abi::LanesPerPort) result[s].banks = static_cast<std::uint16_t>(1U << (offset % abi::Banks));
  }
  return result;
}

}  // namespace

std::vector<SlotTiming> slot_timings(const abi::Command& command, std::span<const std::uint8_t> stream,
                                     const abi::Configuration& configuration) {
  return command.format == abi::FormatSparse ? sparse_slots(command, stream, configuration.lanes)
                                             : dense_slots(command, stream, configuration.lanes);
}

}  // namespace espalier::compile::timing
