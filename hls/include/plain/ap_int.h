// ap_uint for builds without the vendor's headers: the part of its interface that the kernels use.
//
// The vendor's header is on the include path of the vendor's tools, this one on that of every other build. SystemC's
// sc_biguint has the same interface and would serve, but it keeps its digits on the heap and brings a library that is
// built for one language standard; simulation spends its time in these words, and needs two functions of them.
#pragma once

#include <cstdint>

/// An unsigned integer of W bits, W a multiple of 64.
template <int W>
class ap_uint {
  static_assert(W > 0 && W % 64 == 0, "only whole digits of 64 bits");

 public:
  /// At most 64 bits of a word, to be read.
  class Bits {
   public:
    explicit Bits(std::uint64_t value) : value_(value) {}
    std::uint64_t to_uint64() const { return value_; }

   private:
    std::uint64_t value_;
  };

  /// At most 64 bits of a word, to be read or replaced.
  class Range {
   public:
    Range(ap_uint& word, int high, int low) : word_(word), high_(high), low_(low) {}
    std::uint64_t to_uint64() const { return word_.get(high_, low_); }
    Range& operator=(std::uint64_t value) {
      word_.set(high_, low_, value);
      return *this;
    }

   private:
    ap_uint& word_;
    int high_, low_;
  };

  ap_uint() = default;
  ap_uint(std::uint64_t value) : digits_{value} {}  // NOLINT(google-explicit-constructor): as the vendor's

  /// Bits high .. low, both included; at most 64.
  Bits range(int high, int low) const { return Bits(get(high, low)); }
  Range range(int high, int low) { return Range(*this, high, low); }

 private:
  static std::uint64_t mask(int bits) { return bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1; }

  std::uint64_t get(int high, int low) const {
    const int bits = high - low + 1;
    const int digit = low / 64, shift = low % 64;
    std::uint64_t value = digits_[digit] >> shift;
    if (shift + bits > 64) value |= digits_[digit + 1] << (64 - shift);
    return value & mask(bits);
  }

  void set(int high, int low, std::uint64_t value) {
    const int bits = high - low + 1;
    const int digit = low / 64, shift = low % 64;
    value &= mask(bits);
    digits_[digit] = (digits_[digit] & ~(mask(bits) << shift)) | value << shift;
    if (shift + bits <= 64) return;
    digits_[digit + 1] = (digits_[digit + 1] & ~(mask(bits) >> (64 - shift))) | value >> (64 - shift);
  }

  std::uint64_t digits_[W / 64] = {};
};
