#include "compile/timing/lines.hpp"

#include <algorithm>
#include <cstring>

namespace espalier::compile::timing {
namespace {

std::uint32_t low_bits(unsigned count) { return count >= 32 ? ~0U : (1U << count) - 1U; }

/// Lane groups 0 and 2 read port A of their copy of the banks, groups 1 and 3 port B.
bool reads_port_b(unsigned lane) { return lane / abi::LanesPerPort % 2 == 1; }

void add_entry(SlotTiming& slot, unsigned lane, const abi::Entry& entry) {
  if (entry.last) slot.last |= 1U << lane;
  if (!entry.valid) return;
  ++slot.entries;
  if (reads_port_b(lane)) slot.banks = static_cast<std::uint16_t>(slot.banks | (1U << (entry.offset % abi::Banks)));
}

/// K encoded entries, lane 0 first.
SlotTiming entries_timing(const std::uint8_t* bytes, unsigned lanes) {
  SlotTiming slot;
  for (unsigned k = 0; k < lanes; ++k) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, bytes + std::size_t{k} * 4, 4);
    add_entry(slot, k, abi::decode_entry(bits));
  }
  return slot;
}

StreamTiming coded_timing(const abi::Command& command, std::span<const std::uint8_t> bytes, const abi::CodeTable& table,
                          const abi::Configuration& configuration) {
  const std::size_t per_line = configuration.line_slots(abi::WeightsSparse, 1);
  abi::CodeReader reader(command, bytes, table, configuration.lanes);
  std::vector<abi::Entry> entries(configuration.lanes);
  StreamTiming timing;
  for (std::size_t slots = 0; !reader.ended();) {
    timing.rounds.push_back(reader.round(entries));
    if (!timing.rounds.back().slot) continue;
    if (slots % per_line == 0) timing.lines.emplace_back();
    SlotTiming& slot = timing.lines.back().slots[slots++ % per_line];
    for (unsigned k = 0; k < configuration.lanes; ++k) add_entry(slot, k, entries[k]);
  }
  return timing;
}

/// Lane k reads banks 2 m and 2 m + 1, m = k mod 8.
StreamTiming vector_timing(const abi::Command& command, std::span<const std::uint8_t> bytes,
                           const abi::CodeTable& table, const abi::Configuration& configuration) {
  abi::VectorReader reader(command, bytes, table, configuration);
  std::vector<abi::VectorEntry> entries(configuration.lanes);
  StreamTiming timing;
  while (!reader.ended()) {
    timing.rounds.push_back(reader.round(entries));
    if (!timing.rounds.back().slot) continue;
    SlotTiming& slot = timing.slots.emplace_back();
    for (unsigned k = 0; k < configuration.lanes; ++k) {
      if (entries[k].last) slot.last |= 1U << k;
      if (entries[k].valid()) ++slot.entries;
      const unsigned banks = low_bits(entries[k].used) << (k % abi::LanesPerPort * 2);
      if (reads_port_b(k)) slot.banks = static_cast<std::uint16_t>(slot.banks | banks);
    }
  }
  return timing;
}

std::vector<LineTiming> sparse_lines(std::uint32_t items, std::span<const std::uint8_t> stream,
                                     const abi::Configuration& configuration) {
  const std::size_t bytes = std::size_t{4} * configuration.lanes;
  const std::size_t slots = std::min<std::size_t>(items, stream.size() / bytes);
  const std::size_t per_line = configuration.line_slots(abi::WeightsSparse, 1);
  std::vector<LineTiming> lines((slots + per_line - 1) / per_line);
  for (std::size_t s = 0; s < slots; ++s) {
    lines[s / per_line].slots[s % per_line] = entries_timing(&stream[s * bytes], configuration.lanes);
  }
  return lines;
}

/// K short entries, lane 0 first.
SlotTiming short_timing(const std::uint8_t* bytes, unsigned lanes) {
  SlotTiming slot;
  for (unsigned k = 0; k < lanes; ++k) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes + std::size_t{k} * 2, 2);
    add_entry(slot, k, abi::decode_short(bits));
  }
  return slot;
}

std::vector<LineTiming> block_lines(const abi::Command& command, std::span<const std::uint8_t> stream,
                                    const abi::Configuration& configuration) {
  const bool are_short = abi::short_entries(command);
  const std::size_t entry_bytes = std::size_t{are_short ? 2U : 4U} * configuration.lanes;
  const std::size_t bytes = (1 + (entry_bytes + abi::BeatBytes - 1) / abi::BeatBytes) * abi::BeatBytes;
  std::vector<LineTiming> lines(std::min<std::size_t>(command.items, stream.size() / bytes));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::uint8_t* const entries = &stream[i * bytes + abi::BeatBytes];
    lines[i].slots[0] =
        are_short ? short_timing(entries, configuration.lanes) : entries_timing(entries, configuration.lanes);
  }
  return lines;
}

}  // namespace

StreamTiming stream_timing(const abi::Command& command, std::span<const std::uint8_t> bytes,
                           const abi::CodeTable& table, const abi::Configuration& configuration) {
  switch (command.format) {
    case abi::FormatSparse:
      return {sparse_lines(command.items, bytes, configuration), {}, {}};
    case abi::FormatBlock:
      return {block_lines(command, bytes, configuration), {}, {}};
    case abi::FormatFixed:
    case abi::FormatHuffman:
      return coded_timing(command, bytes, table, configuration);
    case abi::FormatVector:
      return vector_timing(command, bytes, table, configuration);
    default: {
      const std::size_t line =
          command.format == abi::FormatPacked ? std::size_t{8} * command.value_bits : abi::BeatBytes;
      return {std::vector<LineTiming>(std::min<std::size_t>(command.items, bytes.size() / line)), {}, {}};
    }
  }
}

void TapWalk::start(const abi::Command& command, unsigned lanes) {
  count_ = command.tap_count;
  step_ = command.tap_step;
  segments_ = (command.flags & abi::FlagBroadcast) != 0 ? command.split : 1U;
  lanes_ = lanes;
  tail_lanes_ = command.tail_lanes;
  slots_ = left_ = command.slots;
  row_slots_ = segments_ * count_[0] * count_[1] * count_[2];
  start_row();
}

/// Which row is the last of the chunk is known at its first slot.
void TapWalk::start_row() {
  segment_ = 0;
  index_ = {};
  offset_ = {};
  used_ = left_ <= row_slots_ ? tail_lanes_ : lanes_;
}

bool TapWalk::row_ends() const {
  return left_ == 1 || (segment_ + 1 == segments_ && index_[0] + 1U == count_[0] && index_[1] + 1U == count_[1] &&
                        index_[2] + 1U == count_[2]);
}

SlotTiming TapWalk::slot() const {
  SlotTiming slot;
  if (row_ends()) slot.last = low_bits(used_);
  slot.entries = static_cast<std::uint16_t>(used_);
  if (used_ > abi::LanesPerPort) slot.banks = static_cast<std::uint16_t>(1U << (offset_[0] % abi::Banks));
  return slot;
}

void TapWalk::advance() {
  if (row_ends()) {
    left_ = left_ == 1 ? slots_ : left_ - 1;
    start_row();
    return;
  }
  --left_;
  if (++segment_ < segments_) return;
  segment_ = 0;
  std::size_t counter = 0;
  while (index_[counter] + 1U == count_[counter]) index_[counter++] = 0;
  ++index_[counter];
  const auto offset = static_cast<std::uint16_t>(offset_[counter] + step_[counter]);
  std::fill_n(offset_.begin(), counter + 1, offset);
}

}  // namespace espalier::compile::timing
