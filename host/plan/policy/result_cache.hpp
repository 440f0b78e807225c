// Answers that were given before, by a similarity key, in bounded memory.
//
//   ResultCache cache(1 << 20);
//   SimilarityKey key = similarity_key(values, {.step = 0.1F, .cells = 64});
//   if (const CachedResult* found = cache.find(model, key)) ...
//
// The key is the mean of equal stretches of the input, rounded to a step: inputs that differ by little, or by noise of
// mean zero, share it (in the manner of Potluck, Guo and Hu, ASPLOS 2018, without its learned threshold). A step of 0
// makes the key exact: all values, bit for bit. Which step costs how much accuracy is measured on data, not promised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier::plan {

struct KeySettings {
  float step = 0;          // 0: exact
  std::size_t cells = 64;  // stretches of equal length; at least 1
};

using SimilarityKey = std::vector<std::int32_t>;

SimilarityKey similarity_key(std::span<const float> values, const KeySettings& settings);

using CachedResult = std::vector<float>;

/// Least recently used entries leave first. Keys are compared whole: two that differ never share an answer.
class ResultCache {
 public:
  /// `bytes` of keys and results together.
  explicit ResultCache(std::size_t bytes) : capacity_(bytes) {}

  /// The answer, valid until the next put(); null if there is none. `model` includes its version.
  const CachedResult* find(const std::string& model, const SimilarityKey& key);
  /// An entry that is larger than the cache is not kept.
  void put(const std::string& model, const SimilarityKey& key, CachedResult result);
  /// Forgets the answers of a model, for instance when its version changes.
  void forget(const std::string& model);

  std::size_t bytes() const { return bytes_; }
  std::size_t entries() const { return entries_.size(); }

 private:
  using Name = std::pair<std::string, SimilarityKey>;
  struct Entry {
    Name name;
    CachedResult result;
    std::size_t bytes = 0;
  };
  void erase(std::list<Entry>::iterator entry);

  std::size_t capacity_, bytes_ = 0;
  std::list<Entry> entries_;  // the most recently used first
  std::map<Name, std::list<Entry>::iterator> places_;
};

}  // namespace espalier::plan
