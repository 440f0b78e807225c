#include "reference_machine.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <stdexcept>

#include "esp_arithmetic.hpp"

namespace espalier::test {
namespace {

/// Little-endian bits of a byte string, from bit `lsb` on.
std::uint64_t bits(std::span<const std::uint8_t> bytes, std::size_t lsb, unsigned count) {
  return abi::get_bits(bytes.subspan(lsb / 8), static_cast<unsigned>(lsb % 8), count);
}

/// What a lane does in a slot.
struct LaneSlot {
  bool valid = false, last = false;
  std::uint32_t offset = 0, segment = 0;
  std::vector<std::int32_t> weights;  // of each segment
};

/// What a lane does in a slot of WeightsVector.
struct VectorSlot {
  struct Product {
    std::uint32_t pixel = 0, bank = 0, word = 0, byte = 0;
    std::int32_t weight = 0;
  };
  std::vector<Product> products;
  bool last = false;
};

class Machine {
 public:
  Machine(const compile::DeviceProgram& program, std::span<const std::uint8_t> input,
          const abi::Configuration& configuration)
      : array_(configuration),
        lanes_(configuration.lanes),
        pixels_(configuration.pixels),
        line_weights_(64 / configuration.lanes),
        windows_{program.image, {input.begin(), input.end()}, std::vector<std::uint8_t>(program.output_bytes), {}},
        scratch_(std::size_t{configuration.scratch_words()} * pixels_),
        rows_(abi::RowDepth * 4),
        scales_(abi::ScaleDepth * 8),
        programs_(std::size_t{configuration.program_depth} * 8),
        permutations_(std::size_t{abi::PermuteDepth} * pixels_),
        codes_(std::size_t{abi::CodeDepth} * 4) {}

  ReferenceResult run(const compile::DeviceProgram& program) {
    for (std::uint32_t i = 0; i < program.command_count; ++i) {
      const std::size_t at = std::size_t{program.command_offset + i} * abi::BeatBytes;
      const abi::Command c = abi::decode(std::span<const std::uint8_t, abi::BeatBytes>(&windows_[0][at], 64));
      if (c.opcode == abi::OpLoad || c.opcode == abi::OpStore) transfer(c);
      if (c.opcode == abi::OpWeight) weight(c);
      if (c.opcode == abi::OpCompute) compute(c);
    }
    return {windows_[abi::WindowOutput], macs_};
  }

 private:
  std::int8_t& pixel(std::uint32_t word, std::uint32_t p) {
    return scratch_[std::size_t{word % array_.scratch_words()} * pixels_ + p];
  }

  void transfer(const abi::Command& c) {
    if (c.opcode == abi::OpLoad && (c.flags & abi::FlagReplicate) != 0) return replicate(c);
    for (std::uint32_t plane = 0; plane < c.planes; ++plane) {
      for (std::uint32_t byte = 0; byte < c.run * 64; ++byte) {
        std::uint8_t& memory = windows_.at(c.window).at((std::size_t{c.offset} + plane * c.pitch) * 64 + byte);
        std::int8_t& held = pixel(c.address + plane * c.word_pitch + byte / pixels_, byte % pixels_);
        if (c.opcode == abi::OpLoad) held = static_cast<std::int8_t>(memory);
        if (c.opcode == abi::OpStore) memory = static_cast<std::uint8_t>(held);
      }
    }
  }

  void replicate(const abi::Command& c) {
    for (std::uint32_t plane = 0; plane < c.planes; ++plane) {
      const std::uint32_t row = c.address / 16 + plane * (c.word_pitch / 16);
      for (std::uint32_t byte = 0; byte < c.run * 64; ++byte) {
        const std::uint8_t memory = windows_.at(c.window).at((std::size_t{c.offset} + plane * c.pitch) * 64 + byte);
        for (std::uint32_t bank = 0; bank < 16; ++bank) {
          pixel((row + byte / pixels_) * 16 + bank, byte % pixels_) = static_cast<std::int8_t>(memory);
        }
      }
    }
  }

