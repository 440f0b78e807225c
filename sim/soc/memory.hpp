// The memory of the platform: a TLM target that answers bursts when a model of memory timing says so, and moves their
// bytes at that moment.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "esp_memory_model.hpp"
#include "functional/device_memory.hpp"
#include "soc/clock.hpp"
#include "soc/protocol.hpp"

namespace espalier::soc {

class Memory : public sc_core::sc_module {
 public:
  /// `bytes` must outlive it.
  Memory(const sc_core::sc_module_name& name, Clock& clock, functional::DeviceMemory& bytes, unsigned cores);

  tlm_utils::simple_target_socket<Memory, BeatBits, AxiProtocol> socket;

  /// Forgets what is under way and begins anew with this timing.
  void restart(std::unique_ptr<abi::SharedMemoryTiming> timing);

 private:
  struct Masters {
    std::array<tlm::tlm_generic_payload*, abi::Masters> read_waits{};
    tlm::tlm_generic_payload* write_waits = nullptr;
    std::array<std::deque<tlm::tlm_generic_payload*>, abi::Masters> reads;
    std::deque<tlm::tlm_generic_payload*> writes, written;  // with beats to come; to be answered
  };

  tlm::tlm_sync_enum forward(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  unsigned debug(tlm::tlm_generic_payload& payload);
  void answer();
  void answer_core(unsigned core);
  void accept(tlm::tlm_generic_payload& payload);
  void read_beat(Masters& core, unsigned master);
  void write_beat(Masters& core);
  void backward(tlm::tlm_generic_payload& payload, tlm::tlm_phase phase);

  Clock& clock_;
  functional::DeviceMemory& bytes_;
  std::unique_ptr<abi::SharedMemoryTiming> timing_;
  std::vector<Masters> cores_;
  std::vector<abi::MemoryRequest> requests_;
  std::vector<abi::MemoryResponse> responses_;
  bool silent_ = false;  // a fault: it never answers again
};

}  // namespace espalier::soc
