#include "compile/weight_code.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "compile/huffman.hpp"

namespace espalier::compile {
namespace {

/// Bits of an entry of the code table.
constexpr double EntryBits = 32;

/// A code this much above the entropy may have as large a table as it needs.
constexpr double CloseToEntropy = 1.045;

/// Bits of the number of one of `count` symbols.
unsigned index_bits(std::size_t count) {
  return static_cast<unsigned>(std::bit_width(std::max<std::size_t>(1, count) - 1));
}

abi::Symbol symbol_of(const GapSymbol& gap) {
  const bool valid = (gap.first >> GapValidBit & 1U) != 0, last = (gap.first >> GapLastBit & 1U) != 0;
  return {0, static_cast<std::uint16_t>(gap.first), valid, last, static_cast<std::uint8_t>(gap.extra), gap.unit > 1};
}

void add_gap(WeightCode& code, const GapSymbol& gap, CodeWord word) {
  for (const GapKey key : gap.keys) code.gaps[key] = {word, static_cast<std::uint16_t>(gap.first), gap.extra, gap.unit};
  code.bits += static_cast<double>(gap.count) * (word.length + gap.extra);
}

void set_gap(WeightCode& code, std::size_t index, const abi::Symbol& symbol) {
  if (code.symbols.size() <= index) code.symbols.resize(index + 1);
  const std::int8_t weight = code.symbols[index].weight;
  code.symbols[index] = symbol;
  code.symbols[index].weight = weight;
}

void set_steps(WeightCode& code, const GapSymbols& gaps) {
  for (std::size_t n = 0; n < gaps.steps; ++n) code.gap_steps.push_back(static_cast<std::uint16_t>(n * gaps.unit));
}

void set_value(WeightCode& code, std::size_t index, std::int8_t weight) {
  if (code.symbols.size() <= index) code.symbols.resize(index + 1);
  code.symbols[index].weight = weight;
}

std::vector<std::int8_t> values_in_use(const SymbolCounts& counts) {
  std::vector<std::int8_t> values;
  for (std::size_t i = 0; i < counts.values.size(); ++i) {
    if (counts.values[i] != 0) values.push_back(static_cast<std::int8_t>(static_cast<int>(i) - 128));
  }
  return values;
}

void fixed_values(WeightCode& code, const SymbolCounts& counts) {
  const std::vector<std::int8_t> values = values_in_use(counts);
  code.value_bits = index_bits(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    set_value(code, i, values[i]);
    code.values[static_cast<std::size_t>(values[i] + 128)] = {static_cast<std::uint32_t>(i), code.value_bits};
  }
  code.bits += static_cast<double>(counts.value_count()) * code.value_bits;
}

/// Canonical codes: symbols by rising length. Returns the words by symbol, and the order of the symbols in the table.
struct Canonical {
  std::vector<CodeWord> words;
  std::vector<std::size_t> order;
};

Canonical canonical(std::span<const std::uint64_t> counts, std::array<abi::CodeLength, abi::CodeMaxLength>& table) {
  const std::vector<unsigned> lengths = code_lengths(counts, abi::CodeMaxLength);
  Canonical result;
  result.words.resize(counts.size());
  result.order.resize(counts.size());
  std::iota(result.order.begin(), result.order.end(), std::size_t{0});
  std::stable_sort(result.order.begin(), result.order.end(),
                   [&](std::size_t a, std::size_t b) { return lengths[a] < lengths[b]; });
  std::uint32_t code = 0;  // the next one of length l
  std::size_t index = 0;
  for (unsigned l = 1; l <= abi::CodeMaxLength; ++l) {
    code <<= 1;
    table[l - 1].base = static_cast<std::uint8_t>(index - code);
    for (; index < counts.size() && lengths[result.order[index]] == l; ++index) {
      result.words[result.order[index]] = {code++, l};
    }
    table[l - 1].limit = static_cast<std::uint16_t>(code << (abi::CodeMaxLength - l));
  }
  return result;
}

void huffman_values(WeightCode& code, const SymbolCounts& counts) {
  const std::vector<std::int8_t> values = values_in_use(counts);
  std::vector<std::uint64_t> uses;
  uses.reserve(values.size());
  for (const std::int8_t value : values) uses.push_back(counts.values[static_cast<std::size_t>(value + 128)]);
  const Canonical words = canonical(uses, code.value_lengths);
  code.value_bits = abi::ValueHuffman;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::size_t symbol = words.order[i];
    set_value(code, i, values[symbol]);
    code.values[static_cast<std::size_t>(values[symbol] + 128)] = words.words[symbol];
    code.bits += static_cast<double>(uses[symbol]) * words.words[symbol].length;
  }
}

/// The bits of one lane, as words, most significant bit first.
class LaneBits {
 public:
  void put(CodeWord word) {
    for (unsigned i = word.length; i-- > 0;) {
      if (size_ % 32 == 0) words_.push_back(0);
      words_.back() |= (word.bits >> i & 1U) << (31 - size_ % 32);
      ++size_;
    }
  }
  std::uint64_t size() const { return size_; }
  std::size_t words() const { return words_.size(); }
  std::uint32_t word(std::size_t index) const { return words_[index]; }