  void weight(const abi::Command& c) {
    const std::span<const std::uint8_t> run(&windows_.at(c.window).at(std::size_t{c.offset} * 64),
                                            std::size_t{c.run} * 64);
    const std::size_t entries = lanes_ * 4;
    switch (c.format) {
      case abi::FormatSparse: {
        const std::uint32_t per_line = std::max(1U, std::min(2U, line_weights_ / 2));
        for (std::uint32_t slot = 0; slot < c.items; ++slot) {
          if (slot % per_line == 0) store_.emplace_back();
          const auto bytes = run.subspan(slot * entries, entries);
          store_.back().insert(store_.back().end(), bytes.begin(), bytes.end());
        }
        return;
      }
      case abi::FormatDense:
        return lines(run, c.items, 64);
      case abi::FormatPacked:
        return packed(run, c);
      case abi::FormatFixed:
      case abi::FormatHuffman:
        return coded(run, c);
      case abi::FormatVector:
        return vector(run, c);
      case abi::FormatCode:
        return table(codes_, run, c, 4);
      case abi::FormatBlock:
        if (c.gap_bits == 16) return short_lines(run, c.items);
        return lines(run, c.items, 64 + std::max<std::size_t>(64, entries));
      case abi::FormatRow:
        return table(rows_, run, c, 4);
      case abi::FormatScale:
        return table(scales_, run, c, 8);
      case abi::FormatProgram:
        return table(programs_, run, c, 8);
      default:
        return table(permutations_, run, c, pixels_);
    }
  }

  void lines(std::span<const std::uint8_t> run, std::uint32_t items, std::size_t bytes) {
    for (std::uint32_t i = 0; i < items; ++i) {
      const auto line = run.subspan(i * bytes, bytes);
      store_.emplace_back(line.begin(), line.end());
    }
  }

  /// Two beats: weights, and K entries of 16 bits.
  void short_lines(std::span<const std::uint8_t> run, std::uint32_t items) {
    for (std::uint32_t i = 0; i < items; ++i) {
      const auto line = run.subspan(i * std::size_t{128}, 128);
      std::vector<std::uint8_t>& stored = store_.emplace_back(line.begin(), line.begin() + 64);
      for (std::size_t k = 0; k < lanes_; ++k) {
        const unsigned low = line[64 + 2 * k], high = line[65 + 2 * k];
        stored.push_back(0);
        stored.push_back(static_cast<std::uint8_t>(low));
        stored.push_back(static_cast<std::uint8_t>(high & 31U));
        stored.push_back(static_cast<std::uint8_t>(high >> 6 | (high >> 5 & 1U) << 2));
      }
    }
  }

  /// Bits of entry `entry` of the code table.
  unsigned code_field(std::size_t entry, unsigned lsb, unsigned count) const {
    return static_cast<unsigned>(bits(codes_, entry * 32 + lsb, count));
  }

  void packed(std::span<const std::uint8_t> run, const abi::Command& c) {
    for (std::size_t i = 0; i < c.items * std::size_t{64}; ++i) {
      if (i % 64 == 0) store_.emplace_back();
      const auto symbol = static_cast<std::size_t>(bits(run, i * c.value_bits, c.value_bits));
      store_.back().push_back(static_cast<std::uint8_t>(code_field(symbol, abi::CodeWeightLsb, 8)));
    }
  }

  using Bits = std::deque<unsigned>;

  /// The next bits of a lane, the first one most significant; those that it does not have are 0.
  static unsigned peek(const Bits& lane, unsigned count) {
    unsigned value = 0;
    for (unsigned i = 0; i < count; ++i) value = value << 1 | (i < lane.size() ? lane[i] : 0U);
    return value;
  }
  static unsigned take(Bits& lane, unsigned count) {
    const unsigned value = peek(lane, count);
    lane.erase(lane.begin(), lane.begin() + std::min<std::ptrdiff_t>(count, std::ssize(lane)));
    return value;
  }

  /// Entry of the code table for the next Huffman code.
  unsigned huffman(Bits& lane, unsigned lengths) const {
    const unsigned code = peek(lane, 12);
    for (unsigned l = 1; l <= 12; ++l) {
      if (code >= code_field(lengths + l - 1, abi::CodeLimitLsb, abi::CodeLimitBits)) continue;
      return (code_field(lengths + l - 1, abi::CodeBaseLsb, 8) + take(lane, l)) % 256;
    }
    take(lane, 12);
    return 0;
  }

  struct CodedLane {
    Bits bits;
    std::uint32_t address = 0;
    unsigned gap = 0;   // entry of the gap symbol
    bool over = false;  // FormatVector: it reads no more; address is the next column
  };

