// The clock of the platform, in three steps per cycle: masters present their pins, the memory answers, and then the
// edge. It ticks only while somebody has asked for cycles.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <systemc>

namespace espalier::soc {

class Clock : public sc_core::sc_module {
 public:
  Clock(const sc_core::sc_module_name& name, unsigned mhz);

  sc_core::sc_event present, answer, edge;

  /// The next sc_start() runs at most this many cycles and pauses, earlier when `until` holds between two of them.
  void allow(std::uint64_t cycles, std::function<bool()> until);

  std::uint64_t cycle() const { return cycle_; }

  /// Runs a step of a process: an exception ends the run, and is thrown by rethrow().
  template <typename Step>
  void guard(Step&& step) {
    if (failure_) return;
    try {
      step();
    } catch (...) {
      failure_ = std::current_exception();
    }
  }
  void rethrow();

 private:
  void tick();
  void presented();

  sc_core::sc_time period_;
  std::uint64_t cycle_ = 0;
  std::uint64_t allowed_ = 0;
  std::function<bool()> until_;
  sc_core::sc_event next_;
  bool pending_ = false;
  std::exception_ptr failure_;
};

}  // namespace espalier::soc
