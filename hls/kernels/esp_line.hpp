// What the weight unit hands to the array: lines of the weight store and entries of tables.
#pragma once

#include <cstdint>

#include "esp_beat.hpp"
#include "esp_constants.hpp"

namespace espalier::kernel {

/// A word of the scratchpad: P pixels.
template <unsigned P>
struct Word {
  std::int8_t pixel[P];
};

/// The accumulators of a lane.
template <unsigned P>
struct Accumulators {
  std::int32_t pixel[P];
};

/// A line: byte k * W + i is weight i of lane k; entry j * K + k is that of lane k in slot j, without its weight.
template <typename S>
struct Line {
  std::int8_t weights[abi::BeatBytes];
  std::uint32_t entries[S::SparseSlots * S::Lanes];
};

/// A slot of WeightsVector. Byte k * W + i is the weight of product i of lane k.
template <typename S>
struct VectorSlot {
  std::int8_t weights[abi::BeatBytes];
  std::uint32_t words[S::Lanes];  // two words of the vector, 16 bits each
  // Of each product 6 bits, which word and which byte; then the state, see make_vector_state().
  std::uint32_t places[S::Lanes];
};

enum ItemKind : std::uint8_t {
  ItemLine,
  ItemSlot,   // of WeightsVector
  ItemTable,  // entry `address` of the table of `format`; its bytes are the first of line.weights
  ItemEnd     // nothing follows for this command of the list
};

template <typename S>
struct WeightItem {
  ItemKind kind;
  std::uint32_t format;
  std::uint32_t address;
  Line<S> line;
  VectorSlot<S> slot;
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

constexpr unsigned PlaceBits = 6;
constexpr unsigned VectorStateLsb = PlaceBits * abi::VectorProducts;

/// The state of a lane in a slot of WeightsVector: the words that it reads, and whether its row ends.
inline std::uint32_t make_vector_state(unsigned used, bool last) {
  return used | static_cast<std::uint32_t>(last) << 2;
}

template <typename S>
unsigned vector_used(const VectorSlot<S>& slot, unsigned lane) {
  return slot.places[lane] >> VectorStateLsb & 3U;
}

template <typename S>
bool vector_last(const VectorSlot<S>& slot, unsigned lane) {
  return (slot.places[lane] >> (VectorStateLsb + 2) & 1U) != 0;
}

/// Word 0 or 1 of the vector that a lane reads.
template <typename S>
std::uint32_t vector_word(const VectorSlot<S>& slot, unsigned lane, unsigned which) {
  return slot.words[lane] >> (16 * which) & 65535U;
}

/// Of a product: P times its word, and its byte.
template <typename S>
unsigned vector_place(const VectorSlot<S>& slot, unsigned lane, unsigned product) {
  return slot.places[lane] >> (PlaceBits * product) & ((1U << PlaceBits) - 1);
}

/// What a lane does in a slot of WeightsVector.
template <typename S>
void place_vector_entry(VectorSlot<S>& slot, unsigned lane, const std::uint32_t (&words)[2], std::uint32_t state,
                        const std::int8_t (&weights)[S::VectorProducts],
                        const std::uint32_t (&places)[S::VectorProducts]) {
  std::uint32_t packed = state << VectorStateLsb;
  for (unsigned i = 0; i < S::VectorProducts; ++i) {
#pragma HLS UNROLL
    packed |= places[i] << (PlaceBits * i);
    slot.weights[lane * S::LineWeights + i] = weights[i];
  }
  slot.words[lane] = (words[0] & 65535U) | words[1] << 16;
  slot.places[lane] = packed;
}

}  // namespace espalier::kernel
