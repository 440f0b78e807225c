#include "functional/array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "esp_error.hpp"
#include "functional/post.hpp"
#include "functional/slots.hpp"

namespace espalier::functional {

std::span<std::uint32_t> SlotQueue::append(std::size_t slots) {
  if (head_ > 0 && head_ * 2 >= entries_.size()) {
    entries_.erase(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  const std::size_t old = entries_.size();
  entries_.resize(old + slots * lanes_);
  return {entries_.data() + old, slots * lanes_};
}

void SlotQueue::pop(std::size_t slots) {
  head_ += slots * lanes_;
  if (head_ == entries_.size()) clear();
}

void SlotQueue::clear() {
  entries_.clear();
  head_ = 0;
}

Array::Array(const abi::Configuration& configuration)
    : configuration_(configuration), word_mask_(configuration.scratch_words() - 1), slots_(configuration.lanes) {
  const bool engine = configuration.pixels == 8 || configuration.pixels == 16 || configuration.pixels == 32;
  if (!engine || configuration.lanes == 0 || configuration.lanes > 255 ||
      !std::has_single_bit(configuration.scratch_words()) || configuration.slot_depth == 0) {
    throw Error(
        ErrorCode::Usage, "the functional model has no array of this size", "array",
        fmt::format("{}x{}, {} rows per bank", configuration.lanes, configuration.pixels, configuration.bank_rows),
        "use 8, 16 or 32 pixels and a power of two of rows");
  }
  scratch_.resize(std::size_t{configuration.scratch_words()} * configuration.pixels);
  parameters_.resize(abi::ParameterDepth);
  program_.resize(abi::ProgramDepth);
  permutations_.resize(std::size_t{abi::PermuteDepth} * configuration.pixels);
  lanes_.resize(configuration.lanes);
}

void Array::clear() {
  std::fill(scratch_.begin(), scratch_.end(), std::int8_t{0});
  std::fill(parameters_.begin(), parameters_.end(), abi::Parameter{});
  std::fill(program_.begin(), program_.end(), abi::ProgramEntry{});
  std::fill(permutations_.begin(), permutations_.end(), std::uint8_t{0});
  slots_.clear();
}

void Array::write_words(std::uint32_t address, std::span<const std::uint8_t> bytes) {
  const std::size_t start = (address & word_mask_) * configuration_.pixels;
  for (std::size_t done = 0; done < bytes.size();) {
    const std::size_t to = (start + done) % scratch_.size();
    const std::size_t count = std::min(bytes.size() - done, scratch_.size() - to);
    std::memcpy(scratch_.data() + to, bytes.data() + done, count);
    done += count;
  }
}

void Array::read_words(std::uint32_t address, std::span<std::uint8_t> bytes) const {
  const std::size_t start = (address & word_mask_) * configuration_.pixels;
  for (std::size_t done = 0; done < bytes.size();) {
    const std::size_t from = (start + done) % scratch_.size();
    const std::size_t count = std::min(bytes.size() - done, scratch_.size() - from);
    std::memcpy(bytes.data() + done, scratch_.data() + from, count);
    done += count;
  }
}

std::size_t Array::item_bytes(unsigned format) const {
  switch (format) {
    case abi::FormatSparse:
      return std::size_t{configuration_.lanes} * abi::EntryBits / 8;
    case abi::FormatDense:
      return configuration_.lanes;
    case abi::FormatParameter:
      return abi::ParameterBits / 8;
    case abi::FormatProgram:
      return abi::ProgramBits / 8;
    default:
      return configuration_.pixels;
  }
}

std::size_t Array::write_weights(const abi::Command& command, std::span<const std::uint8_t> bytes) {
  const std::size_t size = item_bytes(command.format);
  const std::size_t items = std::min<std::size_t>(command.items, bytes.size() / size);
  if (command.format == abi::FormatSparse) {
    decode_sparse(bytes, slots_.append(items));
  } else if (command.format == abi::FormatDense) {
    decode_dense(command, configuration_.lanes, bytes, slots_.append(items));
  } else {
    for (std::size_t i = 0; i < items; ++i) {
      write_entry(command.format, command.address + i, bytes.subspan(i * size, size));
    }
  }
  return items;
}

/// Table addresses wrap at the depth of the table.
void Array::write_entry(unsigned format, std::size_t entry, std::span<const std::uint8_t> item) {
  if (format == abi::FormatParameter) {
    parameters_[entry % abi::ParameterDepth] = abi::decode_parameter(item);
  } else if (format == abi::FormatProgram) {
    program_[entry % abi::ProgramDepth] = abi::decode_program(abi::get_bits(item, 0, abi::ProgramBits));
  } else {
    std::copy(item.begin(), item.end(), &permutations_[entry % abi::PermuteDepth * item.size()]);
  }
}

/// Sorts the next slots by lane, idle entries left out; returns the number of valid entries.
std::uint64_t Array::take_slots(std::size_t slots) {
  const unsigned lanes = configuration_.lanes;
  for (LaneRows& lane : lanes_) {
    lane.taps.clear();
    lane.rows.clear();
  }
  std::uint64_t valid = 0;
  const std::span<const std::uint32_t> entries = slots_.front(slots);
  for (unsigned k = 0; k < lanes; ++k) {
    LaneRows& lane = lanes_[k];
    for (std::size_t i = k; i < entries.size(); i += lanes) {
      const abi::Entry entry = abi::decode_entry(entries[i]);
      if (entry.valid) lane.taps.push_back({entry.offset, entry.weight});
      if (!entry.last) continue;
      const std::uint32_t first = lane.rows.empty() ? 0 : lane.rows.back().end;
      lane.rows.push_back({first, static_cast<std::uint32_t>(lane.taps.size())});
    }
    valid += lane.taps.size();
  }
  slots_.pop(slots);
  return valid;
}

template <std::size_t P>
bool Array::write_result(const abi::Command& command, const abi::Parameter& parameter, std::uint32_t position,
                         const Accumulators<P>& acc) {
  const Word<P> word = requantise<P>(command, parameter, reduce<P>(command.operation, acc));
  std::uint32_t entry = command.program + position * command.unroll + parameter.step;
  // A chain that visits more entries than the table has runs in a circle.
  for (unsigned visited = 0; visited < abi::ProgramDepth; ++visited) {
    const abi::ProgramEntry& step = program_[entry % abi::ProgramDepth];
    if (!step.drop) {
      const std::size_t address = (std::size_t{command.output} + parameter.output + step.offset) & word_mask_;
      permute_write<P>(word, &permutations_[std::size_t{step.permute} * P], command.fill, &scratch_[address * P]);
    }
    if (step.next == 0) return true;
    entry = step.next;
  }
  return false;
}

template <std::size_t P>
bool Array::run_positions(const abi::Command& command) {
  std::uint32_t position = 0;
  for (std::uint32_t y = 0; y < command.count_y; ++y) {
    for (std::uint32_t x = 0; x < command.count_x; ++x, ++position) {
      const std::size_t base =
          std::size_t{command.address} + std::size_t{x} * command.step_x + std::size_t{y} * command.step_y;
      for (unsigned k = 0; k < configuration_.lanes; ++k) {
        const LaneRows& lane = lanes_[k];
        for (std::size_t j = 0; j < lane.rows.size(); ++j) {
          const std::span<const Tap> taps(lane.taps.data() + lane.rows[j].first, lane.rows[j].end - lane.rows[j].first);
          const Accumulators<P> acc = run_row<P>(command.operation, scratch_.data(), word_mask_, base, taps);
          const std::size_t row = command.parameter + j * configuration_.lanes + k;
          if (!write_result<P>(command, parameters_[row % abi::ParameterDepth], position, acc)) return false;
        }
      }
    }
  }
  return true;
}

Array::ComputeResult Array::compute(const abi::Command& command) {
  const std::uint64_t entries = take_slots(command.slots);
  ComputeResult result;
  result.macs = entries * command.count_x * command.count_y;
  switch (configuration_.pixels) {
    case 8:
      result.finished = run_positions<8>(command);
      break;
    case 16:
      result.finished = run_positions<16>(command);
      break;
    default:
      result.finished = run_positions<32>(command);
      break;
  }
  return result;
}

}  // namespace espalier::functional
