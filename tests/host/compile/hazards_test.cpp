// Properties:
//   - regions that share a unit overlap, and only those where their pitches are equal
//   - a command waits for what it conflicts with in other units, and a compute also for results that it reads
//   - a table's entries wait for their users before they are overwritten; entries lost before their use are refused
#include "compile/hazards.hpp"

#include <gtest/gtest.h>

#include <set>

#include "esp_error.hpp"
#include "random.hpp"

namespace espalier::test {
namespace {

using compile::Region;
using compile::Unit;
using compile::Waits;

Region random_region(Random& random, int pitch) {
  return {random.between(0, 30), random.between(1, 8), pitch, random.between(1, 4)};
}

bool share_a_unit(const Region& a, const Region& b) {
  std::set<std::int64_t> units;
  for (std::int64_t plane = 0; plane < a.planes; ++plane) {
    for (std::int64_t i = 0; i < a.run; ++i) units.insert(a.begin + plane * a.pitch + i);
  }
  for (std::int64_t plane = 0; plane < b.planes; ++plane) {
    for (std::int64_t i = 0; i < b.run; ++i) {
      if (units.contains(b.begin + plane * b.pitch + i)) return true;
    }
  }
  return false;
}

TEST(Region, OverlapsIfAUnitIsShared) {
  Random random;
  for (int round = 0; round < 5000; ++round) {
    const int pitch = random.between(1, 12);
    const Region a = random_region(random, pitch), b = random_region(random, pitch);
    EXPECT_EQ(a.overlaps(b), share_a_unit(a, b)) << a.begin << " " << b.begin << " pitch " << pitch;
    const Region other = random_region(random, random.between(1, 12));
    EXPECT_TRUE(a.overlaps(other) || !share_a_unit(a, other)) << a.begin << " " << other.begin;
  }
}

std::uint32_t waited(const Waits& waits, Unit unit) { return waits.counts[static_cast<std::size_t>(unit)]; }

TEST(Hazards, WaitForConflictsInOtherUnits) {
  compile::HazardTracker tracker;
  const std::vector<Region> whole{{0, 8, 0, 1}}, part{{4, 2, 0, 1}}, apart{{8, 4, 0, 1}};
  tracker.record(Unit::Compute, 3, {}, whole);
  EXPECT_EQ(waited(tracker.waits(Unit::Load, {}, part), Unit::Compute), 3U);
  EXPECT_EQ(waited(tracker.waits(Unit::Store, part, {}), Unit::Compute), 3U);
  EXPECT_EQ(waited(tracker.waits(Unit::Store, apart, {}), Unit::Compute), 0U);
  EXPECT_EQ(waited(tracker.waits(Unit::Compute, {}, part), Unit::Compute), 0U);
  const Waits reads = tracker.waits(Unit::Compute, part, {});
  EXPECT_EQ(waited(reads, Unit::Compute), 3U);
  EXPECT_TRUE(reads.drain);
  // A load over all of it has waited for the compute, so that later commands need only wait for the load.
  tracker.record(Unit::Load, 5, {}, whole);
  const Waits after = tracker.waits(Unit::Store, part, {});
  EXPECT_EQ(waited(after, Unit::Load), 5U);
  EXPECT_EQ(waited(after, Unit::Compute), 0U);
}

TEST(TableRing, WaitsForTheUsersOfWhatItOverwrites) {
  compile::TableRing ring(10);
  Waits first, second;
  EXPECT_EQ(ring.allocate(6, first), 0);
  EXPECT_EQ(waited(first, Unit::Compute), 0U);
  ring.use(0, 1);
  ring.use(0, 2);
  EXPECT_EQ(ring.allocate(6, second), 0);
  EXPECT_EQ(waited(second, Unit::Compute), 2U);
}

TEST(TableRing, FindsContentsUntilTheyAreOverwritten) {
  compile::TableRing ring(10);
  Waits waits;
  EXPECT_EQ(ring.allocate(4, waits, "first"), 0);
  EXPECT_EQ(ring.allocate(4, waits, "second"), 4);
  EXPECT_EQ(ring.find("first"), 0);
  EXPECT_EQ(ring.find("second"), 4);
  EXPECT_EQ(ring.find("third"), std::nullopt);
  EXPECT_EQ(ring.allocate(3, waits, "third"), 0);
  EXPECT_EQ(ring.find("first"), std::nullopt);
  EXPECT_EQ(ring.find("second"), 4);
  EXPECT_EQ(ring.find({}), std::nullopt);
}

TEST(TableRing, RefusesEntriesLostBeforeTheirUse) {
  compile::TableRing ring(10);
  Waits waits;
  EXPECT_EQ(ring.allocate(3, waits), 0);
  EXPECT_EQ(ring.allocate(6, waits), 3);
  EXPECT_EQ(ring.allocate(5, waits), 0);
  EXPECT_NO_THROW(ring.use(0, 1));
  EXPECT_THROW(ring.use(3, 1), Error);
}

}  // namespace
}  // namespace espalier::test
