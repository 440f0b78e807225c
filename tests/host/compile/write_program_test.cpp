// Random write programs between tiles and layouts of any word shape:
// - every byte of a destination word that belongs to a channel is written exactly once, with the right pixel of the
//   right channel, or the fill value outside the map;
// - cut into parts of few permutations, the parts together write the same.
#include "compile/write_program.hpp"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "esp_abi.hpp"
#include "random.hpp"

namespace espalier::test {
namespace {

using compile::Layout;
using compile::Tiling;
using compile::WritePlan;

/// Applies plans to the results of `rows` rows and checks the planes they make.
class Checker {
 public:
  Checker(const Tiling& tiling, const Layout& layout, int rows) : tiling_(tiling), layout_(layout), rows_(rows) {}

  void run(const std::vector<WritePlan>& plans) {
    for (const WritePlan& plan : plans) {
      ASSERT_EQ(plan.positions.size(), static_cast<std::size_t>(tiling_.positions()));
      for (int row = 0; row < rows_; ++row) {
        for (int n = 0; n < tiling_.positions(); ++n) ASSERT_NO_FATAL_FAILURE(write(plan, row, n));
      }
    }
    const int channels = rows_ * tiling_.word.split;
    for (int channel = 0; channel < channels; ++channel) {
      for (int row = 0; row < layout_.rows; ++row) {
        for (int column = 0; column < layout_.columns; ++column) check_word(channel, row, column);
      }
    }
    EXPECT_EQ(bytes_.size(),
              static_cast<std::size_t>(channels * layout_.rows * layout_.columns * layout_.word.segment));
  }

 private:
  void write(const WritePlan& plan, int row, int position) {
    const int channel = row * tiling_.word.split;
    const int variant = channel % layout_.word.split / tiling_.word.split;
    for (const auto& word : plan.positions[static_cast<std::size_t>(position)]) {
      const auto index = static_cast<std::size_t>(word.permute) + static_cast<std::size_t>(variant);
      ASSERT_LT(index, plan.permutations.size());
      const auto& permutation = plan.permutations[index];
      const int plane = channel / layout_.word.split + word.plane;
      for (std::size_t byte = 0; byte < permutation.size(); ++byte) {
        const unsigned mode = permutation[byte] >> abi::PermuteModeLsb;
        if (mode == abi::PermuteKeep) continue;
        const int source = permutation[byte] & ((1 << abi::PermuteSourceBits) - 1);
        const auto [at, inserted] = bytes_.try_emplace({plane, word.offset, static_cast<int>(byte)},
                                                       mode == abi::PermuteFill ? -1 : value(row, position, source));
        ASSERT_TRUE(inserted) << "written twice";
      }
    }
  }

  /// What a result byte holds: a number for its channel and pixel.
  int value(int row, int position, int byte) const {
    const int channel = row * tiling_.word.split + byte / tiling_.word.segment;
    const int tile = byte % tiling_.word.segment;
    const int y = tile / tiling_.grid_x * tiling_.step_y + position / tiling_.width;
    const int x = tile % tiling_.grid_x * tiling_.step_x + position % tiling_.width;
    return (channel * 100 + y) * 100 + x;
  }

  void check_word(int channel, int row, int column) const {
    const int first = channel % layout_.word.split * layout_.word.segment;
    for (int byte = first; byte < first + layout_.word.segment; ++byte) {
      const auto found = bytes_.find({channel / layout_.word.split, row * layout_.row_pitch + column, byte});
      ASSERT_NE(found, bytes_.end()) << "not written";
      const auto pixel = layout_.pixel(byte, row, column);
      ASSERT_EQ(found->second, pixel ? (channel * 100 + pixel->y) * 100 + pixel->x : -1);
    }
  }

  const Tiling& tiling_;
  const Layout& layout_;
  int rows_;
  std::map<std::tuple<int, int, int>, int> bytes_;  // plane, word, byte
};

Tiling random_tiling(Random& random, int height, int width, int pixels) {
  const int split = 1 << random.between(0, 3);
  const int segment = pixels / split;
  const int grid_y = random.between(1, std::min(segment, height));
  const int grid_x = random.between(1, std::min(segment / grid_y, width));
  return Tiling::of(height, width, grid_y, grid_x, {split, segment});
}

TEST(WriteProgram, WritesEveryByteOnce) {
  for (std::uint64_t index = 0; index < 400; ++index) {
    SCOPED_TRACE(index);
    Random random(index);
    const int pixels = 8 << random.between(0, 2);
    const int height = random.between(1, 15);
    const int width = random.between(1, 15);
    const Tiling tiling = random_tiling(random, height, width, pixels);
    const Tiling readers = random_tiling(random, height, width, pixels);
    compile::Window window;
    window.kernel_y = window.kernel_x = random.between(1, 3);
    window.pad_top = random.between(0, window.kernel_y - 1);
    window.pad_left = random.between(0, window.kernel_x - 1);
    const Layout layout = compile::covering(compile::window_layout(readers, window, height, width));
    const WritePlan plan = compile::plan_writes(tiling, layout);
    const int rows = 2 * std::max(1, layout.word.split / tiling.word.split);
    ASSERT_NO_FATAL_FAILURE(Checker(tiling, layout, rows).run({plan}));
    const int limit = plan.variants * random.between(1, 20);
    const auto parts = compile::cut(plan, limit);
    for (const WritePlan& part : parts) ASSERT_LE(static_cast<int>(part.permutations.size()), limit);
    ASSERT_NO_FATAL_FAILURE(Checker(tiling, layout, rows).run(parts));
  }
}

}  // namespace
}  // namespace espalier::test
