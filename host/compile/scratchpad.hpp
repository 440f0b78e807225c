// Free and used words of the scratchpad while steps are placed.
#pragma once

#include <map>
#include <optional>

namespace espalier::compile {

/// First-fit allocation of word ranges, keyed by image.
class Scratchpad {
 public:
  explicit Scratchpad(int words) : words_(words) {}

  int words() const { return words_; }
  bool holds(int image) const { return ranges_.contains(image); }
  int address(int image) const { return ranges_.at(image).begin; }

  /// First address of a free range; none if no gap is long enough.
  std::optional<int> allocate(int image, int size) {
    std::map<int, int> by_begin;
    for (const auto& [key, range] : ranges_) by_begin[range.begin] = range.begin + range.size;
    int cursor = 0;
    for (const auto& [begin, end] : by_begin) {
      if (begin - cursor >= size) break;
      cursor = end;
    }
    if (words_ - cursor < size) return std::nullopt;
    ranges_[image] = {cursor, size};
    return cursor;
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
