#include "compile/weight_code.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "compile/huffman.hpp"

namespace espalier::compile {
namespace {

constexpr unsigned ValidBit = abi::CodeGapBits, LastBit = abi::CodeGapBits + 1;
constexpr unsigned EscapeBits = abi::CodeGapBits;

/// Uses by which a gap symbol saves more than its entry in the table costs.
constexpr std::uint64_t WorthAnEntry = 4;

bool valid(GapKey key) { return (key >> ValidBit & 1U) != 0; }
bool last(GapKey key) { return (key >> LastBit & 1U) != 0; }

/// Bits of the number of one of `count` symbols.
unsigned index_bits(std::size_t count) {
  return static_cast<unsigned>(std::bit_width(std::max<std::size_t>(1, count) - 1));
}

abi::Symbol symbol_of(GapKey key) { return {0, static_cast<std::uint16_t>(key), valid(key), last(key), false}; }

/// Gap symbols with their counts; those without an entry of their own are written out.
struct GapChoice {
  std::vector<GapKey> kept;
  std::vector<std::uint64_t> counts;       // of kept
  std::array<std::uint64_t, 2> escaped{};  // row goes on, row ends

  std::size_t size() const { return kept.size() + (escaped[0] != 0 ? 1U : 0U) + (escaped[1] != 0 ? 1U : 0U); }
  std::uint64_t all_escaped() const { return escaped[0] + escaped[1]; }
};

/// Idle symbols first, as they cannot be written out, then the frequent ones.
std::vector<std::pair<GapKey, std::uint64_t>> by_count(const SymbolCounts& counts) {
  std::vector<std::pair<GapKey, std::uint64_t>> order(counts.gaps.begin(), counts.gaps.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    if (valid(a.first) != valid(b.first)) return !valid(a.first);
    return a.second > b.second;
  });
  return order;
}

/// At most `most` symbols, of which those of valid entries are used `least` times.
GapChoice choose_gaps(const SymbolCounts& counts, std::size_t most, std::uint64_t least) {
  const auto order = by_count(counts);
  const bool all = order.size() <= most && order.back().second >= least;
  GapChoice choice;
  for (const auto& [key, count] : order) {
    if (all || !valid(key) || (choice.kept.size() + 2 < most && count >= least)) {
      choice.kept.push_back(key);
      choice.counts.push_back(count);
    } else {
      choice.escaped[last(key) ? 1 : 0] += count;
    }
  }
  return choice;
}

/// The symbols of a choice in table order, and their counts.
struct GapSymbols {
  std::vector<abi::Symbol> symbols;
  std::vector<std::uint64_t> counts;
};

GapSymbols with_escapes(const GapChoice& choice) {
  GapSymbols result;
  result.counts = choice.counts;
  for (const GapKey key : choice.kept) result.symbols.push_back(symbol_of(key));
  for (const bool ends : {false, true}) {
    if (choice.escaped[ends ? 1 : 0] == 0) continue;
    result.symbols.push_back({0, 0, true, ends, true});
    result.counts.push_back(choice.escaped[ends ? 1 : 0]);
  }
  return result;
}

void add_gap(WeightCode& code, const abi::Symbol& symbol, CodeWord word) {
  if (symbol.escape) {
    code.escapes[symbol.last ? 1 : 0] = word;
  } else {
    const GapKey key = symbol.gap | (symbol.valid ? 1U << ValidBit : 0U) | (symbol.last ? 1U << LastBit : 0U);
    code.gaps.emplace(key, word);
  }
}

void set_gap(WeightCode& code, std::size_t index, const abi::Symbol& symbol) {
  if (code.symbols.size() <= index) code.symbols.resize(index + 1);
  const std::int8_t weight = code.symbols[index].weight;
  code.symbols[index] = symbol;
  code.symbols[index].weight = weight;
}

void set_value(WeightCode& code, std::size_t index, std::int8_t weight) {
  if (code.symbols.size() <= index) code.symbols.resize(index + 1);
  code.symbols[index].weight = weight;
}

std::vector<std::int8_t> values_in_use(const SymbolCounts& counts) {
  std::vector<std::int8_t> values;
  for (int value = -128; value < 128; ++value) {
    if (counts.values[static_cast<std::size_t>(value + 128)] != 0) values.push_back(static_cast<std::int8_t>(value));
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

void put_gap(const WeightCode& code, LaneBits& bits, const abi::Entry& entry, GapKey key) {
  const auto known = code.gaps.find(key);
  if (known != code.gaps.end()) return bits.put(known->second);
  bits.put(code.escapes[entry.last ? 1 : 0]);
  bits.put({entry.offset, EscapeBits});
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
    keys.push_back(gap | (entry.valid ? 1U << ValidBit : 0U) | (entry.last ? 1U << LastBit : 0U));
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
  std::vector<std::uint32_t> entries(abi::CodeDepth - CodeTableFirst);
  for (unsigned l = 0; l < abi::CodeMaxLength; ++l) {
    entries[abi::CodeGapLengths - CodeTableFirst + l] = abi::encode(gap_lengths[l]);
    entries[abi::CodeValueLengths - CodeTableFirst + l] = abi::encode(value_lengths[l]);
  }
  for (const abi::Symbol& symbol : symbols) entries.push_back(abi::encode(symbol));
  return entries;
}

WeightCode fixed_code(const SymbolCounts& counts) {
  std::uint64_t entries = 0;
  for (const auto& [key, count] : counts.gaps) entries += count;
  const std::size_t values = values_in_use(counts).size();
  GapChoice best;
  unsigned width = 0;
  double best_bits = 0;
  for (unsigned bits = 1; bits <= 8; ++bits) {
    const GapChoice choice = choose_gaps(counts, std::size_t{1} << bits, 1);
    if (choice.size() > std::size_t{1} << bits) continue;
    const double cost = static_cast<double>(entries) * bits + static_cast<double>(choice.all_escaped()) * EscapeBits +
                        32.0 * static_cast<double>(std::max(choice.size(), values));
    if (width != 0 && cost >= best_bits) continue;
    best = choice;
    width = bits;
    best_bits = cost;
  }
  WeightCode code;
  code.format = abi::FormatFixed;
  code.gap_bits = width;
  code.bits = static_cast<double>(entries) * width + static_cast<double>(best.all_escaped()) * EscapeBits;
  const GapSymbols gaps = with_escapes(best);
  for (std::size_t i = 0; i < gaps.symbols.size(); ++i) {
    set_gap(code, i, gaps.symbols[i]);
    add_gap(code, gaps.symbols[i], {static_cast<std::uint32_t>(i), width});
  }
  fixed_values(code, counts);
  return code;
}

std::optional<WeightCode> huffman_code(const SymbolCounts& counts, bool code_values) {
  const std::size_t values = values_in_use(counts).size();
  if (code_values ? values < 2 : values > 16) return std::nullopt;
  const GapChoice choice = choose_gaps(counts, abi::CodeSymbols, WorthAnEntry);
  const GapSymbols gaps = with_escapes(choice);
  WeightCode code;
  code.format = abi::FormatHuffman;
  const Canonical words = canonical(gaps.counts, code.gap_lengths);
  for (std::size_t i = 0; i < gaps.symbols.size(); ++i) {
    const std::size_t symbol = words.order[i];
    set_gap(code, i, gaps.symbols[symbol]);
    add_gap(code, gaps.symbols[symbol], words.words[symbol]);
    code.bits += static_cast<double>(gaps.counts[symbol]) * words.words[symbol].length;
  }
  code.bits += static_cast<double>(choice.all_escaped()) * EscapeBits;
  if (code_values) {
    huffman_values(code, counts);
  } else {
    fixed_values(code, counts);
  }
  return code;
}

std::vector<std::uint8_t> encode_slots(const WeightCode& code, std::span<const abi::Entry> entries,
                                       std::span<const GapKey> keys, unsigned lanes) {
  const std::size_t steps = entries.size() / lanes * code.steps();
  std::vector<LaneBits> bits(lanes);
  std::vector<std::uint64_t> read(steps * lanes);  // bits of each lane after each step
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::size_t k = i % lanes;
    const std::size_t step = i / lanes * code.steps();
    put_gap(code, bits[k], entries[i], keys[i]);
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
