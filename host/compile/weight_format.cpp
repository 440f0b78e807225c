#include "compile/weight_format.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "compile/huffman.hpp"

namespace espalier::compile {
namespace {

/// A code is preferred to raw weights if it saves this share of the cycles, or bytes at about the same cycles.
constexpr double CycleGain = 0.998, SameCycles = 1.0005;

constexpr std::size_t MostPacked = 16;  // values

/// A way to store the streams, and what it is estimated to cost.
struct Candidate {
  std::optional<WeightCode> code;  // none: raw
  double bytes = 0;
  double cycles = 0;
};

double beats_of(double bytes) { return bytes / abi::BeatBytes; }

std::vector<abi::Entry> entries_of(const Stream& stream) {
  std::vector<abi::Entry> entries(stream.bytes.size() / 4);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    std::uint32_t bits = 0;
    for (std::size_t byte = 4; byte-- > 0;) bits = bits << 8 | stream.bytes[i * 4 + byte];
    entries[i] = abi::decode_entry(bits);
  }
  return entries;
}

class SparseStreams {
 public:
  SparseStreams(const std::vector<StreamUse>& uses, double table_loads, const abi::Configuration& configuration,
                const MemoryParameters& memory)
      : uses_(uses),
        table_loads_(table_loads),
        configuration_(configuration),
        interval_(abi::BeatBytes / memory.bytes) {
    for (const StreamUse& use : uses) {
      entries_.push_back(entries_of(*use.stream));
      keys_.push_back(gap_keys(entries_.back(), configuration.lanes));
      counts_.add(entries_.back(), keys_.back());
    }
    counts_.table_reads = table_loads / mean_reads();
  }

  CodedWeights code(WeightFormat format) {
    set_entropies();
    std::vector<Candidate> candidates;
    if (format == WeightFormat::Auto || format == WeightFormat::Fixed) candidates.push_back(coded(fixed_code(counts_)));
    if (format == WeightFormat::Auto || format == WeightFormat::Huffman) {
      for (const bool values : {false, true}) {
        if (const auto code = huffman_code(counts_, values)) candidates.push_back(coded(*code));
      }
    }
    Candidate best = raw();
    if (format == WeightFormat::Auto) {
      for (const Candidate& candidate : candidates) {
        const bool faster = candidate.cycles < CycleGain * best.cycles;
        const bool smaller = candidate.bytes < best.bytes && candidate.cycles <= SameCycles * best.cycles;
        if (faster || smaller) best = candidate;
      }
    } else if (!candidates.empty()) {
      best = *std::min_element(candidates.begin(), candidates.end(),
                               [](const Candidate& a, const Candidate& b) { return a.bytes < b.bytes; });
    }
    return best.code ? encode(*best.code) : CodedWeights{};
  }

 private:
  Candidate raw() const {
    Candidate result;
    double unit = 0;
    for (const StreamUse& use : uses_) {
      result.bytes += use.reads * static_cast<double>(use.stream->bytes.size());
      unit += use.reads * use.stream->slots * entry_beats();
    }
    result.cycles = std::max({compute(), unit, beats_of(result.bytes) * interval_}) + first_pass(entry_beats());
    return result;
  }

  /// Beats of a slot of FormatSparse, which is a beat at least in time.
  double entry_beats() const { return std::max(1.0, configuration_.lanes / 16.0); }

  /// Cycles that the array waits for the first stream if a slot takes `rate` cycles to arrive.
  double first_pass(double rate) const { return (rate - 1) * uses_.front().stream->slots; }

  double compute() const {
    double cycles = 0;
    for (const StreamUse& use : uses_) cycles += use.stream->slots * use.positions;
    return cycles;
  }

  Candidate coded(const WeightCode& code) const {
    Candidate result;
    double unit = 0;
    const auto table = table_loads_ * static_cast<double>(code.table().size());
    result.bytes = 4 * table;
    const double prime = (abi::LaneWords - 1) * entry_beats() + 1;
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      result.bytes += uses_[i].reads * static_cast<double>(entries_[i].size()) / all_entries() * code.bits / 8;
      unit += uses_[i].reads * (static_cast<double>(uses_[i].stream->slots) * code.steps() + prime);
    }
    const double start = table + prime + first_pass(code.steps());
    result.cycles = std::max({compute(), unit, beats_of(result.bytes) * interval_}) + start;
    result.code = code;
    return result;
  }

  /// How often an entry is read.
  double mean_reads() const {
    double reads = 0;
    for (std::size_t i = 0; i < uses_.size(); ++i) reads += uses_[i].reads * static_cast<double>(entries_[i].size());
    return std::max(1.0, reads / all_entries());
  }

