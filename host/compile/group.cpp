#include "compile/group.hpp"

#include <algorithm>
#include <numeric>

namespace espalier::compile {
namespace {

/// Entries of the write program that a strip of a group may use, so that those of the next steps fit beside them.
int program_share(const StepFacts& facts) { return facts.program_entries() / 4; }

}  // namespace

int strip_pitch(const StepFacts& facts, const StripImage& strip, int rows) {
  const Layout& layout = facts.image(strip.image).layout;
  return (((rows - 1) * strip.stride + strip.extent - 1) * layout.row_pitch + layout.columns) | 1;
}

int strip_size(const StepFacts& facts, const StripImage& strip, int rows) {
  return strip.planes * strip_pitch(facts, strip, rows) + facts.words_per_beat();
}

bool strips_possible(const StepFacts& facts, const Group& group, int rows) {
  for (const StripImage& strip : group.strips) {
    const int words = rows * strip.stride * facts.image(strip.image).layout.row_pitch;
    const bool moved = strip.load || strip.store;
    if (moved && rows < facts.step(group.first).tiling.height && words % facts.words_per_beat() != 0) return false;
  }
  const int share = program_share(facts);
  for (int i = group.first; i < group.first + group.count; ++i) {
    const auto& entries = facts.row_entries(i);
    for (std::size_t y = 0; y < entries.size(); y += static_cast<std::size_t>(rows)) {
      const auto begin = entries.begin() + static_cast<std::ptrdiff_t>(y);
      const auto end =
          entries.begin() + static_cast<std::ptrdiff_t>(std::min(entries.size(), y + static_cast<std::size_t>(rows)));
      if (std::accumulate(begin, end, 0) > share) return false;
    }
  }
  return true;
}

double group_cost(const StepFacts& facts, const Group& group, int rows, int buffers) {
  const int strips = divide_up(facts.step(group.first).tiling.height, rows);
  double loads = 0, stores = 0;
  for (const StripImage& strip : group.strips) {
    const double words = static_cast<double>(strips) * strip_pitch(facts, strip, rows) * strip.planes;
    const double cycles = facts.beat_cycles() * words / facts.words_per_beat();
    if (strip.load) loads += cycles;
    if (strip.store) stores += cycles;
  }
  double cost = loads / strips + TurnCycles * strips * group.count;
  for (const int index : group.loads) cost += facts.image_cycles(index);
  const double moved = contended_share(facts) * (loads + stores);
  // With one buffer transfers run beside the other steps of the group.
  const double hidden = buffers > 1 ? group.compute : group.compute * (group.count - 1) / group.count / 2;
  return cost + std::max(0.0, moved - hidden) + std::max(0.0, group.stream * strips - group.compute);
}

bool read_in(const StepFacts& facts, const Group& group, int image) {
  for (int i = group.first; i < group.first + group.count; ++i) {
    for (const Operand& operand : facts.step(i).inputs) {
      if (operand.image == image) return true;
    }
  }
  return false;
}

int strip_index(const Group& group, int image) {
  for (std::size_t i = 0; i < group.strips.size(); ++i) {
    if (group.strips[i].image == image) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace espalier::compile