  /// Lanes that hold at most `most` words take the next one.
  void deal(std::vector<CodedLane>& coded, std::span<const std::uint8_t> run, std::size_t& word, std::size_t most) {
    for (CodedLane& lane : coded) {
      if (lane.over || (lane.bits.size() + 31) / 32 > most || word * 4 == run.size()) continue;
      for (unsigned bit = 32; bit-- > 0;) lane.bits.push_back(static_cast<unsigned>(bits(run, word * 32 + bit, 1)));
      ++word;
    }
  }

  void read_gap(CodedLane& lane, const abi::Command& c) const {
    lane.gap = c.format == abi::FormatFixed ? take(lane.bits, c.gap_bits) : huffman(lane.bits, abi::CodeGapLengths);
    const unsigned extra = std::min(16U, code_field(lane.gap, abi::CodeExtraLsb, abi::CodeExtraBits));
    const unsigned number = take(lane.bits, extra);
    const bool step = code_field(lane.gap, abi::CodeStepLsb, 1) != 0;
    const unsigned further =
        step ? code_field(abi::CodeStepZero - number % abi::CodeSteps, abi::CodeGapLsb, 16) : number;
    lane.address = (lane.address + code_field(lane.gap, abi::CodeGapLsb, 16) + further) % 65536;
  }

  /// The entry of a lane as in FormatSparse.
  void read_value(CodedLane& lane, const abi::Command& c, std::vector<std::uint8_t>& line) const {
    const bool valid = code_field(lane.gap, abi::CodeValidLsb, 1) != 0;
    unsigned value = 0;
    if (valid) {
      const unsigned symbol = c.format == abi::FormatHuffman && c.value_bits == abi::ValueHuffman
                                  ? huffman(lane.bits, abi::CodeValueLengths)
                                  : take(lane.bits, c.value_bits);
      value = code_field(symbol, abi::CodeWeightLsb, 8);
    }
    line.push_back(static_cast<std::uint8_t>(value));
    line.push_back(static_cast<std::uint8_t>(lane.address));
    line.push_back(static_cast<std::uint8_t>(lane.address >> 8));
    line.push_back(static_cast<std::uint8_t>((valid ? 1U : 0U) | code_field(lane.gap, abi::CodeLastLsb, 1) << 1));
  }

  void coded(std::span<const std::uint8_t> run, const abi::Command& c) {
    const std::uint32_t per_line = std::max(1U, std::min(2U, line_weights_ / 2));
    std::vector<CodedLane> lanes(lanes_);
    std::size_t word = 0;
    deal(lanes, run, word, 0);
    deal(lanes, run, word, 1);
    std::vector<std::uint8_t> line;
    for (std::uint32_t slot = 0; slot < c.items; ++slot) {
      const auto empty = [](const CodedLane& lane) { return lane.bits.empty(); };
      if (word * 4 == run.size() && std::all_of(lanes.begin(), lanes.end(), empty)) return;
      deal(lanes, run, word, 2);
      for (CodedLane& lane : lanes) read_gap(lane, c);
      if (c.value_bits == abi::ValueHuffman) deal(lanes, run, word, 2);
      for (CodedLane& lane : lanes) read_value(lane, c, line);
      if (slot % per_line + 1 != per_line && slot + 1 != c.items) continue;
      store_.push_back(line);
      line.clear();
    }
  }

  /// The symbols of a slot among the first `seen` bits of a lane.
  VectorSlot read_vector(CodedLane& lane, const abi::Command& c, std::size_t seen) const {
    const unsigned products = std::min(4U, array_.max_split());
    std::vector<std::uint32_t> words;
    VectorSlot slot;
    for (unsigned i = 0; i < products && seen >= c.gap_bits + c.value_bits && !lane.over; ++i) {
      const unsigned symbol = peek(lane.bits, c.gap_bits + c.value_bits);
      const unsigned gap = symbol >> c.value_bits, value = symbol % (1U << c.value_bits);
      const std::uint32_t column = lane.address + gap;
      const bool ends = column >= c.columns, passes = gap + 1 == 1U << c.gap_bits;
      const auto at = std::find(words.begin(), words.end(), column / pixels_);
      if (!ends && !passes) {
        if (at == words.end() && words.size() == 2) break;
        const auto bank = static_cast<std::uint32_t>(at - words.begin());
        if (at == words.end()) words.push_back(column / pixels_);
        const std::int32_t weight = static_cast<std::int8_t>(
            c.value_bits == 8 ? value : code_field(value, abi::CodeWeightLsb, abi::CodeWeightBits));
        slot.products.push_back({i * pixels_ / products, bank, column / pixels_, column % pixels_, weight});
      }
      take(lane.bits, c.gap_bits + c.value_bits);
      seen -= c.gap_bits + c.value_bits;
      lane.address = ends ? 0 : passes ? column : column + 1;
      if (!ends) continue;
      slot.last = (value & 2U) == 0;
      lane.over = (value & 3U) != 0;
      break;
    }
    if (lane.over) lane.bits.clear();
    return slot;
  }

