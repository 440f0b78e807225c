// The rules of AXI4 that a master of the accelerator keeps, checked cycle by cycle.
//
//   AxiReadChecker reads("weight");
//   reads.cycle({valid, ready, address, length});  // pins as they stand before the clock edge
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "esp_abi.hpp"

namespace espalier::test {

/// Pins of an address channel; length is beats - 1, as on AxLEN.
struct AxiAddress {
  bool valid = false;
  bool ready = false;
  std::uint64_t address = 0;
  unsigned length = 0;
};

/// An address stays until it is accepted; bursts are whole beats, at most BurstBeats, inside 1 KiB and so inside 4 KiB.
class AxiAddressChecker {
 public:
  explicit AxiAddressChecker(std::string name) : name_(std::move(name)) {}

  void cycle(const AxiAddress& pins) {
    if (waiting_) {
      EXPECT_TRUE(pins.valid) << name_ << ": request withdrawn";
      EXPECT_EQ(pins.address, held_.address) << name_ << ": address changed while it waited";
      EXPECT_EQ(pins.length, held_.length) << name_ << ": length changed while it waited";
    } else if (pins.valid) {
      const std::uint64_t bytes = (pins.length + 1ULL) * abi::BeatBytes;
      EXPECT_EQ(pins.address % abi::BeatBytes, 0U) << name_;
      EXPECT_LT(pins.length, abi::BurstBeats) << name_;
      EXPECT_LE(pins.address % 1024 + bytes, 1024U) << name_ << ": burst crosses 1 KiB";
    }
    waiting_ = pins.valid && !pins.ready;
    held_ = pins;
    if (pins.valid && pins.ready) ++bursts_;
  }

  /// Accepted so far.
  std::uint64_t bursts() const { return bursts_; }

 private:
  std::string name_;
  AxiAddress held_;
  bool waiting_ = false;
  std::uint64_t bursts_ = 0;
};

/// Pins of a write data channel.
struct AxiWriteData {
  bool valid = false;
  bool ready = false;
  bool last = false;
  std::vector<std::uint8_t> bytes;
};

/// Address rules; data comes only after its address was accepted, stays until taken, and its last beat is marked.
class AxiWriteChecker {
 public:
  explicit AxiWriteChecker(std::string name) : name_(std::move(name)), address_(name_) {}

  void cycle(const AxiAddress& pins, const AxiWriteData& data) {
    if (waiting_) {
      EXPECT_TRUE(data.valid) << name_ << ": data withdrawn";
      EXPECT_EQ(data.last, held_.last) << name_ << ": last changed while data waited";
      EXPECT_EQ(data.bytes, held_.bytes) << name_ << ": data changed while it waited";
    }
    if (data.valid) {
      EXPECT_FALSE(beats_.empty()) << name_ << ": data before its address was accepted";
      if (!beats_.empty()) {
        EXPECT_EQ(data.last, beats_.front() == 1) << name_ << ": wrong last";
        if (data.ready && --beats_.front() == 0) beats_.pop_front();
      }
    }
    waiting_ = data.valid && !data.ready;
    if (waiting_) held_ = data;
    address_.cycle(pins);
    if (pins.valid && pins.ready) beats_.push_back(pins.length + 1);
  }

 private:
  std::string name_;
  AxiAddressChecker address_;
  AxiWriteData held_;
  bool waiting_ = false;
  std::deque<unsigned> beats_;  // left of every accepted burst
};

}  // namespace espalier::test