 private:
  std::vector<std::uint32_t> words_;
  std::uint64_t size_ = 0;
};

/// Puts the words of the lanes in the order in which the machine deals them.
class Dealer {
 public:
  explicit Dealer(std::size_t lanes) : lanes_(lanes) {}

  /// A round after which the lanes have read as many bits as `read` says.
  void round(std::span<const LaneBits> bits, std::span<const std::uint64_t> read, unsigned prime) {
    for (std::size_t k = 0; k < lanes_.size(); ++k) {
      Lane& lane = lanes_[k];
      if (lane.dealt - lane.gone > prime) continue;
      const bool used = lane.dealt < bits[k].words();
      const std::uint32_t word = used ? bits[k].word(static_cast<std::size_t>(lane.dealt)) : 0;
      ++lane.dealt;
      for (unsigned byte = 0; byte < 4; ++byte) bytes_.push_back(static_cast<std::uint8_t>(word >> (8 * byte)));
      if (used) end_ = bytes_.size();
    }
    for (std::size_t k = 0; k < lanes_.size(); ++k) lanes_[k].gone = read[k] / 32;
  }

  /// Words behind the last one that is read are left out.
  std::vector<std::uint8_t> take() {
    bytes_.resize(end_);
    return std::move(bytes_);
  }

 private:
  struct Lane {
    std::uint64_t dealt = 0, gone = 0;  // words
  };
  std::vector<Lane> lanes_;
  std::vector<std::uint8_t> bytes_;
  std::size_t end_ = 0;
};

void put_gap(const WeightCode& code, LaneBits& bits, GapKey key) {
  const GapWord& gap = code.gaps.at(key);
  bits.put(gap.word);
  bits.put({static_cast<std::uint16_t>(key - gap.first) / gap.unit, gap.extra});
}

}  // namespace

std::vector<GapKey> gap_keys(std::span<const abi::Entry> entries, unsigned lanes) {
  std::vector<std::uint16_t> address(lanes, 0);
  std::vector<GapKey> keys;
  keys.reserve(entries.size());
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const abi::Entry& entry = entries[i];
    std::uint16_t& at = address[i % lanes];
    const auto gap = static_cast<std::uint16_t>(entry.valid ? entry.offset - at : 0);
    at = static_cast<std::uint16_t>(at + gap);
    keys.push_back(gap | (entry.valid ? 1U << GapValidBit : 0U) | (entry.last ? 1U << GapLastBit : 0U));
  }
  return keys;
}

void SymbolCounts::add(std::span<const abi::Entry> entries, std::span<const GapKey> keys) {
  for (const GapKey key : keys) ++gaps[key];
  for (const abi::Entry& entry : entries) {
    if (entry.valid) ++values[static_cast<std::size_t>(entry.weight + 128)];
  }
}

std::uint64_t SymbolCounts::value_count() const {
  return std::accumulate(values.begin(), values.end(), std::uint64_t{0});
}

double SymbolCounts::entropy_bits() const {
  std::vector<std::uint64_t> uses;
  for (const auto& [key, count] : gaps) uses.push_back(count);
  return compile::entropy_bits(uses) + compile::entropy_bits(values);
}

std::vector<std::uint32_t> WeightCode::table() const {
  const unsigned first = table_first();
  std::vector<std::uint32_t> entries(abi::CodeDepth - first);
  for (std::size_t n = 0; n < gap_steps.size(); ++n) {
    entries[abi::CodeStepZero - n - first] = abi::encode(abi::Symbol{0, gap_steps[n], false, false, 0});
  }
  for (unsigned l = 0; l < abi::CodeMaxLength; ++l) {
    entries[abi::CodeGapLengths - first + l] = abi::encode(gap_lengths[l]);
    entries[abi::CodeValueLengths - first + l] = abi::encode(value_lengths[l]);
  }
  for (const abi::Symbol& symbol : symbols) entries.push_back(abi::encode(symbol));
  return entries;
}

