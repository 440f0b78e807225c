// What the weight unit hands to the array: lines of the weight store and entries of tables.
#pragma once

#include <cstdint>

#include "esp_beat.hpp"
#include "esp_constants.hpp"

namespace espalier::kernel {

/// A line: byte k * W + i is weight i of lane k; entry j * K + k is that of lane k in slot j, without its weight.
template <typename S>
struct Line {
  std::int8_t weights[abi::BeatBytes];
  std::uint32_t entries[S::SparseSlots * S::Lanes];
};

enum ItemKind : std::uint8_t {
  ItemLine,
  ItemTable,  // entry `address` of the table of `format`; its bytes are the first of line.weights
  ItemEnd     // nothing follows for this command of the list
};

template <typename S>
struct WeightItem {
  ItemKind kind;
  std::uint32_t format;
  std::uint32_t address;
  Line<S> line;
};

inline std::uint32_t entry_offset(std::uint32_t entry) {
  return part<abi::EntryOffsetLsb, abi::EntryOffsetBits>(entry);
}
inline bool entry_valid(std::uint32_t entry) { return part<abi::EntryValidLsb, 1>(entry) != 0; }
inline bool entry_last(std::uint32_t entry) { return part<abi::EntryLastLsb, 1>(entry) != 0; }
inline std::uint32_t entry_segment(std::uint32_t entry) {
  return part<abi::EntrySegmentLsb, abi::EntrySegmentBits>(entry);
}

inline std::uint32_t make_entry(std::uint32_t offset, bool valid, bool last, std::uint32_t segment) {
  return (offset & ((1U << abi::EntryOffsetBits) - 1)) << abi::EntryOffsetLsb |
         static_cast<std::uint32_t>(valid) << abi::EntryValidLsb |
         static_cast<std::uint32_t>(last) << abi::EntryLastLsb | segment << abi::EntrySegmentLsb;
}

}  // namespace espalier::kernel
