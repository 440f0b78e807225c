// The rules of AXI4 and AXI4-Lite that hold at the ports of an accelerator, checked in every cycle of every simulation.
// sim/README.md lists them by the names that errors give.
//
//   AxiRules rules("rtl 16x16");
//   rules.cycle(request, response, write_data);  // pins as they stand before the clock edge
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "esp_abi.hpp"
#include "esp_error.hpp"
#include "esp_memory_model.hpp"

namespace espalier::rtl {

/// Pins of an AXI4-Lite slave that answers one access after another.
struct AxiLitePins {
  bool write_under_way = false, read_under_way = false;  // accepted, not answered
  bool b_valid = false, r_valid = false;
  unsigned b_code = 0, r_code = 0;
};

/// Throws Error(Device) when a rule is broken: by the accelerator or by the memory that answers it.
class AxiRules {
 public:
  explicit AxiRules(std::string port) : port_(std::move(port)) {}

  /// Three read masters and the writes of the last. `write_data`: BeatBytes, looked at while a beat is offered; nullptr
  /// where there are no data.
  void cycle(const abi::MemoryRequest& request, const abi::MemoryResponse& response, const std::uint8_t* write_data) {
    for (unsigned m = 0; m < abi::Masters; ++m) {
      Reads& reads = reads_[m];
      if (request.ar_valid[m] || reads.address.waits) {
        address(reads.address, "AR", m,
                {request.ar_valid[m], response.ar_ready[m], request.ar_address[m], request.ar_len[m]}, reads.beats);
      }
      if (response.r_valid[m]) read_beat(reads, m, response.r_last);
    }
    if (request.w_valid || data_waits_) write_beat(request, response, write_data);
    if (response.b_valid) {
      require(complete_ != 0, "B_EXPECTED", abi::MasterData, "a write was answered that is not complete");
      --complete_;
    }
    if (request.aw_valid || writes_.waits) {
      address(writes_, "AW", abi::MasterData, {request.aw_valid, response.aw_ready, request.aw_address, request.aw_len},
              write_beats_);
    }
  }

  /// The control port.
  void cycle(const AxiLitePins& pins) const {
    require(!pins.b_valid || pins.write_under_way, "LITE_B_EXPECTED", abi::Masters, "a response without a write");
    require(!pins.r_valid || pins.read_under_way, "LITE_R_EXPECTED", abi::Masters, "data without a read");
    require((!pins.b_valid || pins.b_code == 0) && (!pins.r_valid || pins.r_code == 0), "LITE_OKAY", abi::Masters,
            "an error response");
  }

  /// For what only the owner of the pins can see: ARSIZE, AWSIZE, AxBURST, WSTRB.
  void attributes(bool as_agreed, unsigned master) const {
    require(as_agreed, "AX_ATTRIBUTES", master, "size, burst type or strobes are not those of whole 64-byte beats");
  }

  /// A reset may withdraw requests.
  void reset() { *this = AxiRules(port_); }

 private:
  struct Address {
    bool valid = false, ready = false;
    std::uint64_t address = 0;
    unsigned length = 0;  // beats - 1

    bool same(const Address& other) const { return address == other.address && length == other.length; }
  };
  struct Channel {
    bool waits = false;
    Address held;
  };
  struct Reads {
    Channel address;
    std::deque<unsigned> beats;  // left of every accepted burst
  };

  void require(bool holds, const char* rule, unsigned master, const char* problem) const {
    if (holds) return;
    constexpr std::array<const char*, abi::Masters + 1> Ports{"command", "weight", "data", "control"};
    throw Error(ErrorCode::Device, std::string("an AXI rule is broken: ") + problem,
                port_ + ", port " + Ports[std::min<std::size_t>(master, abi::Masters)], rule,
                "this is a defect of the machine or of its memory; report it");
  }

  void address(Channel& channel, const char* name, unsigned master, const Address& pins,
               std::deque<unsigned>& accepted) {
    const bool reads = name[1] == 'R';
    if (channel.waits) {
      require(pins.valid && pins.same(channel.held), reads ? "AR_STABLE" : "AW_STABLE", master,
              "an address changed or was withdrawn while it waited");
    } else {
      const std::uint64_t bytes = (pins.length + 1ULL) * abi::BeatBytes;
      require(
          pins.address % abi::BeatBytes == 0 && pins.length < abi::BurstBeats && pins.address % 1024 + bytes <= 1024,
          reads ? "AR_BURST" : "AW_BURST", master, "a burst is not of whole beats inside 1 KiB");
    }
    channel.waits = !pins.ready;
    channel.held = pins;
    if (pins.ready) accepted.push_back(pins.length + 1U);
  }

  void read_beat(Reads& reads, unsigned master, bool last) {
    require(!reads.beats.empty(), "R_EXPECTED", master, "data that nobody asked for");
    require(last == (reads.beats.front() == 1), "R_LAST", master, "the last beat is not the one that says so");
    if (--reads.beats.front() == 0) reads.beats.pop_front();
  }

  void write_beat(const abi::MemoryRequest& request, const abi::MemoryResponse& response, const std::uint8_t* data) {
    if (data_waits_) {
      const bool same = request.w_valid && request.w_last == held_last_ &&
                        (data == nullptr || std::equal(held_data_.begin(), held_data_.end(), data));
      require(same, "W_STABLE", abi::MasterData, "data changed or were withdrawn while they waited");
    }
    require(!write_beats_.empty(), "W_AFTER_ADDRESS", abi::MasterData, "data before their address was accepted");
    require(request.w_last == (write_beats_.front() == 1), "W_LAST", abi::MasterData,
            "the last beat is not the one that says so");
    data_waits_ = !response.w_ready;
    if (data_waits_) {
      held_last_ = request.w_last;
      if (data != nullptr) std::copy_n(data, abi::BeatBytes, held_data_.begin());
    } else if (--write_beats_.front() == 0) {
      write_beats_.pop_front();
      ++complete_;
    }
  }

  std::string port_;
  std::array<Reads, abi::Masters> reads_;
  Channel writes_;
  std::deque<unsigned> write_beats_;  // left of every accepted burst
  std::uint64_t complete_ = 0;        // writes that wait for their response
  bool data_waits_ = false, held_last_ = false;
  std::array<std::uint8_t, abi::BeatBytes> held_data_{};
};

}  // namespace espalier::rtl
