// Which earlier commands a command must wait for: accesses to scratchpad and memory, and the four counters.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::compile {

/// The units of the machine in the order of the wait fields; marks wait but are not waited for.
enum class Unit { Load, Weight, Compute, Store, Mark };

/// Completed commands per unit that a command waits for.
struct Waits {
  std::array<std::uint32_t, 4> counts{};
  bool drain = false;  // results of a compute command are read

  /// Waits until `unit` has completed `count` commands.
  void on(Unit unit, std::uint32_t count);
  void merge(const Waits& other);
};

/// `planes` runs of `run` units, `pitch` apart: words of the scratchpad or beats of a window.
struct Region {
  std::int64_t begin = 0;
  std::int64_t run = 0;
  std::int64_t pitch = 0;
  std::int64_t planes = 1;

  std::int64_t end() const { return begin + (planes - 1) * pitch + run; }
  /// Whether two regions share a unit; exact for regions of one pitch, otherwise on the safe side.
  bool overlaps(const Region& other) const;
};

/// The accesses to one address space, in program order.
class HazardTracker {
 public:
  /// What a command of `unit` with these accesses must wait for.
  Waits waits(Unit unit, const std::vector<Region>& reads, const std::vector<Region>& writes) const;

  /// Records the accesses of a command that is the `count`-th of its unit (counted from 1).
  void record(Unit unit, std::uint32_t count, const std::vector<Region>& reads, const std::vector<Region>& writes);

 private:
  struct Access {
    Unit unit;
    std::uint32_t count;
    bool write;
    Region region;
  };

  void add(Unit unit, std::uint32_t count, bool write, const Region& region);

  std::vector<Access> accesses_;
};

/// Addresses of a table (rows, scales, write program, permutations), handed out in a ring. A region may be overwritten
/// when the compute commands that used it have completed.
class TableRing {
 public:
  explicit TableRing(int depth) : depth_(depth) {}

  /// First of `entries` consecutive entries, which are to hold `contents`; `waits` receives the users of what lay
  /// there.
  int allocate(int entries, Waits& waits, std::string contents = {});

  /// First of the entries that hold `contents`, unless they were handed out again. Whoever takes it uses it before the
  /// next allocation.
  std::optional<int> find(const std::string& contents) const;

  /// The compute command with this count reads the region that starts at `first`. Throws Error(Unsupported) if the
  /// region was handed out again before.
  void use(int first, std::uint32_t compute_count);

 private:
  struct Used {
    int first;
    int entries;
    std::uint32_t last_compute;
    std::string contents;
  };

  int depth_;
  int cursor_ = 0;
  std::vector<Used> used_;
};

}  // namespace espalier::compile
