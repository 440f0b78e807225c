// Between masters, cores and memory: routes by address, checks the order of phases, and sees when every burst happens.
#pragma once

#include <tlm_utils/multi_passthrough_target_socket.h>
#include <tlm_utils/simple_initiator_socket.h>
#include <tlm_utils/simple_target_socket.h>

#include <functional>
#include <memory>
#include <vector>

#include "soc/clock.hpp"
#include "soc/protocol.hpp"
#include "soc/traffic.hpp"

namespace espalier::soc {

class Interconnect : public sc_core::sc_module {
 public:
  Interconnect(const sc_core::sc_module_name& name, Clock& clock, unsigned cores);

  using ControlSocket = tlm_utils::simple_initiator_socket_tagged<Interconnect, RegisterBits, AxiProtocol>;
  /// Bound in the order of cores and their masters.
  tlm_utils::multi_passthrough_target_socket<Interconnect, BeatBits, AxiProtocol> masters;
  tlm_utils::simple_initiator_socket<Interconnect, BeatBits, AxiProtocol> memory;
  tlm_utils::simple_target_socket<Interconnect, RegisterBits, AxiProtocol> host;
  std::vector<std::unique_ptr<ControlSocket>> cores;

  /// Called with every burst that has ended.
  std::function<void(const BurstTimes&)> observer;

  /// Forgets the bursts under way.
  void reset();

 private:
  struct Port {
    bool read_waits = false, write_waits = false;
  };

  tlm::tlm_sync_enum from_master(int port, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                 sc_core::sc_time& delay);
  tlm::tlm_sync_enum from_memory(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  tlm::tlm_sync_enum from_host(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time& delay);
  tlm::tlm_sync_enum from_core(int core, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                               sc_core::sc_time& delay);
  unsigned debug(tlm::tlm_generic_payload& payload);
  void require(bool holds, const char* rule, const Burst& burst, const char* problem) const;
  void end(const tlm::tlm_generic_payload& payload);

  Clock& clock_;
  std::vector<Port> ports_;
  std::uint64_t next_serial_ = 0;
};

}  // namespace espalier::soc