  void vector(std::span<const std::uint8_t> run, const abi::Command& c) {
    std::vector<CodedLane> lanes(lanes_);
    std::size_t word = 0;
    deal(lanes, run, word, 0);
    deal(lanes, run, word, 1);
    for (std::uint32_t slot = 0; slot < c.items; ++slot) {
      std::vector<std::size_t> seen;
      for (const CodedLane& lane : lanes) seen.push_back(std::min<std::size_t>(64, lane.bits.size()));
      const bool idle = std::all_of(seen.begin(), seen.end(),
                                    [&](std::size_t bits) { return bits < 0U + c.gap_bits + c.value_bits; });
      const auto over = [](const CodedLane& lane) { return lane.over; };
      if (idle && (word * 4 == run.size() || std::all_of(lanes.begin(), lanes.end(), over))) return;
      deal(lanes, run, word, 2);
      auto& slots = vectors_.emplace_back();
      for (std::size_t k = 0; k < lanes.size(); ++k) slots.push_back(read_vector(lanes[k], c, seen[k]));
    }
  }

  static void table(std::vector<std::uint8_t>& table, std::span<const std::uint8_t> run, const abi::Command& c,
                    std::size_t bytes) {
    for (std::size_t i = 0; i < c.items * bytes; ++i) table[(c.address * bytes + i) % table.size()] = run[i];
  }

  /// Slots in a line, and slots of a row of WeightsDense.
  std::uint32_t line_slots(const abi::Command& c) const {
    if (c.weights == abi::WeightsSparse) return std::max(1U, std::min(2U, line_weights_ / 2));
    return c.weights == abi::WeightsDense ? line_weights_ / c.split : 1;
  }
  static std::uint32_t segments_read(const abi::Command& c) { return (c.flags & abi::FlagBroadcast) ? c.split : 1; }
  static std::uint32_t row_slots(const abi::Command& c) {
    return 1U * c.tap_count[0] * c.tap_count[1] * c.tap_count[2] * segments_read(c);
  }

  LaneSlot lane_slot(const abi::Command& c, std::uint32_t slot, std::uint32_t lane) const {
    LaneSlot result;
    const std::vector<std::uint8_t>& line = store_.at(slot / line_slots(c));
    const std::uint32_t index = slot % line_slots(c);
    const auto byte = [&](std::size_t at) { return std::int32_t{static_cast<std::int8_t>(line.at(at))}; };
    if (c.weights == abi::WeightsDense) {
      const std::uint32_t tap = slot % row_slots(c) / segments_read(c);
      const std::uint32_t i0 = tap % c.tap_count[0];
      const std::uint32_t i1 = tap / c.tap_count[0] % c.tap_count[1];
      const std::uint32_t i2 = tap / c.tap_count[0] / c.tap_count[1];
      const bool last_row = slot / row_slots(c) == (c.slots - 1) / row_slots(c);
      result.segment = slot % segments_read(c);
      result.offset = i0 * c.tap_step[0] + i1 * c.tap_step[1] + i2 * c.tap_step[2];
      result.valid = !last_row || lane < c.tail_lanes;
      result.last = result.valid && ((slot + 1) % row_slots(c) == 0 || slot + 1 == c.slots);
      for (std::uint32_t g = 0; g < c.split; ++g) {
        result.weights.push_back(byte(lane * line_weights_ + index * c.split + g));
      }
      return result;
    }
    const bool block = c.weights == abi::WeightsBlock;
    const std::size_t entry = 8 * (block ? 64 + std::size_t{lane} * 4 : (std::size_t{index} * lanes_ + lane) * 4);
    result.offset = static_cast<std::uint32_t>(bits(line, entry + abi::EntryOffsetLsb, abi::EntryOffsetBits));
    result.valid = bits(line, entry + abi::EntryValidLsb, 1) != 0;
    result.last = bits(line, entry + abi::EntryLastLsb, 1) != 0;
    if (block) {
      result.segment = static_cast<std::uint32_t>(bits(line, entry + abi::EntrySegmentLsb, abi::EntrySegmentBits));
      for (std::uint32_t g = 0; g < c.split; ++g) result.weights.push_back(byte(lane * line_weights_ + g));
    } else {
      result.weights.push_back(byte(entry / 8));
    }
    return result;
  }

