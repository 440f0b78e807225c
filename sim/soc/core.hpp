// A core of the platform: a register port, three AXI masters, and a clock edge.
#pragma once

#include <tlm_utils/simple_target_socket.h>

#include "esp_abi.hpp"
#include "soc/axi_bridge.hpp"
#include "soc/clock.hpp"
#include "soc/protocol.hpp"

namespace espalier::soc {

class Core : public sc_core::sc_module {
 public:
  Core(const sc_core::sc_module_name& name, Clock& clock, unsigned index)
      : sc_module(name), control("control"), bridge("bridge", index), clock_(clock) {
    control.register_nb_transport_fw(this, &Core::register_access);
    SC_HAS_PROCESS(Core);
    SC_METHOD(present_step);
    sensitive << clock.present;
    dont_initialize();
    SC_METHOD(edge_step);
    sensitive << clock.edge;
    dont_initialize();
  }

  tlm_utils::simple_target_socket<Core, RegisterBits, AxiProtocol> control;
  AxiBridge bridge;

  /// A run has started and not ended.
  virtual bool busy() const = 0;
  /// The run can never end.
  virtual bool stuck() const { return false; }
  /// A register access is under way, or the run: cycles are wanted.
  virtual bool active() const = 0;
  /// Power-on state.
  virtual void power_on() = 0;
  /// What a run does before it takes time, a piece at a time; false when nothing is left to prepare.
  virtual bool prepare() { return false; }

 protected:
  /// A register access: true if it is answered at once.
  virtual bool access(tlm::tlm_generic_payload& payload) = 0;
  virtual void present() = 0;
  virtual void edge() = 0;

  void answer(tlm::tlm_generic_payload& payload) {
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    tlm::tlm_phase phase = tlm::BEGIN_RESP;
    sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
    control->nb_transport_bw(payload, phase, delay);
  }

  Clock& clock_;

 private:
  tlm::tlm_sync_enum register_access(tlm::tlm_generic_payload& payload, tlm::tlm_phase&, sc_core::sc_time&) {
    if (!access(payload)) return tlm::TLM_ACCEPTED;
    payload.set_response_status(tlm::TLM_OK_RESPONSE);
    return tlm::TLM_COMPLETED;
  }
  void present_step() {
    if (active()) clock_.guard([this] { present(); });
  }
  void edge_step() {
    if (active()) clock_.guard([this] { edge(); });
  }
};

}  // namespace espalier::soc
