// hls::stream for builds without the vendor's headers: processes of a DATAFLOW region run one after another here, so a
// stream holds whatever one of them has written.
#pragma once

#include <cstddef>
#include <deque>

namespace hls {

template <typename T>
class stream {
 public:
  stream() = default;
  explicit stream(const char*) {}
  stream(const stream&) = delete;
  stream& operator=(const stream&) = delete;

  bool empty() const { return values_.empty(); }
  std::size_t size() const { return values_.size(); }
  void write(const T& value) { values_.push_back(value); }
  /// The oldest value; there must be one, because nobody would write it while the reader waits.
  T read() {
    T value = values_.front();
    values_.pop_front();
    return value;
  }

 private:
  std::deque<T> values_;
};

}  // namespace hls
