#include "compile/write_program.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "esp_abi.hpp"

namespace espalier::compile {
namespace {

constexpr auto CopyMode = static_cast<unsigned>(abi::PermuteCopy) << abi::PermuteModeLsb;
constexpr auto FillMode = static_cast<unsigned>(abi::PermuteFill) << abi::PermuteModeLsb;

/// What one segment of a destination word takes from one result: the tile for every byte, or one of these.
using Pattern = std::vector<int>;
constexpr int Keep = -1;
constexpr int Fill = -2;

/// Collects the writes of one destination word, one pattern per contributing position.
class Planner {
 public:
  Planner(const Tiling& tiling, const Layout& layout, const WriteSelection& selection)
      : tiling_(tiling),
        layout_(layout),
        selection_(selection),
        planes_(std::max(1, tiling.word.split / layout.word.split)),
        variants_(std::max(1, layout.word.split / tiling.word.split)) {
    plan_.positions.resize(static_cast<std::size_t>(tiling.positions()));
    plan_.variants = variants_;
  }

  WritePlan run() {
    for (int row = 0; row < layout_.rows; ++row) {
      for (int column = 0; column < layout_.columns; ++column) plan_word(row, column);
    }
    return std::move(plan_);
  }

 private:
  void plan_word(int row, int column) {
    parts_.clear();
    std::vector<int> fills;
    for (int byte = 0; byte < layout_.word.segment; ++byte) {
      const std::optional<Pixel> pixel = layout_.pixel(byte, row, column);
      if (!pixel) {
        fills.push_back(byte);
      } else if (!selection_.includes || selection_.includes(*pixel)) {
        const Source source = source_of(tiling_, *pixel);
        part(source.y * tiling_.width + source.x)[static_cast<std::size_t>(byte)] = source.tile;
      }
    }
    if (selection_.fills && !fills.empty()) {
      Pattern& first = parts_.empty() ? part(nearby_position(row, column)) : parts_.front().second;
      for (const int byte : fills) first[static_cast<std::size_t>(byte)] = Fill;
    }
    for (const auto& [position, pattern] : parts_) {
      const int permute = permutation_index(pattern);
      for (int plane = 0; plane < planes_; ++plane) {
        plan_.positions[static_cast<std::size_t>(position)].push_back(
            {plane, row * layout_.row_pitch + column, permute + plane});
      }
    }
  }

  Pattern& part(int position) {
    for (auto& [known, pattern] : parts_) {
      if (known == position) return pattern;
    }
    return parts_.emplace_back(position, Pattern(static_cast<std::size_t>(layout_.word.segment), Keep)).second;
  }

  int nearby_position(int row, int column) const {
    const std::int64_t steps_y = std::int64_t{layout_.step_y} * tiling_.height;
    const std::int64_t steps_x = std::int64_t{layout_.step_x} * tiling_.width;
    const auto y = static_cast<int>((row + steps_y - layout_.origin_y) % tiling_.height);
    const auto x = static_cast<int>((column + steps_x - layout_.origin_x) % tiling_.width);
    return std::abs(y) * tiling_.width + std::abs(x);
  }

  /// The first of the permutations of a pattern: one per plane or variant.
  int permutation_index(const Pattern& pattern) {
    const auto [found, inserted] = known_.try_emplace(pattern, static_cast<int>(plan_.permutations.size()));
    if (inserted) {
      for (int plane = 0; plane < planes_; ++plane) {
        for (int variant = 0; variant < variants_; ++variant) {
          plan_.permutations.push_back(permutation(pattern, plane * layout_.word.split - variant * tiling_.word.split));
        }
      }
    }
    return found->second;
  }

  /// Segment h of the destination takes segment h + `shift` of the result, if there is one.
  Permutation permutation(const Pattern& pattern, int shift) const {
    const int segment = layout_.word.segment;
    Permutation bytes(static_cast<std::size_t>(layout_.word.split * segment), 0);
    for (int h = 0; h < layout_.word.split; ++h) {
      const int from = h + shift;
      if (from < 0 || from >= tiling_.word.split) continue;
      for (int byte = 0; byte < segment; ++byte) {
        const int tile = pattern[static_cast<std::size_t>(byte)];
        if (tile == Keep) continue;
        const unsigned code =
            tile == Fill ? FillMode : CopyMode | static_cast<unsigned>(from * tiling_.word.segment + tile);
        const int at = h * segment + byte;
        bytes[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(code);
      }
    }
    return bytes;
  }

  const Tiling& tiling_;
  const Layout& layout_;
  const WriteSelection& selection_;
  int planes_;    // that a result is written to
  int variants_;  // results that share a plane
  WritePlan plan_;
  std::vector<std::pair<int, Pattern>> parts_;
  std::map<Pattern, int> known_;  // index of the first permutation
};

}  // namespace

std::size_t WritePlan::words() const {
  std::size_t count = 0;
  for (const auto& position : positions) count += position.size();
  return count;
}

WritePlan plan_writes(const Tiling& tiling, const Layout& layout, const WriteSelection& selection) {
  return Planner(tiling, layout, selection).run();
}

std::vector<WritePlan> cut(WritePlan plan, int permutations) {
  std::vector<WritePlan> parts;
  if (static_cast<int>(plan.permutations.size()) <= permutations) {
    parts.push_back(std::move(plan));
    return parts;
  }
  const int size = permutations / plan.variants * plan.variants;
  for (int first = 0; first < static_cast<int>(plan.permutations.size()); first += size) {
    WritePlan& part = parts.emplace_back();
    part.variants = plan.variants;
    const auto begin = plan.permutations.begin() + first;
    const int count = std::min(size, static_cast<int>(plan.permutations.size()) - first);
    part.permutations.assign(begin, begin + count);
    for (const auto& writes : plan.positions) {
      auto& taken = part.positions.emplace_back();
      for (const WordWrite& write : writes) {
        if (write.permute < first || write.permute >= first + size) continue;
        taken.push_back({write.plane, write.offset, write.permute - first});
      }
    }
  }
  return parts;
}

}  // namespace espalier::compile
