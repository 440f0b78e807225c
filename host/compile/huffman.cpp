#include "compile/huffman.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace espalier::compile {
namespace {

/// A coin of package-merge: its weight and how often each symbol is in it.
struct Package {
  std::uint64_t weight = 0;
  std::vector<std::uint16_t> symbols;
};

bool lighter(const Package& a, const Package& b) { return a.weight < b.weight; }

}  // namespace

std::vector<unsigned> code_lengths(std::span<const std::uint64_t> counts, unsigned limit) {
  std::vector<unsigned> lengths(counts.size(), counts.size() == 1 ? 1U : 0U);
  if (counts.size() <= 1) return lengths;
  std::vector<Package> leaves(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) leaves[i] = {counts[i], {static_cast<std::uint16_t>(i)}};
  std::stable_sort(leaves.begin(), leaves.end(), lighter);
  std::vector<Package> level = leaves;
  for (unsigned l = 1; l < limit; ++l) {
    std::vector<Package> pairs;
    for (std::size_t i = 0; i + 1 < level.size(); i += 2) {
      Package& pair = pairs.emplace_back(std::move(level[i]));
      pair.weight += level[i + 1].weight;
      pair.symbols.insert(pair.symbols.end(), level[i + 1].symbols.begin(), level[i + 1].symbols.end());
    }
    level.clear();
    std::merge(leaves.begin(), leaves.end(), pairs.begin(), pairs.end(), std::back_inserter(level), lighter);
  }
  for (std::size_t i = 0; i < 2 * counts.size() - 2; ++i) {
    for (const std::uint16_t symbol : level[i].symbols) ++lengths[symbol];
  }
  return lengths;
}

double entropy_bits(std::span<const std::uint64_t> counts) {
  const auto total = static_cast<double>(std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}));
  double bits = 0;
  for (const std::uint64_t count : counts) {
    if (count != 0) bits += static_cast<double>(count) * std::log2(total / static_cast<double>(count));
  }
  return bits;
}

}  // namespace espalier::compile