  double all_entries() const {
    double entries = 0;
    for (const auto& stream : entries_) entries += static_cast<double>(stream.size());
    return std::max(1.0, entries);
  }

  void set_entropies() {
    const double each = counts_.entropy_bits() / all_entries();
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      uses_[i].stream->entropy_bits = each * static_cast<double>(entries_[i].size());
    }
  }

  CodedWeights encode(const WeightCode& code) {
    const double each = code.bits / all_entries();
    for (std::size_t i = 0; i < uses_.size(); ++i) {
      Stream& stream = *uses_[i].stream;
      stream.coded_bits = each * static_cast<double>(entries_[i].size());
      stream.bytes = encode_slots(code, entries_[i], keys_[i], configuration_.lanes);
      stream.weights.format = static_cast<std::uint8_t>(code.format);
      stream.weights.gap_bits = static_cast<std::uint8_t>(code.gap_bits);
      stream.weights.value_bits = static_cast<std::uint8_t>(code.value_bits);
    }
    return {code.table(), code.table_first()};
  }

  const std::vector<StreamUse>& uses_;
  double table_loads_;
  const abi::Configuration& configuration_;
  unsigned interval_;  // cycles of a beat
  std::vector<std::vector<abi::Entry>> entries_;
  std::vector<std::vector<GapKey>> keys_;
  SymbolCounts counts_;
};

/// Symbols of `bits` bits each, low bits first.
std::vector<std::uint8_t> packed(const std::vector<std::uint8_t>& weights, const std::vector<std::uint8_t>& symbols,
                                 unsigned bits) {
  std::vector<std::uint8_t> bytes(weights.size() * bits / 8);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const auto symbol = static_cast<unsigned>(symbols[weights[i]]) << (i * bits % 8);
    bytes[i * bits / 8] = static_cast<std::uint8_t>(bytes[i * bits / 8] | symbol);
  }
  return bytes;
}

CodedWeights code_dense(const std::vector<StreamUse>& uses, WeightFormat format) {
  std::vector<std::uint64_t> counts(256);
  for (const StreamUse& use : uses) {
    for (const std::uint8_t weight : use.stream->bytes) ++counts[weight];
  }
  double all = 0;
  for (const std::uint64_t count : counts) all += static_cast<double>(count);
  const double each = entropy_bits(counts) / std::max(1.0, all);
  std::vector<std::uint8_t> symbols(256);
  CodedWeights result;
  for (std::size_t weight = 0; weight < counts.size(); ++weight) {
    if (counts[weight] == 0) continue;
    symbols[weight] = static_cast<std::uint8_t>(result.table.size());
    result.table.push_back(abi::encode(abi::Symbol{static_cast<std::int8_t>(weight), 0, false, false, 0}));
  }
  const std::size_t values = result.table.size();
  for (const StreamUse& use : uses) use.stream->entropy_bits = each * static_cast<double>(use.stream->bytes.size());
  if (format == WeightFormat::Raw || values > MostPacked) return {};
  const unsigned bits = values <= 2 ? 1 : values <= 4 ? 2 : 4;
  // Half of the bytes and a line per cycle: the table alone costs time.
  for (const StreamUse& use : uses) {
    use.stream->bytes = packed(use.stream->bytes, symbols, bits);
    use.stream->weights.format = static_cast<std::uint8_t>(abi::FormatPacked);
    use.stream->weights.value_bits = static_cast<std::uint8_t>(bits);
  }
  result.table.insert(result.table.begin(), abi::CodeDepth - CodeTableFirst, 0);
  return result;
}

}  // namespace

CodedWeights code_weights(const std::vector<StreamUse>& uses, double table_loads, WeightFormat format,
                          const abi::Configuration& configuration, const MemoryParameters& memory) {
  if (uses.empty()) return {};
  if (!configuration.coded) format = WeightFormat::Raw;
  const unsigned raw = uses.front().stream->weights.format;
  if (raw == abi::FormatDense) return code_dense(uses, format);
  if (raw == abi::FormatSparse) return SparseStreams(uses, table_loads, configuration, memory).code(format);
  return {};
}

double natural_entropy_bits(const std::vector<std::int8_t>& weights) {
  std::map<std::size_t, std::uint64_t> gaps;
  std::vector<std::uint64_t> values(256);
  std::size_t previous = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) continue;
    ++gaps[i - previous];
    previous = i;
    ++values[static_cast<std::uint8_t>(weights[i])];
  }
  std::vector<std::uint64_t> uses;
  uses.reserve(gaps.size());
  for (const auto& [gap, count] : gaps) uses.push_back(count);
  return entropy_bits(uses) + entropy_bits(values);
}

}  // namespace espalier::compile
