#include "functional/array.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "esp_error.hpp"
#include "functional/post.hpp"
#include "functional/slots.hpp"

namespace espalier::functional {
namespace {

/// A line as it stands in memory: its slots (FormatSparse), or weights and entries (FormatBlock).
std::size_t line_bytes(const abi::Configuration& configuration) {
  const std::size_t entries = std::size_t{configuration.lanes} * abi::EntryBits / 8;
  return std::max<std::size_t>(2 * entries, abi::BeatBytes + entries);
}

}  // namespace

Array::Array(const abi::Configuration& configuration)
    : configuration_(configuration), word_mask_(configuration.scratch_words() - 1), lines_(line_bytes(configuration)) {
  const bool engine = configuration.pixels == 8 || configuration.pixels == 16 || configuration.pixels == 32;
  const bool lanes = configuration.lanes >= abi::BeatBytes / MaxSplit && configuration.lanes <= abi::BeatBytes &&
                     std::has_single_bit(configuration.lanes);
  if (!engine || !lanes || !std::has_single_bit(configuration.scratch_words()) || configuration.line_depth == 0) {
    throw Error(
        ErrorCode::Usage, "the functional model has no array of this size", "array",
        fmt::format("{}x{}, {} rows per bank", configuration.lanes, configuration.pixels, configuration.bank_rows),
        "use 8, 16, 32 or 64 lanes, 8, 16 or 32 pixels and a power of two of rows");
  }
  scratch_.resize(std::size_t{configuration.scratch_words()} * configuration.pixels);
  rows_.resize(abi::RowDepth);
  scales_.resize(abi::ScaleDepth);
  program_.resize(abi::ProgramDepth);
  permutations_.resize(std::size_t{abi::PermuteDepth} * configuration.pixels);
  lanes_.resize(configuration.lanes);
}

void Array::clear() {
  std::fill(scratch_.begin(), scratch_.end(), std::int8_t{0});
  std::fill(rows_.begin(), rows_.end(), abi::Row{});
  std::fill(scales_.begin(), scales_.end(), abi::ScaleEntry{});
  std::fill(program_.begin(), program_.end(), abi::ProgramEntry{});
  std::fill(permutations_.begin(), permutations_.end(), std::uint8_t{0});
  code_ = {};
  vector_slots_.clear();
  lines_.clear();
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

void Array::replicate_words(std::uint32_t row, std::span<const std::uint8_t> bytes) {
  const std::size_t word = configuration_.pixels;
  for (std::size_t at = 0; at < bytes.size(); at += word, ++row) {
    for (unsigned bank = 0; bank < abi::Banks; ++bank) write_words(row * abi::Banks + bank, bytes.subspan(at, word));
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

/// `row`: number of the result within the chunk, j * K + k.
template <std::size_t P>
bool Array::write_result(const abi::Command& command, std::uint32_t row, std::uint32_t position,
                         const Accumulators<P>& acc) {
  const abi::Row& place = rows_[(command.row + row) % abi::RowDepth];
  std::array<abi::ScaleEntry, MaxSplit> scales;
  for (std::uint32_t g = 0; g < command.split; ++g) {
    scales[g] = scales_[(command.scale + row * command.split + g) % abi::ScaleDepth];
  }
  const Word<P> word =
      requantise<P>(command, {scales.data(), command.split}, reduce<P>(command.operation, command.split, acc));
  std::uint32_t entry = command.program + position * command.unroll + place.step;
  // A chain that visits more entries than the table has runs in a circle.
  for (unsigned visited = 0; visited < abi::ProgramDepth; ++visited) {
    const abi::ProgramEntry& step = program_[entry % abi::ProgramDepth];
    if (!step.drop) {
      const std::size_t address = (std::size_t{command.output} + place.output + step.offset) & word_mask_;
      const std::size_t permutation = (step.permute + place.permute) % abi::PermuteDepth;
      permute_write<P>(word, &permutations_[permutation * P], command.fill, &scratch_[address * P]);
    }
    if (step.next == 0) return true;
    entry = step.next;
  }
  return false;
}

template <std::size_t P>
bool Array::run_positions(const abi::Command& command) {
  const RowFunction<P> run_row = row_function<P>(command);
  const Scratchpad scratch{scratch_.data(), word_mask_};
  std::uint32_t position = 0;
  for (std::uint32_t y = 0; y < command.count_y; ++y) {
    for (std::uint32_t x = 0; x < command.count_x; ++x, ++position) {
      const std::size_t base =
          std::size_t{command.address} + std::size_t{x} * command.step_x + std::size_t{y} * command.step_y;
      for (unsigned k = 0; k < configuration_.lanes; ++k) {
        const LaneRows& lane = lanes_[k];
        for (std::size_t j = 0; j < lane.rows.size(); ++j) {
          const RowTaps& row = lane.rows[j];
          const RowSlots slots{{lane.taps.data() + row.first, row.end - row.first},
                               lane.weights.data() + std::size_t{row.first} * command.split};
          const Accumulators<P> acc = run_row(scratch, base, slots);
          const auto index = static_cast<std::uint32_t>(j * configuration_.lanes + k);
          if (!write_result<P>(command, index, position, acc)) return false;
        }
      }
    }
  }
  return true;
}

/// Lane entries of a chunk of WeightsVector that have products.
std::uint64_t Array::valid_vector_entries(const abi::Command& command) const {
  const auto entries = static_cast<std::ptrdiff_t>(std::size_t{command.slots} * configuration_.lanes);
  return static_cast<std::uint64_t>(std::count_if(vector_slots_.begin(), vector_slots_.begin() + entries,
                                                  [](const abi::VectorEntry& entry) { return entry.valid(); }));
}

/// A slot multiplies a word that is 0 but for the bytes of the products, and so works as one of V segments.
template <std::size_t P>
bool Array::run_vector(const abi::Command& command) {
  const std::size_t spread = P / configuration_.vector_products();
  const bool maximum = takes_maximum(command.operation);
  const std::size_t first_row = command.address / abi::Banks;
  for (unsigned k = 0; k < configuration_.lanes; ++k) {
    Accumulators<P> fresh;
    fresh.fill(maximum ? -128 : 0);
    Accumulators<P> acc = fresh;
    std::uint32_t row = k;
    for (std::size_t slot = 0; slot < command.slots; ++slot) {
      const abi::VectorEntry& entry = vector_slots_[slot * configuration_.lanes + k];
      std::array<std::int32_t, P> products{};
      for (std::size_t i = 0; i < configuration_.vector_products(); ++i) {
        const abi::VectorProduct& product = entry.products[i];
        const std::size_t bank = k % abi::LanesPerPort * 2 + product.word;
        const std::size_t word = ((first_row + entry.words[product.word]) * abi::Banks + bank) & word_mask_;
        products[i * spread] = scratch_[word * P + product.byte] * (maximum ? 1 : product.weight);
      }
      for (std::size_t p = 0; p < P && entry.valid(); ++p) {
        acc[p] = maximum ? std::max(acc[p], products[p]) : abi::accumulate(acc[p], products[p]);
      }
      if (!entry.last) continue;
      if (!write_result<P>(command, row, 0, acc)) return false;
      acc = fresh;
      row += configuration_.lanes;
    }
  }
  return true;
}

Array::ComputeResult Array::compute(const abi::Command& command) {
  if (command.weights == abi::WeightsVector) {
    const std::uint64_t valid = valid_vector_entries(command);
    const bool finished = configuration_.pixels == 8    ? run_vector<8>(command)
                          : configuration_.pixels == 16 ? run_vector<16>(command)
                                                        : run_vector<32>(command);
    const auto entries = static_cast<std::ptrdiff_t>(std::size_t{command.slots} * configuration_.lanes);
    vector_slots_.erase(vector_slots_.begin(), vector_slots_.begin() + entries);
    return {valid, finished};
  }
  const std::uint64_t entries = take_lines(command);
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
