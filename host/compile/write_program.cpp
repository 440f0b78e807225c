#include "compile/write_program.hpp"

#include <algorithm>
#include <map>
#include <string>

#include "esp_abi.hpp"

namespace espalier::compile {
namespace {

constexpr auto CopyMode = static_cast<unsigned>(abi::PermuteCopy) << abi::PermuteModeLsb;
constexpr auto FillMode = static_cast<unsigned>(abi::PermuteFill) << abi::PermuteModeLsb;

/// Collects the writes of one destination word, one permutation per contributing position.
class Planner {
 public:
  Planner(const Tiling& tiling, const Layout& layout, int pixels, const WriteSelection& selection)
      : tiling_(tiling), layout_(layout), pixels_(pixels), selection_(selection) {
    plan_.positions.resize(static_cast<std::size_t>(tiling.positions()));
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
    for (int byte = 0; byte < pixels_; ++byte) {
      const std::optional<Pixel> pixel = layout_.pixel(byte, row, column);
      if (!pixel) {
        fills.push_back(byte);
      } else if (!selection_.includes || selection_.includes(*pixel)) {
        const Source source = source_of(tiling_, *pixel);
        part(source.y * tiling_.width + source.x)[static_cast<std::size_t>(byte)] =
            static_cast<std::uint8_t>(CopyMode | static_cast<unsigned>(source.tile));
      }
    }
    if (selection_.fills && !fills.empty()) {
      Permutation& first = parts_.empty() ? part(nearby_position(row, column)) : parts_.front().second;
      for (const int byte : fills) first[static_cast<std::size_t>(byte)] = static_cast<std::uint8_t>(FillMode);
    }
    for (const auto& [position, permutation] : parts_) {
      plan_.positions[static_cast<std::size_t>(position)].push_back(
          {row * layout_.row_pitch + column, permutation_index(permutation)});
    }
  }

  Permutation& part(int position) {
    for (auto& [known, permutation] : parts_) {
      if (known == position) return permutation;
    }
    return parts_.emplace_back(position, Permutation(static_cast<std::size_t>(pixels_), 0)).second;
  }

  int nearby_position(int row, int column) const {
    const int y = (row + layout_.step_y * tiling_.height - layout_.origin_y) % tiling_.height;
    const int x = (column + layout_.step_x * tiling_.width - layout_.origin_x) % tiling_.width;
    return std::abs(y) * tiling_.width + std::abs(x);
  }

  int permutation_index(const Permutation& permutation) {
    const auto [found, inserted] = known_.try_emplace(std::string(permutation.begin(), permutation.end()),
                                                      static_cast<int>(plan_.permutations.size()));
    if (inserted) plan_.permutations.push_back(permutation);
    return found->second;
  }

  const Tiling& tiling_;
  const Layout& layout_;
  int pixels_;
  const WriteSelection& selection_;
  WritePlan plan_;
  std::vector<std::pair<int, Permutation>> parts_;
  std::map<std::string, int> known_;  // bytes of a permutation -> index
};

}  // namespace

std::size_t WritePlan::words() const {
  std::size_t count = 0;
  for (const auto& position : positions) count += position.size();
  return count;
}

WritePlan plan_writes(const Tiling& tiling, const Layout& layout, int pixels, const WriteSelection& selection) {
  return Planner(tiling, layout, pixels, selection).run();
}

}  // namespace espalier::compile
