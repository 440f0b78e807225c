#include "soc/interconnect.hpp"

#include <string>

#include "esp_error.hpp"

namespace espalier::soc {

namespace {

unsigned beats_of(const tlm::tlm_generic_payload& payload) {
  return static_cast<unsigned>(payload.get_data_length() / abi::BeatBytes);
}

}  // namespace

Interconnect::Interconnect(const sc_core::sc_module_name& name, Clock& clock, unsigned cores_of_platform)
    : sc_module(name),
      masters("masters"),
      memory("memory"),
      host("host"),
      clock_(clock),
      ports_(std::size_t{cores_of_platform} * abi::Masters) {
  masters.register_nb_transport_fw(this, &Interconnect::from_master);
  memory.register_nb_transport_bw(this, &Interconnect::from_memory);
  host.register_nb_transport_fw(this, &Interconnect::from_host);
  host.register_transport_dbg(this, &Interconnect::debug);
  for (unsigned c = 0; c < cores_of_platform; ++c) {
    cores.push_back(std::make_unique<ControlSocket>(("core_" + std::to_string(c)).c_str()));
    cores.back()->register_nb_transport_bw(this, &Interconnect::from_core, static_cast<int>(c));
  }
}

void Interconnect::reset() { ports_.assign(ports_.size(), {}); }

void Interconnect::require(bool holds, const char* rule, const Burst& burst, const char* problem) const {
  if (holds) return;
  throw Error(ErrorCode::Device, std::string("a rule of the platform is broken: ") + problem,
              "core " + std::to_string(burst.core) + ", port " + master_name(burst.master), rule,
              "this is a defect of the simulation; report it");
}

tlm::tlm_sync_enum Interconnect::from_master(int index, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                             sc_core::sc_time& delay) {
  Burst& burst = burst_of(payload);
  Port& port = ports_[static_cast<std::size_t>(index)];
  require(burst.port() == static_cast<unsigned>(index), "TLM_PORT", burst, "a burst of another port");
  if (phase == tlm::BEGIN_REQ) {
    bool& waits = payload.is_read() ? port.read_waits : port.write_waits;
    require(!waits, "TLM_REQUEST", burst, "a request before the one before was accepted");
    require(payload.get_address() >= MemoryBase || payload.get_byte_enable_ptr() == nullptr, "TLM_ADDRESS", burst,
            "a burst outside of the memory");
    waits = true;
    burst.serial = next_serial_++;
    burst.requested = clock_.cycle();
    burst.accepted = burst.first_data = 0;
  } else {
    require(phase == BEGIN_DATA && payload.is_write() && burst.accepted != 0 && burst.moved < beats_of(payload),
            "TLM_DATA", burst, "data that do not belong to an accepted write");
  }
  return memory->nb_transport_fw(payload, phase, delay);
}

tlm::tlm_sync_enum Interconnect::from_memory(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                             sc_core::sc_time& delay) {
  Burst& burst = burst_of(payload);
  Port& port = ports_[burst.port()];
  if (phase == tlm::END_REQ) {
    bool& waits = payload.is_read() ? port.read_waits : port.write_waits;
    require(waits, "TLM_REQUEST", burst, "a request was accepted that does not wait");
    waits = false;
    burst.accepted = clock_.cycle();
  } else {
    require(burst.accepted != 0, "TLM_ORDER", burst, "an answer before the request was accepted");
    if (phase == tlm::BEGIN_RESP) {
      require(burst.moved == beats_of(payload), "TLM_ORDER", burst, "an end before the last data");
    } else {
      require(burst.moved != 0 && burst.moved <= beats_of(payload), "TLM_DATA", burst, "more data than asked for");
      // The first data of a read, the last of a write.
      if (payload.is_write() || burst.first_data == 0) burst.first_data = clock_.cycle();
    }
  }
  const bool ends = phase == tlm::BEGIN_RESP;
  if (ends) end(payload);
  const tlm::tlm_sync_enum result = masters[static_cast<int>(burst.port())]->nb_transport_bw(payload, phase, delay);
  require(!ends || result == tlm::TLM_COMPLETED, "TLM_ORDER", burst, "a master did not take an end at once");
  return result;
}

void Interconnect::end(const tlm::tlm_generic_payload& payload) {
  if (!observer) return;
  const Burst& burst = burst_of(payload);
  observer({burst.core, burst.master, payload.is_read(), burst.serial, payload.get_address(), beats_of(payload),
            burst.requested, burst.accepted, burst.first_data, clock_.cycle()});
}

tlm::tlm_sync_enum Interconnect::from_host(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                           sc_core::sc_time& delay) {
  return (*cores.at(payload.get_address() / RegisterStride))->nb_transport_fw(payload, phase, delay);
}

tlm::tlm_sync_enum Interconnect::from_core(int, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                           sc_core::sc_time& delay) {
  return host->nb_transport_bw(payload, phase, delay);
}

unsigned Interconnect::debug(tlm::tlm_generic_payload& payload) { return memory->transport_dbg(payload); }

}  // namespace espalier::soc
