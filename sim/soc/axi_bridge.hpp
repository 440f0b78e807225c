// Between the pins of a core and TLM: what the pins ask for becomes transactions of three sockets, and what comes back
// becomes the memory's pins of the cycle.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <array>
#include <deque>
#include <memory>
#include <vector>

#include "esp_memory_model.hpp"
#include "soc/protocol.hpp"

namespace espalier::soc {

class AxiBridge : public sc_core::sc_module {
 public:
  AxiBridge(const sc_core::sc_module_name& name, unsigned core);

  using Socket = tlm_utils::simple_initiator_socket_tagged<AxiBridge, BeatBits, AxiProtocol>;
  std::array<std::unique_ptr<Socket>, abi::Masters> masters;

  /// The pins of a cycle. `write_data`: BeatBytes of the beat offered; nullptr: bursts move no data.
  void present(const abi::MemoryRequest& pins, const std::uint8_t* write_data);

  /// What came back in this cycle; valid until finish().
  const abi::MemoryResponse& response() const { return response_; }
  const std::uint8_t* read_data() const { return read_data_; }
  bool read_failed() const { return read_failed_; }
  bool write_failed() const { return write_failed_; }

  /// After the edge: the answers of the cycle are used up.
  void finish();

  /// Forgets all bursts under way; only when nobody will answer them.
  void reset();

 private:
  tlm::tlm_sync_enum backward(int master, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                              sc_core::sc_time& delay);
  void forward(unsigned master, Transaction& transaction, tlm::tlm_phase phase);
  Transaction& take();
  void give_back(tlm::tlm_generic_payload& payload);

  unsigned core_;
  std::vector<std::unique_ptr<Transaction>> all_;
  std::vector<Transaction*> free_;
  std::array<Transaction*, abi::Masters> read_waits_{};  // for its address to be accepted
  Transaction* write_waits_ = nullptr;
  bool data_waits_ = false;
  std::deque<Transaction*> writes_;  // accepted, with beats to come
  std::vector<Transaction*> ended_;  // in this cycle
  abi::MemoryResponse response_;
  const std::uint8_t* read_data_ = nullptr;
  bool read_failed_ = false, write_failed_ = false;
};

}  // namespace espalier::soc
