// The array's weight store and tables: what OpWeight writes, and how a compute command finds its slots there.
#include <algorithm>
#include <array>

#include "functional/array.hpp"
#include "functional/slots.hpp"

namespace espalier::functional {

void LineQueue::push(std::span<const std::uint8_t> bytes) {
  if (head_ > 0 && head_ * 2 >= bytes_.size()) {
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  bytes_.resize(bytes_.size() + line_bytes_ - bytes.size());
}

void LineQueue::pop(std::size_t lines) {
  head_ += lines * line_bytes_;
  if (head_ == bytes_.size()) clear();
}

void LineQueue::clear() {
  bytes_.clear();
  head_ = 0;
}

std::size_t Array::item_bytes(const abi::Command& command) const {
  const std::size_t entries = std::size_t{configuration_.lanes} * abi::EntryBits / 8;
  switch (command.format) {
    case abi::FormatSparse:
      return entries;
    case abi::FormatDense:
      return abi::BeatBytes;
    case abi::FormatBlock:
      if (abi::short_entries(command)) return 2 * abi::BeatBytes;
      return abi::BeatBytes + (entries + abi::BeatBytes - 1) / abi::BeatBytes * abi::BeatBytes;
    case abi::FormatPacked:
      return abi::BeatBytes * command.value_bits / 8;
    case abi::FormatCode:
      return abi::CodeBits / 8;
    case abi::FormatRow:
      return abi::RowBits / 8;
    case abi::FormatScale:
      return abi::ScaleBits / 8;
    case abi::FormatProgram:
      return abi::ProgramBits / 8;
    default:
      return configuration_.pixels;
  }
}

Array::Stored Array::write_weights(const abi::Command& command, std::span<const std::uint8_t> bytes) {
  if (command.format == abi::FormatVector) return {0, write_vector(command, bytes)};
  if (abi::coded_stream(command.format)) return {write_coded(command, bytes), 0};
  const std::size_t size = item_bytes(command);
  if (command.format == abi::FormatSparse) return {write_sparse(command.items, bytes), 0};
  const std::size_t items = std::min<std::size_t>(command.items, bytes.size() / size);
  if (abi::fills_store(command.format)) {
    // What fills up the last beat of a line is not stored.
    const std::size_t entries = std::size_t{configuration_.lanes} * abi::EntryBits / 8;
    const bool block = command.format == abi::FormatBlock && !abi::short_entries(command);
    const std::size_t used = block ? abi::BeatBytes + entries : size;
    for (std::size_t i = 0; i < items; ++i) {
      const auto line = bytes.subspan(i * size, used);
      if (command.format == abi::FormatPacked) {
        push_packed(command.value_bits, line);
      } else if (abi::short_entries(command)) {
        push_short(bytes.subspan(i * size, size));
      } else {
        lines_.push(line);
      }
    }
    return {items, 0};
  }
  for (std::size_t i = 0; i < items; ++i) {
    write_entry(command.format, command.address + i, bytes.subspan(i * size, size));
  }
  return {};
}

/// 64 symbols of `bits` bits each.
void Array::push_packed(unsigned bits, std::span<const std::uint8_t> line) {
  std::array<std::uint8_t, abi::BeatBytes> weights{};
  for (unsigned i = 0; i < abi::BeatBytes; ++i) {
    weights[i] = static_cast<std::uint8_t>(code_.symbols[abi::get_bits(line, i * bits, bits)].weight);
  }
  lines_.push(weights);
}

/// A line with short entries is kept with long ones.
void Array::push_short(std::span<const std::uint8_t> line) {
  std::vector<std::uint8_t> bytes(line.begin(), line.begin() + abi::BeatBytes);
  for (unsigned k = 0; k < configuration_.lanes; ++k) {
    const unsigned lsb = abi::BeatBytes * 8 + k * abi::ShortBits;
    const std::uint32_t bits =
        abi::encode(abi::decode_short(static_cast<std::uint32_t>(abi::get_bits(line, lsb, abi::ShortBits))));
    for (unsigned byte = 0; byte < 4; ++byte) bytes.push_back(static_cast<std::uint8_t>(bits >> (8 * byte)));
  }
  lines_.push(bytes);
}

/// Coded slots are kept as those of FormatSparse; a line is written with its last slot or that of the command.
std::size_t Array::write_coded(const abi::Command& command, std::span<const std::uint8_t> bytes) {
  const std::size_t per_line = configuration_.line_slots(abi::WeightsSparse, 1);
  abi::CodeReader reader(command, bytes, code_, configuration_.lanes);
  std::vector<abi::Entry> slot(configuration_.lanes);
  std::vector<std::uint8_t> line;
  std::size_t lines = 0;
  for (std::uint32_t left = command.items; !reader.ended();) {
    if (!reader.round(slot).slot) continue;
    for (const abi::Entry& entry : slot) {
      const std::uint32_t bits = abi::encode(entry);
      for (unsigned byte = 0; byte < 4; ++byte) line.push_back(static_cast<std::uint8_t>(bits >> (8 * byte)));
    }
    if (--left != 0 && line.size() < per_line * slot.size() * 4) continue;
    lines_.push(line);
    line.clear();
    ++lines;
  }
  return lines;
}

/// The number of slots.
std::size_t Array::write_vector(const abi::Command& command, std::span<const std::uint8_t> bytes) {
  abi::VectorReader reader(command, bytes, code_, configuration_);
  std::vector<abi::VectorEntry> slot(configuration_.lanes);
  std::size_t slots = 0;
  while (!reader.ended()) {
    if (!reader.round(slot).slot) continue;
    vector_slots_.insert(vector_slots_.end(), slot.begin(), slot.end());
    ++slots;
  }
  return slots;
}

/// A line is written with its last slot or with the last slot of the command; beats that end before leave it unwritten.
std::size_t Array::write_sparse(std::uint32_t items, std::span<const std::uint8_t> bytes) {
  const std::size_t size = std::size_t{configuration_.lanes} * abi::EntryBits / 8;
  const std::size_t per_line = configuration_.line_slots(abi::WeightsSparse, 1);
  const std::size_t slots = std::min<std::size_t>(items, bytes.size() / size);
  std::size_t lines = 0;
  for (std::size_t slot = 0; slot < slots; slot += per_line) {
    const std::size_t count = std::min(per_line, items - slot);
    if (slot + count > slots) break;
    lines_.push(bytes.subspan(slot * size, count * size));
    ++lines;
  }
  return lines;
}

/// Table addresses wrap at the depth of the table.
void Array::write_entry(unsigned format, std::size_t entry, std::span<const std::uint8_t> item) {
  if (format == abi::FormatRow) {
    rows_[entry % abi::RowDepth] = abi::decode_row(static_cast<std::uint32_t>(abi::get_bits(item, 0, abi::RowBits)));
  } else if (format == abi::FormatScale) {
    scales_[entry % abi::ScaleDepth] = abi::decode_scale(abi::get_bits(item, 0, abi::ScaleBits));
  } else if (format == abi::FormatCode) {
    code_.write(static_cast<std::uint32_t>(entry), static_cast<std::uint32_t>(abi::get_bits(item, 0, abi::CodeBits)));
  } else if (format == abi::FormatProgram) {
    program_[entry % abi::ProgramDepth] = abi::decode_program(abi::get_bits(item, 0, abi::ProgramBits));
  } else {
    std::copy(item.begin(), item.end(), &permutations_[entry % abi::PermuteDepth * item.size()]);
  }
}

void Array::LaneRows::add(const abi::Entry& entry, std::span<const std::uint8_t> slot_weights) {
  if (entry.valid) {
    taps.push_back({entry.offset, entry.segment});
    for (const std::uint8_t weight : slot_weights) weights.push_back(static_cast<std::int8_t>(weight));
  }
  if (!entry.last) return;
  rows.push_back({rows.empty() ? 0 : rows.back().end, static_cast<std::uint32_t>(taps.size())});
}

/// Sorts the next chunk by lane, idle entries left out; returns the number of valid entries.
std::uint64_t Array::take_lines(const abi::Command& command) {
  for (LaneRows& lane : lanes_) {
    lane.taps.clear();
    lane.weights.clear();
    lane.rows.clear();
  }
  if (command.weights == abi::WeightsSparse) {
    take_sparse(command);
  } else if (command.weights == abi::WeightsDense) {
    take_dense(command);
  } else {
    take_block(command);
  }
  lines_.pop(static_cast<std::size_t>(chunk_lines(command, configuration_)));
  std::uint64_t valid = 0;
  for (const LaneRows& lane : lanes_) valid += lane.taps.size();
  return valid;
}

void Array::take_sparse(const abi::Command& command) {
  const unsigned lanes = configuration_.lanes;
  const unsigned per_line = configuration_.line_slots(command.weights, command.split);
  for (std::uint32_t slot = 0; slot < command.slots; ++slot) {
    const std::uint8_t* entries = lines_.line(slot / per_line) + std::size_t{slot % per_line} * lanes * 4;
    for (unsigned k = 0; k < lanes; ++k, entries += 4) {
      abi::Entry entry = abi::decode_entry(read_entry(entries));
      entry.segment = 0;  // not part of the format
      lanes_[k].add(entry, {entries, 1});
    }
  }
}

void Array::take_dense(const abi::Command& command) {
  const unsigned per_line = configuration_.line_slots(command.weights, command.split);
  const unsigned line_weights = configuration_.line_weights();
  DenseSlots slots(command, configuration_.lanes);
  for (std::uint32_t slot = 0; slot < command.slots; ++slot, slots.advance()) {
    const std::uint8_t* weights = lines_.line(slot / per_line) + std::size_t{slot % per_line} * command.split;
    const abi::Entry entry = slots.entry();
    for (unsigned k = 0; k < slots.active_lanes(); ++k) {
      lanes_[k].add(entry, {weights + std::size_t{k} * line_weights, command.split});
    }
  }
}

void Array::take_block(const abi::Command& command) {
  const unsigned line_weights = configuration_.line_weights();
  for (std::uint32_t slot = 0; slot < command.slots; ++slot) {
    const std::uint8_t* line = lines_.line(slot);
    for (unsigned k = 0; k < configuration_.lanes; ++k) {
      const abi::Entry entry = abi::decode_entry(read_entry(line + abi::BeatBytes + std::size_t{k} * 4));
      lanes_[k].add(entry, {line + std::size_t{k} * line_weights, command.split});
    }
  }
}

}  // namespace espalier::functional
