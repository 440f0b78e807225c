// A functional device that does not finish before a gate is opened: requests can be held where a test wants them.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "functional/functional_bus.hpp"

namespace espalier::test {

struct Gate {
  std::atomic<bool> open{true};
  std::atomic<int> waits{0};   // polls of a closed gate
  std::atomic<int> resets{0};  // runs that were stopped
};

class GatedBus : public functional::FunctionalBus {
 public:
  explicit GatedBus(std::shared_ptr<Gate> gate) : FunctionalBus(abi::Array8x8), gate_(std::move(gate)) {}

  bool wait_done(std::chrono::milliseconds limit) override {
    if (gate_->open) return FunctionalBus::wait_done(limit);
    ++gate_->waits;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return false;
  }
  void reset() override {
    ++gate_->resets;
    FunctionalBus::reset();
  }

 private:
  std::shared_ptr<Gate> gate_;
};

}  // namespace espalier::test
