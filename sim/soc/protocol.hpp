// How AXI bursts travel over TLM-2.0: one payload per burst, with phases for what AXI's channels do cycle by cycle.
//
//   read    BEGIN_REQ >  END_REQ <  READ_DATA < ... READ_DATA <  BEGIN_RESP <
//   write   BEGIN_REQ >  END_REQ <  (BEGIN_DATA >  END_DATA <) per beat  BEGIN_RESP <
//
// A master has one read and one write request waiting at most, and one beat of data. Every phase is a call without
// delay in the cycle in which the pins would move. BEGIN_RESP is answered with TLM_COMPLETED. Register accesses are
// payloads of four bytes: BEGIN_REQ, and BEGIN_RESP or TLM_COMPLETED at once.
#pragma once

#include <array>
#include <cstdint>
#include <systemc>
#include <tlm>

#include "esp_abi.hpp"

namespace espalier::soc {

DECLARE_EXTENDED_PHASE(READ_DATA);
DECLARE_EXTENDED_PHASE(BEGIN_DATA);
DECLARE_EXTENDED_PHASE(END_DATA);

/// Not the base protocol, so sockets of this kind bind to each other only.
struct AxiProtocol {
  using tlm_payload_type = tlm::tlm_generic_payload;
  using tlm_phase_type = tlm::tlm_phase;
};

inline constexpr unsigned BeatBits = abi::BeatBytes * 8;
inline constexpr unsigned RegisterBits = 32;
inline constexpr unsigned BurstBytes = abi::BurstBeats * abi::BeatBytes;

/// Registers of core i begin at i * this; memory begins behind 4 GiB.
inline constexpr std::uint64_t RegisterStride = 0x10000;
inline constexpr std::uint64_t MemoryBase = std::uint64_t{1} << 32;

/// Who sent a burst, and how far it is.
struct Burst : tlm::tlm_extension<Burst> {
  unsigned core = 0, master = 0;
  unsigned moved = 0;           // beats
  std::uint64_t serial = 0;     // of the platform
  std::uint64_t requested = 0;  // cycles of the platform
  std::uint64_t accepted = 0;
  std::uint64_t first_data = 0;

  unsigned port() const { return core * static_cast<unsigned>(abi::Masters) + master; }
  tlm_extension_base* clone() const override { return new Burst(*this); }
  void copy_from(const tlm_extension_base& other) override { *this = dynamic_cast<const Burst&>(other); }
};

/// A payload with its burst and room for its data.
class Transaction {
 public:
  Transaction() {
    payload.set_extension(&burst);
    payload.set_data_ptr(data.data());
  }
  ~Transaction() { payload.clear_extension(&burst); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// `moves_data`: no byte is enabled otherwise, so that a burst takes time and changes nothing.
  void begin(tlm::tlm_command command, std::uint64_t address, unsigned beats, bool moves_data) {
    payload.set_command(command);
    payload.set_address(address);
    payload.set_data_length(beats * static_cast<unsigned>(abi::BeatBytes));
    payload.set_streaming_width(payload.get_data_length());
    payload.set_byte_enable_ptr(moves_data ? nullptr : disabled.data());
    payload.set_byte_enable_length(moves_data ? 0 : 1);
    payload.set_response_status(tlm::TLM_INCOMPLETE_RESPONSE);
    burst.moved = 0;
  }

  tlm::tlm_generic_payload payload;
  Burst burst;
  std::array<std::uint8_t, BurstBytes> data{};
  std::array<std::uint8_t, 1> disabled{TLM_BYTE_DISABLED};
};

inline Burst& burst_of(const tlm::tlm_generic_payload& payload) { return *payload.get_extension<Burst>(); }

}  // namespace espalier::soc
