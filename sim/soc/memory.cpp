#include "soc/memory.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace espalier::soc {

Memory::Memory(const sc_core::sc_module_name& name, Clock& clock, functional::DeviceMemory& bytes, unsigned cores)
    : sc_module(name),
      socket("socket"),
      clock_(clock),
      bytes_(bytes),
      cores_(cores),
      requests_(cores),
      responses_(cores) {
  socket.register_nb_transport_fw(this, &Memory::forward);
  socket.register_transport_dbg(this, &Memory::debug);
  SC_HAS_PROCESS(Memory);
  SC_METHOD(answer);
  sensitive << clock.answer;
  dont_initialize();
}

void Memory::restart(std::unique_ptr<abi::SharedMemoryTiming> timing) {
  timing_ = std::move(timing);
  cores_.assign(cores_.size(), Masters{});
  requests_.assign(requests_.size(), {});
  silent_ = false;
}

tlm::tlm_sync_enum Memory::forward(tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase, sc_core::sc_time&) {
  const Burst& burst = burst_of(payload);
  Masters& core = cores_[burst.core];
  abi::MemoryRequest& pins = requests_[burst.core];
  const auto beats = static_cast<unsigned>(payload.get_data_length() / abi::BeatBytes);
  if (phase == BEGIN_DATA) {
    pins.w_valid = true;
    pins.w_last = burst.moved + 1 == beats;
  } else if (payload.is_read()) {
    core.read_waits[burst.master] = &payload;
    pins.ar_valid[burst.master] = true;
    pins.ar_address[burst.master] = payload.get_address();
    pins.ar_len[burst.master] = static_cast<std::uint8_t>(beats - 1);
  } else {
    core.write_waits = &payload;
    pins.aw_valid = true;
    pins.aw_address = payload.get_address();
    pins.aw_len = static_cast<std::uint8_t>(beats - 1);
  }
  return tlm::TLM_ACCEPTED;
}

/// The host's way into the memory; takes no time.
unsigned Memory::debug(tlm::tlm_generic_payload& payload) {
  const unsigned length = payload.get_data_length();
  std::uint8_t* bytes = bytes_.at(payload.get_address(), length);
  if (payload.is_write()) {
    std::memcpy(bytes, payload.get_data_ptr(), length);
  } else {
    std::memcpy(payload.get_data_ptr(), bytes, length);
  }
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  return length;
}

void Memory::backward(tlm::tlm_generic_payload& payload, tlm::tlm_phase phase) {
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  socket->nb_transport_bw(payload, phase, delay);
}

/// Faults concern whole bursts and are looked up when a burst is accepted. Its status says what it meets.
void Memory::accept(tlm::tlm_generic_payload& payload) {
  using functional::MemoryFaultKind;
  const std::optional<MemoryFaultKind> fault =
      bytes_.fault(payload.get_address(), payload.get_data_length(), payload.is_write());
  payload.set_response_status(tlm::TLM_OK_RESPONSE);
  if (fault == MemoryFaultKind::NoAnswer) silent_ = true;
  const MemoryFaultKind error = payload.is_write() ? MemoryFaultKind::WriteError : MemoryFaultKind::ReadError;
  if (fault == error) payload.set_response_status(tlm::TLM_GENERIC_ERROR_RESPONSE);
  backward(payload, tlm::END_REQ);
}

/// Outside of every allocation is a decode error.
void Memory::read_beat(Masters& core, unsigned master) {
  tlm::tlm_generic_payload& payload = *core.reads[master].front();
  Burst& burst = burst_of(payload);
  const std::uint64_t offset = burst.moved * std::uint64_t{abi::BeatBytes};
  const bool moves_data = payload.get_byte_enable_ptr() == nullptr;
  if (moves_data) {
    const std::uint8_t* bytes = bytes_.find(payload.get_address() + offset, abi::BeatBytes);
    if (bytes == nullptr) {
      payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
      std::memset(payload.get_data_ptr() + offset, 0, abi::BeatBytes);
    } else {
      std::memcpy(payload.get_data_ptr() + offset, bytes, abi::BeatBytes);
    }
  }
  ++burst.moved;
  backward(payload, READ_DATA);
  if (burst.moved * abi::BeatBytes != payload.get_data_length()) return;
  core.reads[master].pop_front();
  backward(payload, tlm::BEGIN_RESP);
}

void Memory::write_beat(Masters& core) {
  tlm::tlm_generic_payload& payload = *core.writes.front();
  Burst& burst = burst_of(payload);
  const std::uint64_t offset = burst.moved * std::uint64_t{abi::BeatBytes};
  const bool moves_data = payload.get_byte_enable_ptr() == nullptr;
  if (moves_data) {
    std::uint8_t* bytes = bytes_.find(payload.get_address() + offset, abi::BeatBytes);
    if (bytes == nullptr) payload.set_response_status(tlm::TLM_ADDRESS_ERROR_RESPONSE);
    if (!payload.is_response_error()) std::memcpy(bytes, payload.get_data_ptr() + offset, abi::BeatBytes);
  }
  if (++burst.moved * abi::BeatBytes == payload.get_data_length()) {
    core.writes.pop_front();
    core.written.push_back(&payload);
  }
  backward(payload, END_DATA);
}

void Memory::answer_core(unsigned index) {
  const abi::MemoryResponse& response = responses_[index];
  abi::MemoryRequest& pins = requests_[index];
  Masters& core = cores_[index];
  for (unsigned m = 0; m < abi::Masters; ++m) {
    if (response.r_valid[m]) read_beat(core, m);
    if (!response.ar_ready[m] || !pins.ar_valid[m]) continue;
    pins.ar_valid[m] = false;
    core.reads[m].push_back(core.read_waits[m]);
    accept(*core.read_waits[m]);
  }
  if (response.b_valid) {
    tlm::tlm_generic_payload& payload = *core.written.front();
    core.written.pop_front();
    backward(payload, tlm::BEGIN_RESP);
  }
  if (response.w_ready && pins.w_valid) {
    pins.w_valid = pins.w_last = false;
    write_beat(core);
  }
  if (response.aw_ready && pins.aw_valid) {
    pins.aw_valid = false;
    core.writes.push_back(core.write_waits);
    accept(*core.write_waits);
  }
}

void Memory::answer() {
  clock_.guard([this] {
    if (!silent_) {
      timing_->clock(requests_, responses_);
      for (unsigned c = 0; c < cores_.size(); ++c) answer_core(c);
    }
  });
  clock_.edge.notify(sc_core::SC_ZERO_TIME);
}

}  // namespace espalier::soc
