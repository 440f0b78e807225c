#include "compile/hazards.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "esp_error.hpp"

namespace espalier::compile {

void Waits::on(Unit unit, std::uint32_t count) {
  if (unit == Unit::Mark) return;
  auto& current = counts[static_cast<std::size_t>(unit)];
  current = std::max(current, count);
}

void Waits::merge(const Waits& other) {
  for (std::size_t u = 0; u < counts.size(); ++u) counts[u] = std::max(counts[u], other.counts[u]);
  drain = drain || other.drain;
}

bool Region::overlaps(const Region& other) const {
  if (end() <= other.begin || other.end() <= begin) return false;
  if (planes == 1 && other.planes == 1) return true;
  const std::int64_t common = planes == 1 ? other.pitch : pitch;
  if (common <= 0 || (planes > 1 && other.planes > 1 && pitch != other.pitch)) return true;
  if (run >= common || other.run >= common) return true;
  // Runs of one pitch: the distance of the begins modulo the pitch decides, whatever the planes.
  const std::int64_t distance = ((other.begin - begin) % common + common) % common;
  return distance < run || distance + other.run > common;
}

Waits HazardTracker::waits(Unit unit, const std::vector<Region>& reads, const std::vector<Region>& writes) const {
  Waits result;
  for (const Access& access : accesses_) {
    bool raw = false;
    bool conflict = false;
    if (access.write) {
      for (const Region& region : reads) raw = raw || access.region.overlaps(region);
    }
    for (const Region& region : writes) conflict = conflict || access.region.overlaps(region);
    // A unit works in order; only reading what a compute command writes needs more than that.
    if (access.unit == unit && !(unit == Unit::Compute && raw)) continue;
    if (!raw && !conflict) continue;
    result.on(access.unit, access.count);
    if (raw && access.unit == Unit::Compute && unit == Unit::Compute) result.drain = true;
  }
  return result;
}

void HazardTracker::record(Unit unit, std::uint32_t count, const std::vector<Region>& reads,
                           const std::vector<Region>& writes) {
  for (const Region& region : reads) add(unit, count, false, region);
  for (const Region& region : writes) add(unit, count, true, region);
}

void HazardTracker::add(Unit unit, std::uint32_t count, bool write, const Region& region) {
  // A later access of the same unit to the same region stands for the earlier one; a write that covers an access waits
  // for it, so that waiting for the write is enough.
  const bool whole = region.planes == 1 || region.run >= region.pitch;
  std::erase_if(accesses_, [&](const Access& access) {
    const bool covered = whole && region.begin <= access.region.begin && access.region.end() <= region.end();
    const bool same = access.region.begin == region.begin && access.region.run == region.run &&
                      access.region.pitch == region.pitch && access.region.planes == region.planes;
    if (access.unit == unit && access.write == write && (covered || same)) return true;
    return write && covered && (access.unit != Unit::Compute || unit != Unit::Compute);
  });
  accesses_.push_back({unit, count, write, region});
}

int TableRing::allocate(int entries, Waits& waits, std::string contents) {
  if (cursor_ + entries > depth_) cursor_ = 0;
  const int first = cursor_;
  cursor_ += entries;
  std::erase_if(used_, [&](const Used& used) {
    const bool overlap = used.first < first + entries && first < used.first + used.entries;
    if (overlap && used.last_compute > 0) waits.on(Unit::Compute, used.last_compute);
    return overlap;
  });
  used_.push_back({first, entries, 0, std::move(contents)});
  return first;
}

std::optional<int> TableRing::find(const std::string& contents) const {
  const auto found = std::find_if(used_.begin(), used_.end(), [&](const Used& used) {
    return !used.contents.empty() && used.contents == contents;
  });
  return found == used_.end() ? std::nullopt : std::optional(found->first);
}

void TableRing::use(int first, std::uint32_t compute_count) {
  const auto found = std::find_if(used_.begin(), used_.end(), [&](const Used& used) { return used.first == first; });
  // What a step holds at a time may fit the table and yet not fit around its end.
  if (found == used_.end()) {
    throw Error(ErrorCode::Unsupported, "the tables of a step do not fit the machine at the same time",
                "compute command", std::to_string(compute_count) + ", entry " + std::to_string(first),
                "use a larger array or a narrower map");
  }
  found->last_compute = std::max(found->last_compute, compute_count);
}

}  // namespace espalier::compile
