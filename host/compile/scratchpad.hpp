// Free and used words of the scratchpad while steps are placed.
#pragma once

#include <map>
#include <optional>

namespace espalier::compile {

/// The end of the scratchpad that an image is allocated from.
enum class Side { Low, High };

/// First-fit allocation of word ranges, keyed by image.
class Scratchpad {
 public:
  explicit Scratchpad(int words) : words_(words) {}

  int words() const { return words_; }
  bool holds(int image) const { return ranges_.contains(image); }
  int address(int image) const { return ranges_.at(image).begin; }

  /// First address of a free range, the lowest or the highest that is long enough; none if there is none.
  std::optional<int> allocate(int image, int size, Side side) {
    std::map<int, int> by_begin;
    for (const auto& [key, range] : ranges_) by_begin[range.begin] = range.begin + range.size;
    by_begin[words_] = words_;
    std::optional<int> first;
    int cursor = 0;
    for (const auto& [begin, end] : by_begin) {
      if (begin - cursor >= size && (!first || side == Side::High)) first = side == Side::Low ? cursor : begin - size;
      cursor = end;
    }
    if (first) ranges_[image] = {*first, size};
    return first;
  }

  /// The range of `from` becomes that of `to`.
  void rename(int from, int to) {
    ranges_[to] = ranges_.at(from);
    ranges_.erase(from);
  }

  void release(int image) { ranges_.erase(image); }

  struct Range {
    int begin = 0;
    int size = 0;
  };
  const std::map<int, Range>& ranges() const { return ranges_; }

 private:
  int words_;
  std::map<int, Range> ranges_;
};

}  // namespace espalier::compile
