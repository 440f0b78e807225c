#include "model/masks.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>

#include "esp_error.hpp"

namespace espalier::model {
namespace {

struct PatternName {
  Pattern pattern;
  const char* name;
};
constexpr std::array<PatternName, 4> PatternNames{{{Pattern::Unstructured, "unstructured"},
                                                   {Pattern::TwoOfFour, "2:4"},
                                                   {Pattern::Block4x4, "block4x4"},
                                                   {Pattern::FourOfNine, "pattern4of9"}}};

constexpr int GroupChannels = 4;  // of 2:4 and of blocks

/// Four of the nine positions of a kernel: the middle, and three of its neighbours that touch each other.
constexpr std::array<std::array<std::size_t, 4>, 8> KernelPatterns{
    {{4, 0, 1, 3}, {4, 1, 2, 5}, {4, 3, 6, 7}, {4, 5, 7, 8}, {4, 1, 3, 5}, {4, 1, 3, 7}, {4, 1, 5, 7}, {4, 3, 5, 7}}};

/// Numbers the units of a layer: those that are pruned together.
class Units {
 public:
  Units(const WeightShape& shape, Pattern pattern) : shape_(shape), pattern_(pattern) {}

  std::size_t count() const {
    switch (pattern_) {
      case Pattern::Unstructured:
        return shape_.count();
      case Pattern::TwoOfFour:
        return outputs() * groups(shape_.inputs) * shape_.taps();
      case Pattern::Block4x4:
        return groups(shape_.outputs) * groups(shape_.inputs) * shape_.taps();
      case Pattern::FourOfNine:
        return outputs() * static_cast<std::size_t>(shape_.inputs);
    }
    return 0;
  }

  std::size_t of(std::size_t output, std::size_t input, std::size_t tap) const {
    const auto inputs = static_cast<std::size_t>(shape_.inputs);
    switch (pattern_) {
      case Pattern::Unstructured:
        return (output * inputs + input) * shape_.taps() + tap;
      case Pattern::TwoOfFour:
        return (output * groups(shape_.inputs) + input / GroupChannels) * shape_.taps() + tap;
      case Pattern::Block4x4:
        return (output / GroupChannels * groups(shape_.inputs) + input / GroupChannels) * shape_.taps() + tap;
      case Pattern::FourOfNine:
        return output * inputs + input;
    }
    return 0;
  }

 private:
  std::size_t outputs() const { return static_cast<std::size_t>(shape_.outputs); }
  static std::size_t groups(int channels) {
    return static_cast<std::size_t>((channels + GroupChannels - 1) / GroupChannels);
  }

