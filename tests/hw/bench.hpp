// What every bench of an RTL module shares: a context with random undefined values and checked assertions, the clock,
// and access to bit fields of ports of any width.
//
//   Bench<Vesp_fifo_w32_d8> bench(seed);
//   bench->push_i = 1;
//   bench.clock();
#pragma once

#include <gtest/gtest.h>
#include <verilated.h>

#include <array>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

#include "random.hpp"

namespace espalier::test {

/// Reads `bits` (1..64) bits at `lsb` of a port.
template <typename Port>
std::uint64_t get(const Port& port, unsigned lsb = 0, unsigned bits = 64) {
  if constexpr (std::is_integral_v<Port>) {
    const std::uint64_t value = static_cast<std::uint64_t>(port) >> lsb;
    return bits >= 64 ? value : value & ((std::uint64_t{1} << bits) - 1);
  } else {
    std::uint64_t value = 0;
    for (unsigned i = 0; i < bits; ++i) {
      value |= static_cast<std::uint64_t>((port[(lsb + i) / 32] >> ((lsb + i) % 32)) & 1U) << i;
    }
    return value;
  }
}

/// Writes `bits` (1..64) bits at `lsb` of a port; the others stay.
template <typename Port>
void set(Port& port, unsigned lsb, unsigned bits, std::uint64_t value) {
  if constexpr (std::is_integral_v<Port>) {
    const std::uint64_t mask = (bits >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1) << lsb;
    port = static_cast<Port>((static_cast<std::uint64_t>(port) & ~mask) | ((value << lsb) & mask));
  } else {
    for (unsigned i = 0; i < bits; ++i) {
      const std::uint32_t mask = 1U << ((lsb + i) % 32);
      auto& word = port[(lsb + i) / 32];
      word = ((value >> i) & 1U) != 0 ? word | mask : word & ~mask;
    }
  }
}

/// The low bits of a number into a port of up to 64 bits.
template <typename Port>
void put(Port& port, std::uint64_t value) {
  port = static_cast<Port>(value);
}

/// The first `count` bytes at bit `lsb` of a port.
template <typename Port>
std::vector<std::uint8_t> get_bytes(const Port& port, std::size_t count, unsigned lsb = 0) {
  std::vector<std::uint8_t> bytes(count);
  for (unsigned i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(get(port, lsb + 8 * i, 8));
  return bytes;
}

template <typename Port, typename Bytes>
void set_bytes(Port& port, const Bytes& bytes, unsigned lsb = 0) {
  for (unsigned i = 0; i < bytes.size(); ++i) set(port, lsb + 8 * i, 8, bytes[i]);
}

/// A value as bits of a port that may be wider than 64: random words.
inline std::vector<std::uint8_t> random_bytes(Random& random, std::size_t count) {
  std::vector<std::uint8_t> bytes(count);
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random.byte());
  return bytes;
}

/// One module. A failed assertion of the RTL fails the test when the bench ends.
template <typename Top>
class Bench {
 public:
  explicit Bench(Random& random) {
    context_.randReset(2);
    context_.randSeed(random.between(1, 1 << 30));
    context_.fatalOnError(false);
    context_.assertOn(false);  // until the first edge, which is under reset
    top_ = std::make_unique<Top>(&context_);
  }

  ~Bench() {
    top_->final();
    EXPECT_FALSE(context_.gotError()) << "an assertion of the RTL failed";
  }

  Top* operator->() { return top_.get(); }
  Top& top() { return *top_; }

  /// Lets combinational outputs follow the inputs.
  void settle() { top_->eval(); }

  /// A rising and a falling edge; outputs have settled afterwards.
  void clock() {
    top_->eval();
    top_->clk_i = 1;
    top_->eval();
    top_->clk_i = 0;
    top_->eval();
    context_.assertOn(true);
    ++cycles_;
  }

  std::uint64_t cycles() const { return cycles_; }

  /// Whether an assertion of the RTL has failed; a test that provokes one forgets it afterwards.
  bool asserted() const { return context_.gotError(); }
  void forget_assertion() {
    context_.gotError(false);
    context_.gotFinish(false);
  }

 private:
  VerilatedContext context_;
  std::unique_ptr<Top> top_;
  std::uint64_t cycles_ = 0;
};

/// Runs a bench under idle x back-pressure: how often the producer rests and the consumer refuses.
template <typename Body>
void for_each_pressure(Body&& body) {
  for (const double idle : {0.0, 0.3, 0.9}) {
    for (const double refuse : {0.0, 0.3, 0.9}) {
      SCOPED_TRACE("idle " + std::to_string(idle) + ", back-pressure " + std::to_string(refuse));
      body(idle, refuse);
      if (::testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace espalier::test
