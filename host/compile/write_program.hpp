// The write program of a layer: which result bytes go to which words of the layout that the readers want.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "compile/layout.hpp"

namespace espalier::compile {

/// P bytes of the permutation table.
using Permutation = std::vector<std::uint8_t>;

/// One destination word of a result.
struct WordWrite {
  int plane = 0;    // from the plane of the result's first channel
  int offset = 0;   // words from the start of the plane
  int permute = 0;  // index into WritePlan::permutations
};

/// For every position of a tiling, y * width + x, the words that its result is written to. A result has the channels of
/// the tiling's word. A layout with fewer channels in a word takes it in several planes; one with more has `variants`
/// permutations instead of each, one behind the other: the one for results that go to its first segments, and so on.
struct WritePlan {
  std::vector<std::vector<WordWrite>> positions;
  std::vector<Permutation> permutations;
  int variants = 1;

  std::size_t words() const;
};

/// Which bytes a plan covers: all pixels, or those of one class; fill bytes belong to one of the plans.
struct WriteSelection {
  std::function<bool(Pixel)> includes;  // empty: every pixel
  bool fills = true;
};

/// Plans the writing of a result's channels: every byte of them in `layout` is written exactly once, pixels by the
/// position and tile that compute them, the others by a fill that rides on a result near by. Results outside the map
/// are dropped.
WritePlan plan_writes(const Tiling& tiling, const Layout& layout, const WriteSelection& selection = {});

/// Plans of at most `permutations` permutations each that together write what `plan` writes; a multiple of its
/// variants.
std::vector<WritePlan> cut(WritePlan plan, int permutations);

}  // namespace espalier::compile