  void compute_vector(const abi::Command& c) {
    const bool maximum = c.operation == abi::OperationMax || c.operation == abi::OperationMaxReduce;
    const std::vector<std::int64_t> fresh(pixels_, maximum ? -128 : 0);
    for (std::uint32_t lane = 0; lane < lanes_; ++lane) {
      std::vector<std::int64_t> acc = fresh;
      std::uint32_t row = 0;
      for (std::uint32_t s = 0; s < c.slots; ++s) {
        const VectorSlot& slot = vectors_.at(s)[lane];
        const std::uint32_t first = slot.products.empty() ? 0 : slot.products.front().word;
        std::vector<std::int64_t> products(pixels_, 0);
        for (std::uint32_t at = 0; at < pixels_ && maximum; at += pixels_ / std::min(4U, array_.max_split())) {
          products[at] = pixel((c.address / 16 + first) * 16 + lane % 8 * 2, 0);
        }
        for (const auto& [at, bank, word, byte, weight] : slot.products) {
          const std::int64_t operand = pixel((c.address / 16 + word) * 16 + lane % 8 * 2 + bank, byte);
          products[at] = maximum ? operand : weight * operand;
        }
        macs_ += slot.products.empty() ? 0 : 1;
        for (std::uint32_t p = 0; p < pixels_ && !slot.products.empty(); ++p) {
          acc[p] = maximum ? std::max(acc[p], products[p]) : acc[p] + products[p];
        }
        if (!slot.last) continue;
        finish(c, 0, row++ * lanes_ + lane, acc);
        acc = fresh;
      }
    }
    vectors_.erase(vectors_.begin(), vectors_.begin() + c.slots);
  }

  void compute(const abi::Command& c) {
    if (c.weights == abi::WeightsVector) return compute_vector(c);
    const std::uint32_t length = pixels_ / c.split;
    const bool maximum = c.operation == abi::OperationMax || c.operation == abi::OperationMaxReduce;
    const std::vector<std::int64_t> fresh(pixels_, maximum ? -128 : 0);
    for (std::uint32_t lane = 0; lane < lanes_; ++lane) {
      std::vector<LaneSlot> slots;
      for (std::uint32_t slot = 0; slot < c.slots; ++slot) slots.push_back(lane_slot(c, slot, lane));
      for (std::uint32_t n = 0; n < std::uint32_t{c.count_x} * c.count_y; ++n) {
        const std::uint32_t base = c.address + n % c.count_x * c.step_x + n / c.count_x * c.step_y;
        std::vector<std::int64_t> acc = fresh;
        std::uint32_t row = 0;
        for (const LaneSlot& slot : slots) {
          macs_ += slot.valid ? 1 : 0;
          for (std::uint32_t p = 0; p < pixels_ && slot.valid; ++p) {
            const std::uint32_t source = segments_read(c) > 1 ? slot.segment * length + p % length : p;
            const std::int32_t a = pixel((base + slot.offset) % 65536, source);
            acc[p] = maximum ? std::max<std::int64_t>(acc[p], a) : acc[p] + a * slot.weights[p / length];
          }
          if (!slot.last) continue;
          finish(c, n, row++ * lanes_ + lane, acc);
          acc = fresh;
        }
      }
    }
    const std::uint32_t used = (c.slots + line_slots(c) - 1) / line_slots(c);
    store_.erase(store_.begin(), store_.begin() + used);
  }