  WeightShape shape_;
  Pattern pattern_;
};

/// Calls visit(index, output, input, tap) for every weight in order.
template <typename Visitor>
void for_each_weight(const WeightShape& shape, Visitor&& visit) {
  std::size_t index = 0;
  for (std::size_t output = 0; output < static_cast<std::size_t>(shape.outputs); ++output)
    for (std::size_t input = 0; input < static_cast<std::size_t>(shape.inputs); ++input)
      for (std::size_t tap = 0; tap < shape.taps(); ++tap) visit(index++, output, input, tap);
}

/// Of every four input channels the two largest stay; of fewer, half of them, rounded up.
void keep_two_of_four(const WeightShape& shape, std::span<const float> magnitudes, std::vector<std::uint8_t>& keep) {
  std::fill(keep.begin(), keep.end(), std::uint8_t{0});
  std::array<std::size_t, GroupChannels> order{};
  for (std::size_t output = 0; output < static_cast<std::size_t>(shape.outputs); ++output) {
    for (int first = 0; first < shape.inputs; first += GroupChannels) {
      const auto size = static_cast<std::size_t>(std::min(GroupChannels, shape.inputs - first));
      for (std::size_t tap = 0; tap < shape.taps(); ++tap) {
        const std::size_t base = output * shape.row() + static_cast<std::size_t>(first) * shape.taps() + tap;
        for (std::size_t i = 0; i < size; ++i) order[i] = base + i * shape.taps();
        std::stable_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(size),
                         [&](std::size_t a, std::size_t b) { return magnitudes[a] > magnitudes[b]; });
        for (std::size_t i = 0; i < (size + 1) / 2; ++i) keep[order[i]] = 1;
      }
    }
  }
}

/// Every kernel keeps the pattern with the largest sum.
void keep_four_of_nine(const WeightShape& shape, std::span<const float> magnitudes, std::vector<std::uint8_t>& keep) {
  std::fill(keep.begin(), keep.end(), std::uint8_t{0});
  for (std::size_t kernel = 0; kernel < shape.count(); kernel += shape.taps()) {
    const auto sum = [&](const std::array<std::size_t, 4>& pattern) {
      return std::accumulate(pattern.begin(), pattern.end(), 0.0F,
                             [&](float total, std::size_t tap) { return total + magnitudes[kernel + tap]; });
    };
    const auto best = std::max_element(KernelPatterns.begin(), KernelPatterns.end(),
                                       [&](const auto& a, const auto& b) { return sum(a) < sum(b); });
    for (const std::size_t tap : *best) keep[kernel + tap] = 1;
  }
}

/// The `wanted` largest scores; among equal ones the first.
std::vector<std::uint8_t> largest(const std::vector<float>& scores, std::size_t wanted) {
  std::vector<std::uint8_t> stays(scores.size(), 0);
  if (wanted == 0) return stays;
  std::vector<float> sorted = scores;
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(wanted - 1), sorted.end(),
                   std::greater<>());
  const float least = sorted[wanted - 1];
  std::size_t left = wanted - static_cast<std::size_t>(
                                  std::count_if(scores.begin(), scores.end(), [&](float s) { return s > least; }));
  for (std::size_t i = 0; i < scores.size(); ++i) {
    stays[i] = scores[i] > least ? 1 : 0;
    const bool tied = !(scores[i] > least) && !(scores[i] < least);
    if (tied && left > 0) {
      stays[i] = 1;
      --left;
    }
  }
  return stays;
}

}  // namespace

Pattern parse_pattern(std::string_view text) {
  for (const PatternName& name : PatternNames)
    if (text == name.name) return name.pattern;
  throw Error(ErrorCode::Usage, "no such pattern", "--pattern", std::string(text),
              "choose unstructured, 2:4, block4x4 or pattern4of9");
}

const char* to_string(Pattern pattern) {
  const auto* found = std::find_if(PatternNames.begin(), PatternNames.end(),
                                   [&](const PatternName& name) { return name.pattern == pattern; });
  return found == PatternNames.end() ? "unstructured" : found->name;
}

std::vector<std::uint8_t> make_mask(const WeightShape& shape, std::span<const float> magnitudes, Pattern pattern,
                                    double density) {
  if (pattern == Pattern::FourOfNine && (shape.kernel_h != 3 || shape.kernel_w != 3)) pattern = Pattern::Unstructured;
  if (pattern == Pattern::TwoOfFour && shape.inputs == 1) pattern = Pattern::Unstructured;
  std::vector<std::uint8_t> keep(shape.count(), 1);
  if (pattern == Pattern::TwoOfFour) keep_two_of_four(shape, magnitudes, keep);
  if (pattern == Pattern::FourOfNine) keep_four_of_nine(shape, magnitudes, keep);
  const auto kept = static_cast<double>(std::count(keep.begin(), keep.end(), std::uint8_t{1}));
  const double share = kept / static_cast<double>(shape.count());
  if (density >= share) return keep;

  const Units units(shape, pattern);
  std::vector<float> scores(units.count(), 0.0F);
  for_each_weight(shape, [&](std::size_t index, std::size_t output, std::size_t input, std::size_t tap) {
    if (keep[index] != 0) scores[units.of(output, input, tap)] += magnitudes[index];
  });
  const auto wanted = static_cast<std::size_t>(std::llround(density / share * static_cast<double>(scores.size())));
  const std::vector<std::uint8_t> stays = largest(scores, wanted);
  for_each_weight(shape, [&](std::size_t index, std::size_t output, std::size_t input, std::size_t tap) {
    keep[index] = keep[index] & stays[units.of(output, input, tap)];
  });
  return keep;
}

}  // namespace espalier::model