unsigned WeightCode::table_first() const { return CodeTableFirst - static_cast<unsigned>(gap_steps.size()); }

WeightCode fixed_code(const SymbolCounts& counts) {
  const std::size_t values = values_in_use(counts).size();
  const double entry_bits = EntryBits * counts.table_reads;
  const std::vector<unsigned> units = gap_units(counts.gaps);
  WeightCode best;
  double best_bits = 0;
  // Idle entries and valid ones, with the end of a row and without, have at least a symbol each. From the width at
  // which every gap has one down to where it no longer pays.
  const unsigned least = counts.gaps.size() <= 2 ? 1 : 2;
  for (unsigned bits = std::clamp(index_bits(counts.gaps.size()), least, 8U); bits >= least; --bits) {
    const GapSymbols chosen =
        choose_gap_symbols(counts.gaps, {units, std::size_t{1} << bits, values, entry_bits, SymbolCost::Same});
    const std::vector<GapSymbol>& gaps = chosen.symbols;
    WeightCode code;
    set_steps(code, chosen);
    code.format = abi::FormatFixed;
    code.gap_bits = bits;
    for (std::size_t i = 0; i < gaps.size(); ++i) {
      set_gap(code, i, symbol_of(gaps[i]));
      add_gap(code, gaps[i], {static_cast<std::uint32_t>(i), bits});
    }
    const double cost = code.bits + entry_bits * static_cast<double>(std::max(gaps.size(), values) + chosen.steps);
    if (best.gap_bits != 0 && cost >= best_bits) break;
    best = std::move(code);
    best_bits = cost;
  }
  fixed_values(best, counts);
  return best;
}

namespace {

WeightCode priced_code(const SymbolCounts& counts, bool code_values, const std::vector<unsigned>& units,
                       double entry_bits) {
  const GapSymbols chosen = choose_gap_symbols(
      counts.gaps, {units, abi::CodeSymbols, values_in_use(counts).size(), entry_bits, SymbolCost::Entropy});
  const std::vector<GapSymbol>& gaps = chosen.symbols;
  std::vector<std::uint64_t> uses;
  uses.reserve(gaps.size());
  for (const GapSymbol& gap : gaps) uses.push_back(gap.count);
  WeightCode code;
  code.format = abi::FormatHuffman;
  set_steps(code, chosen);
  const Canonical words = canonical(uses, code.gap_lengths);
  for (std::size_t i = 0; i < gaps.size(); ++i) {
    const std::size_t symbol = words.order[i];
    set_gap(code, i, symbol_of(gaps[symbol]));
    add_gap(code, gaps[symbol], words.words[symbol]);
  }
  if (code_values) {
    huffman_values(code, counts);
  } else {
    fixed_values(code, counts);
  }
  return code;
}

}  // namespace

std::optional<WeightCode> huffman_code(const SymbolCounts& counts, bool code_values) {
  const std::size_t values = values_in_use(counts).size();
  if (code_values ? values < 2 : values > 16) return std::nullopt;
  const std::vector<unsigned> units = gap_units(counts.gaps);
  WeightCode code = priced_code(counts, code_values, units, EntryBits * counts.table_reads);
  if (code.bits <= CloseToEntropy * counts.entropy_bits()) return code;
  WeightCode large = priced_code(counts, code_values, units, 0);
  return large.bits < code.bits ? large : code;
}

std::vector<std::uint8_t> encode_slots(const WeightCode& code, std::span<const abi::Entry> entries,
                                       std::span<const GapKey> keys, unsigned lanes) {
  const std::size_t steps = entries.size() / lanes * code.steps();
  std::vector<LaneBits> bits(lanes);
  std::vector<std::uint64_t> read(steps * lanes);  // bits of each lane after each step
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t k = i % lanes;
    const std::size_t step = i / lanes * code.steps();
    put_gap(code, bits[k], keys[i]);
    if (code.steps() == 2) read[step * lanes + k] = bits[k].size();
    if (entries[i].valid) bits[k].put(code.values[static_cast<std::size_t>(entries[i].weight + 128)]);
    read[(step + code.steps() - 1) * lanes + k] = bits[k].size();
  }
  Dealer dealer(lanes);
  const std::vector<std::uint64_t> none(lanes, 0);
  for (unsigned prime = 0; prime + 1 < abi::LaneWords; ++prime) dealer.round(bits, none, prime);
  for (std::size_t step = 0; step < steps; ++step) {
    dealer.round(bits, {&read[step * lanes], lanes}, abi::LaneWords - 1);
  }
  return dealer.take();
}

}  // namespace espalier::compile
