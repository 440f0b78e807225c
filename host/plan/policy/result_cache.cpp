#include "plan/policy/result_cache.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

namespace espalier::plan {

SimilarityKey similarity_key(std::span<const float> values, const KeySettings& settings) {
  SimilarityKey key;
  if (settings.step <= 0) {
    for (const float value : values) key.push_back(std::bit_cast<std::int32_t>(value));
    return key;
  }
  const std::size_t cells = std::min(settings.cells, values.size());
  for (std::size_t cell = 0; cell < cells; ++cell) {
    const std::size_t first = values.size() * cell / cells, last = values.size() * (cell + 1) / cells;
    double sum = 0;
    for (std::size_t i = first; i < last; ++i) sum += static_cast<double>(values[i]);
    const double steps = std::round(sum / static_cast<double>(last - first) / static_cast<double>(settings.step));
    constexpr double Largest = std::numeric_limits<std::int32_t>::max();
    key.push_back(static_cast<std::int32_t>(std::clamp(steps, -Largest, Largest)));
  }
  return key;
}

const CachedResult* ResultCache::find(const std::string& model, const SimilarityKey& key) {
  const auto found = places_.find({model, key});
  if (found == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found->second);
  return &found->second->result;
}

void ResultCache::put(const std::string& model, const SimilarityKey& key, CachedResult result) {
  Name name{model, key};
  if (const auto found = places_.find(name); found != places_.end()) erase(found->second);
  // The name is held twice, in the list and in the index.
  const std::size_t bytes = sizeof(Entry) + sizeof(Name) + 2 * (model.size() + key.size() * sizeof(key[0])) +
                            result.size() * sizeof(result[0]);
  if (bytes > capacity_) return;
  while (bytes_ + bytes > capacity_) erase(std::prev(entries_.end()));
  entries_.push_front({name, std::move(result), bytes});
  places_[std::move(name)] = entries_.begin();
  bytes_ += bytes;
}

void ResultCache::forget(const std::string& model) {
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (entry->name.first == model) erase(entry);
    entry = next;
  }
}

void ResultCache::erase(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  places_.erase(entry->name);
  entries_.erase(entry);
}

}  // namespace espalier::plan
