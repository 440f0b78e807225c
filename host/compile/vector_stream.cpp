#include "compile/vector_stream.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <numeric>

#include "compile/huffman.hpp"
#include "esp_vector.hpp"

namespace espalier::compile {
namespace {

/// Values of symbols that end something.
constexpr std::uint32_t RowEnds = 0, LastRowEnds = 1, NoRowEnds = 2;

constexpr unsigned MostGapBits = 8;

/// Widths of gaps that are estimated to cost up to this much more than the best are tried, with so many rows of a lane.
constexpr double Similar = 1.1;
constexpr std::size_t SampleRows = 8;

/// The gap of all ones, which passes over so many columns.
constexpr std::uint32_t pass_gap(unsigned gap_bits) { return (1U << gap_bits) - 1; }

/// Symbols for a gap in front of a product, which may not be all ones, or of an end.
std::uint64_t product_symbols(std::uint64_t gap, unsigned gap_bits) { return gap / pass_gap(gap_bits) + 1; }
std::uint64_t end_symbols(std::uint64_t gap, unsigned gap_bits) {
  return std::max<std::uint64_t>(1, (gap + pass_gap(gap_bits) - 1) / pass_gap(gap_bits));
}

/// How often each gap stands in front of products and of ends.
struct Gaps {
  std::vector<std::uint64_t> products, ends;

  Gaps(std::span<const VectorRow> rows, std::uint32_t columns) : products(columns + 1), ends(columns + 1) {
    for (const VectorRow& row : rows) {
      std::uint32_t behind = 0;
      for (const std::uint32_t column : row.columns) {
        ++products[column - behind];
        behind = column + 1;
      }
      ++ends[columns - behind];
    }
  }

  std::uint64_t symbols(unsigned gap_bits) const {
    std::uint64_t count = 0;
    for (std::size_t gap = 0; gap < products.size(); ++gap) {
      count += products[gap] * product_symbols(gap, gap_bits) + ends[gap] * end_symbols(gap, gap_bits);
    }
    return count;
  }
};

/// Symbols as bits, the first one most significant, in 32-bit words.
class BitWriter {
 public:
  void put(std::uint32_t bits, unsigned count) {
    for (unsigned i = count; i-- > 0;) {
      if (used_ == 0) words_.push_back(0);
      words_.back() |= (bits >> i & 1U) << (31 - used_);
      used_ = (used_ + 1) % 32;
    }
  }
  const std::vector<std::uint32_t>& words() const { return words_; }

 private:
  std::vector<std::uint32_t> words_;
  unsigned used_ = 0;  // bits of the last word
};

class LaneWriter {
 public:
  LaneWriter(const VectorCode& code, std::uint32_t columns) : code_(code), columns_(columns) {}

  void row(const VectorRow& row, std::uint32_t end) {
    std::uint32_t behind = 0;
    for (std::size_t i = 0; i < row.columns.size(); ++i) {
      const std::uint32_t gap = pass(row.columns[i] - behind, pass_gap(code_.gap_bits) - 1);
      symbol(gap, code_.values[static_cast<std::uint8_t>(row.weights[i])]);
      behind = row.columns[i] + 1;
    }
    symbol(pass(columns_ - behind, pass_gap(code_.gap_bits)), end);
  }

  const std::vector<std::uint32_t>& words() const { return bits_.words(); }

 private:
  void symbol(std::uint32_t gap, std::uint32_t value) {
    bits_.put(gap << code_.value_bits | value, code_.gap_bits + code_.value_bits);
  }

  /// Passes over columns until the gap that is left is at most `most`, and returns it.
  std::uint32_t pass(std::uint32_t gap, std::uint32_t most) {
    for (; gap > most; gap -= pass_gap(code_.gap_bits)) symbol(pass_gap(code_.gap_bits), 0);
    return gap;
  }

  const VectorCode& code_;
  std::uint32_t columns_;
  BitWriter bits_;
};

std::uint64_t row_symbols(const VectorRow& row, std::uint32_t columns, unsigned gap_bits) {
  std::uint64_t count = 0;
  std::uint32_t behind = 0;
  for (const std::uint32_t column : row.columns) {
    count += product_symbols(column - behind, gap_bits);
    behind = column + 1;
  }
  return count + end_symbols(columns - behind, gap_bits);
}

/// The rows of each lane.
std::vector<std::vector<int>> deal_rows(std::span<const VectorRow> rows, std::uint32_t columns, unsigned gap_bits,
                                        std::size_t most, unsigned lanes) {
  std::vector<std::uint64_t> symbols;
  for (const VectorRow& row : rows) symbols.push_back(row_symbols(row, columns, gap_bits));
  std::vector<int> order(rows.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
    return symbols[static_cast<std::size_t>(a)] > symbols[static_cast<std::size_t>(b)];
  });
  std::vector<std::vector<int>> result(lanes);
  std::vector<std::uint64_t> load(lanes, 0);
  for (const int row : order) {
    std::size_t lane = lanes;
    for (std::size_t k = 0; k < lanes; ++k) {
      if (result[k].size() < most && (lane == lanes || load[k] < load[lane])) lane = k;
    }
    result[lane].push_back(row);
    load[lane] += symbols[static_cast<std::size_t>(row)];
  }
  return result;
}

}  // namespace

