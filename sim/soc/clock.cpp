#include "soc/clock.hpp"

#include <utility>

namespace espalier::soc {

Clock::Clock(const sc_core::sc_module_name& name, unsigned mhz) : sc_module(name), period_(1e6 / mhz, sc_core::SC_PS) {
  SC_HAS_PROCESS(Clock);
  SC_METHOD(tick);
  sensitive << next_;
  dont_initialize();
  SC_METHOD(presented);
  sensitive << present;
  dont_initialize();
}

void Clock::allow(std::uint64_t cycles, std::function<bool()> until) {
  allowed_ = cycles;
  until_ = std::move(until);
  if (!pending_) next_.notify(sc_core::SC_ZERO_TIME);
  pending_ = true;
}

// The memory answers what masters have presented, and lets the edge follow.
void Clock::presented() { answer.notify(sc_core::SC_ZERO_TIME); }

void Clock::rethrow() {
  if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
}

// A pause takes effect before the steps of a cycle begin, so that between runs no cycle is half done.
void Clock::tick() {
  if (allowed_ == 0 || failure_ || until_()) {
    pending_ = false;
    sc_core::sc_pause();
    return;
  }
  --allowed_;
  ++cycle_;
  present.notify(sc_core::SC_ZERO_TIME);
  next_.notify(period_);
}

}  // namespace espalier::soc
