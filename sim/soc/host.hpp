// The host of the platform: register accesses to cores, and bytes into and out of the memory.
#pragma once

#include <tlm_utils/simple_initiator_socket.h>

#include <cstring>
#include <span>
#include <vector>

#include "soc/protocol.hpp"

namespace espalier::soc {

class Host : public sc_core::sc_module {
 public:
  Host(const sc_core::sc_module_name& name, unsigned cores) : sc_module(name), socket("socket"), accesses_(cores) {
    socket.register_nb_transport_bw(this, &Host::answered);
    for (Access& access : accesses_) {
      access.payload.set_data_ptr(access.data.data());
      access.payload.set_data_length(RegisterBits / 8);
      access.payload.set_streaming_width(RegisterBits / 8);
    }
  }

  tlm_utils::simple_initiator_socket<Host, RegisterBits, AxiProtocol> socket;

  /// Begins an access to a register of a core; it is answered when waiting() says so.
  void begin(unsigned core, tlm::tlm_command command, std::uint32_t offset, std::uint32_t value) {
    Access& access = accesses_[core];
    std::memcpy(access.data.data(), &value, sizeof value);
    access.payload.set_command(command);
    access.payload.set_address(core * RegisterStride + offset);
    access.payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    access.waits = true;
    tlm::tlm_phase phase = tlm::BEGIN_REQ;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    if (socket->nb_transport_fw(access.payload, phase, delay) == tlm::TLM_COMPLETED) access.waits = false;
  }
  bool waiting(unsigned core) const { return accesses_[core].waits; }
  std::uint32_t value(unsigned core) const {
    std::uint32_t value = 0;
    std::memcpy(&value, accesses_[core].data.data(), sizeof value);
    return value;
  }
  void forget(unsigned core) { accesses_[core].waits = false; }

  /// Takes no time.
  void move(tlm::tlm_command command, std::uint64_t address, std::span<std::uint8_t> bytes) {
    tlm::tlm_generic_payload payload;
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_ptr(bytes.data());
    payload.set_data_length(static_cast<unsigned>(bytes.size()));
    socket->transport_dbg(payload);
  }

 private:
  struct Access {
    tlm::tlm_generic_payload payload;
    std::array<std::uint8_t, RegisterBits / 8> data{};
    bool waits = false;
  };

  tlm::tlm_sync_enum answered(tlm::tlm_generic_payload& payload, tlm::tlm_phase&, sc_core::sc_time&) {
    accesses_[payload.get_address() / RegisterStride].waits = false;
    return tlm::TLM_COMPLETED;
  }

  std::vector<Access> accesses_;
};

}  // namespace espalier::soc