VectorCode vector_code(std::span<const VectorRow> rows, std::uint32_t columns, const abi::Configuration& configuration,
                       const abi::MemoryParameters& memory) {
  VectorCode code;
  std::vector<std::uint64_t> counts(256);
  for (const VectorRow& row : rows) {
    for (const std::int8_t weight : row.weights) ++counts[static_cast<std::uint8_t>(weight)];
  }
  for (std::size_t weight = 0; weight < counts.size(); ++weight) {
    code.values[weight] = static_cast<std::uint8_t>(counts[weight] != 0 ? code.weights.size() : 0);
    if (counts[weight] != 0) code.weights.push_back(static_cast<std::int8_t>(weight));
  }
  if (code.weights.size() <= 16) {
    // Two bits tell all ends apart.
    code.value_bits =
        std::max(2U, static_cast<unsigned>(std::bit_width(std::max<std::size_t>(code.weights.size(), 1) - 1)));
  } else {
    code.weights.clear();
    std::iota(code.values.begin(), code.values.end(), std::uint8_t{0});
  }
  const Gaps gaps(rows, columns);
  code.entropy_bits = entropy_bits(gaps.products) + entropy_bits(counts);
  const auto cycles_of = [&](unsigned gap_bits) {
    const double bits = static_cast<double>(gaps.symbols(gap_bits)) * (gap_bits + code.value_bits);
    return std::max(bits / 8 / memory.bytes,
                    bits / (gap_bits + code.value_bits) / configuration.lanes / configuration.vector_products());
  };
  double least = std::numeric_limits<double>::infinity();
  for (unsigned gap_bits = 1; gap_bits <= MostGapBits; ++gap_bits) least = std::min(least, cycles_of(gap_bits));
  // Which symbols share a slot is known when they are dealt: the best widths are tried with some of the rows.
  const auto sample = rows.first(std::min<std::size_t>(rows.size(), SampleRows * std::size_t{configuration.lanes}));
  VectorCode best;
  double best_cycles = std::numeric_limits<double>::infinity();
  for (code.gap_bits = 1; code.gap_bits <= MostGapBits; ++code.gap_bits) {
    if (cycles_of(code.gap_bits) > Similar * least) continue;
    const double cycles = vector_stream(sample, columns, code, sample.size(), configuration).cycles(memory);
    if (cycles >= best_cycles) continue;
    best_cycles = cycles;
    best = code;
    best.bits = static_cast<double>(gaps.symbols(code.gap_bits)) * (code.gap_bits + code.value_bits);
  }
  return best;
}

double VectorStream::cycles(const abi::MemoryParameters& memory) const {
  return std::max(rounds, static_cast<double>(bytes.size()) / memory.bytes);
}

VectorStream vector_stream(std::span<const VectorRow> rows, std::uint32_t columns, const VectorCode& code,
                           std::size_t most, const abi::Configuration& configuration) {
  const std::vector<std::vector<int>> lane_rows = deal_rows(rows, columns, code.gap_bits, most, configuration.lanes);
  std::vector<LaneWriter> lanes(configuration.lanes, LaneWriter(code, columns));
  VectorStream stream;
  for (std::size_t k = 0; k < lanes.size(); ++k) {
    for (std::size_t j = 0; j < lane_rows[k].size(); ++j) {
      lanes[k].row(rows[static_cast<std::size_t>(lane_rows[k][j])],
                   j + 1 < lane_rows[k].size() ? RowEnds : LastRowEnds);
      stream.rows.resize(std::max(stream.rows.size(), (j + 1) * lanes.size()), -1);
      stream.rows[j * lanes.size() + k] = lane_rows[k][j];
    }
    if (lane_rows[k].empty()) lanes[k].row({}, NoRowEnds);
  }
  abi::Command command;
  command.gap_bits = static_cast<std::uint8_t>(code.gap_bits);
  command.value_bits = static_cast<std::uint8_t>(code.value_bits);
  command.columns = columns;
  const abi::CodeTable table;
  abi::VectorLanes readers(command, table, configuration);
  std::vector<abi::VectorEntry> slot(lanes.size());
  std::vector<std::size_t> next(lanes.size(), 0);
  // A lane that reads its last words takes what follows them, which it gives up.
  const auto deal = [&](std::size_t k) -> std::optional<std::uint32_t> {
    const auto& words = lanes[k].words();
    const std::uint32_t word = next[k] < words.size() ? words[next[k]] : 0;
    ++next[k];
    for (unsigned byte = 0; byte < 4; ++byte) stream.bytes.push_back(static_cast<std::uint8_t>(word >> (8 * byte)));
    return word;
  };
  while (!readers.over()) {
    const abi::CodeRound round = readers.round(slot, deal);
    stream.slots += round.slot ? 1U : 0U;
    stream.rounds += std::max(1U, (round.words + abi::WordsPerBeat - 1) / abi::WordsPerBeat);
  }
  return stream;
}

}  // namespace espalier::compile