  /// A result: reduced, scaled and written. `row`: its number in the chunk.
  void finish(const abi::Command& c, std::uint32_t position, std::uint32_t row, std::vector<std::int64_t> acc) {
    const std::uint32_t length = pixels_ / c.split;
    for (std::uint32_t g = 0; g < c.split; ++g) {
      const auto first = acc.begin() + g * length;
      std::int64_t sum = 0;
      for (auto i = first; i != first + length; ++i) sum += *i;
      const std::int64_t maximum = *std::max_element(first, first + length);
      if (c.operation == abi::OperationMacReduce) std::fill(first, first + length, sum);
      if (c.operation == abi::OperationMaxReduce) std::fill(first, first + length, maximum);
    }
    std::vector<std::int8_t> word;
    for (std::uint32_t p = 0; p < pixels_; ++p) {
      const std::size_t scale = (c.scale + row * c.split + p / length) % abi::ScaleDepth * 64;
      word.push_back(requantised(c, scale, acc[p]));
    }
    const std::size_t place = (c.row + row) % abi::RowDepth * 32;
    const auto output = static_cast<std::uint32_t>(bits(rows_, place + abi::RowOutputLsb, abi::RowOutputBits));
    const auto step = static_cast<std::uint32_t>(bits(rows_, place + abi::RowStepLsb, abi::RowStepBits));
    const auto permute = static_cast<std::uint32_t>(bits(rows_, place + abi::RowPermuteLsb, abi::RowPermuteBits));
    std::uint32_t entry = c.program + position * c.unroll + step;
    do {
      const std::size_t at = std::size_t{entry % array_.program_depth} * 64;
      const auto offset = static_cast<std::uint32_t>(bits(programs_, at + abi::ProgramOffsetLsb, 16));
      const auto own = static_cast<std::uint32_t>(bits(programs_, at + abi::ProgramPermuteLsb, 8));
      if (bits(programs_, at + abi::ProgramDropLsb, 1) == 0) {
        write(c.output + output + offset, word, (own + permute) % 256, c.fill);
      }
      entry = static_cast<std::uint32_t>(bits(programs_, at + abi::ProgramNextLsb, 16));
    } while (entry != 0);
  }

  std::int8_t requantised(const abi::Command& c, std::size_t scale, std::int64_t acc) const {
    const auto bias = static_cast<std::int32_t>(bits(scales_, scale + abi::ScaleBiasLsb, abi::ScaleBiasBits));
    const auto multiplier =
        static_cast<std::uint32_t>(bits(scales_, scale + abi::ScaleMultiplierLsb, abi::ScaleMultiplierBits));
    const auto shift = static_cast<unsigned>(bits(scales_, scale + abi::ScaleShiftLsb, abi::ScaleShiftBits));
    if (c.operation != abi::OperationAdd) {
      return abi::requantise(static_cast<std::int32_t>(acc + bias), multiplier, shift, c.zero, c.low, c.high);
    }
    const auto a = static_cast<std::int8_t>(acc);
    const auto b = static_cast<std::int8_t>((a - acc) / 256);
    return abi::residual_add(a, b, c.zero_a, c.zero_b, multiplier, c.multiplier_b, shift, c.zero, c.low, c.high);
  }

  void write(std::uint32_t address, const std::vector<std::int8_t>& word, std::uint32_t permutation, std::int8_t fill) {
    for (std::uint32_t p = 0; p < pixels_; ++p) {
      const std::uint8_t how = permutations_[std::size_t{permutation} * pixels_ + p];
      if (how / 64 == abi::PermuteCopy) pixel(address, p) = word[how % 64];
      if (how / 64 == abi::PermuteFill) pixel(address, p) = fill;
    }
  }

  abi::Configuration array_;
  std::uint32_t lanes_, pixels_, line_weights_;
  std::array<std::vector<std::uint8_t>, abi::Windows> windows_;
  std::vector<std::int8_t> scratch_;
  std::vector<std::uint8_t> rows_, scales_, programs_, permutations_, codes_;
  std::deque<std::vector<std::uint8_t>> store_;
  std::deque<std::vector<VectorSlot>> vectors_;  // slots of WeightsVector, by lane
  std::uint64_t macs_ = 0;
};

}  // namespace

ReferenceResult run_reference(const compile::DeviceProgram& program, std::span<const std::uint8_t> input,
                              const abi::Configuration& configuration) {
  return Machine(program, input, configuration).run(program);
}

}  // namespace espalier::test
