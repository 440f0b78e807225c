#include "soc/axi_bridge.hpp"

#include <algorithm>
#include <string>

namespace espalier::soc {

AxiBridge::AxiBridge(const sc_core::sc_module_name& name, unsigned core) : sc_module(name), core_(core) {
  constexpr std::array<const char*, abi::Masters> Names{"command", "weight", "data"};
  for (unsigned m = 0; m < abi::Masters; ++m) {
    masters[m] = std::make_unique<Socket>(Names[m]);
    masters[m]->register_nb_transport_bw(this, &AxiBridge::backward, static_cast<int>(m));
  }
}

Transaction& AxiBridge::take() {
  if (free_.empty()) {
    all_.push_back(std::make_unique<Transaction>());
    free_.push_back(all_.back().get());
  }
  Transaction& transaction = *free_.back();
  free_.pop_back();
  return transaction;
}

void AxiBridge::give_back(tlm::tlm_generic_payload& payload) {
  const auto same = [&](const auto& candidate) { return &candidate->payload == &payload; };
  ended_.push_back(std::find_if(all_.begin(), all_.end(), same)->get());
}

void AxiBridge::forward(unsigned master, Transaction& transaction, tlm::tlm_phase phase) {
  sc_core::sc_time delay = sc_core::SC_ZERO_TIME;
  (*masters[master])->nb_transport_fw(transaction.payload, phase, delay);
}

void AxiBridge::present(const abi::MemoryRequest& pins, const std::uint8_t* write_data) {
  const bool moves_data = write_data != nullptr;
  const auto begin = [&](unsigned master, tlm::tlm_command command, std::uint64_t address, unsigned beats) {
    Transaction& transaction = take();
    transaction.begin(command, address, beats, moves_data);
    transaction.burst.core = core_;
    transaction.burst.master = master;
    return &transaction;
  };
  for (unsigned m = 0; m < abi::Masters; ++m) {
    if (!pins.ar_valid[m] || read_waits_[m] != nullptr) continue;
    read_waits_[m] = begin(m, tlm::TLM_READ_COMMAND, pins.ar_address[m], pins.ar_len[m] + 1U);
    forward(m, *read_waits_[m], tlm::BEGIN_REQ);
  }
  if (pins.w_valid && !data_waits_ && !writes_.empty()) {
    Transaction& transaction = *writes_.front();
    if (moves_data) {
      std::copy_n(write_data, abi::BeatBytes, &transaction.data[std::size_t{transaction.burst.moved} * abi::BeatBytes]);
    }
    data_waits_ = true;
    forward(abi::MasterData, transaction, BEGIN_DATA);
  }
  if (pins.aw_valid && write_waits_ == nullptr) {
    write_waits_ = begin(abi::MasterData, tlm::TLM_WRITE_COMMAND, pins.aw_address, pins.aw_len + 1U);
    forward(abi::MasterData, *write_waits_, tlm::BEGIN_REQ);
  }
}

tlm::tlm_sync_enum AxiBridge::backward(int tag, tlm::tlm_generic_payload& payload, tlm::tlm_phase& phase,
                                       sc_core::sc_time&) {
  const auto master = static_cast<unsigned>(tag);
  const Burst& burst = burst_of(payload);
  const bool reads = payload.is_read();
  if (phase == tlm::END_REQ) {
    if (reads) {
      response_.ar_ready[master] = true;
      read_waits_[master] = nullptr;
    } else {
      response_.aw_ready = true;
      writes_.push_back(write_waits_);
      write_waits_ = nullptr;
    }
  } else if (phase == READ_DATA) {
    response_.r_valid[master] = true;
    response_.r_last = burst.moved * abi::BeatBytes == payload.get_data_length();
    read_data_ = payload.get_data_ptr() + (std::size_t{burst.moved} - 1) * abi::BeatBytes;
    read_failed_ = payload.is_response_error() && payload.get_response_status() != tlm::TLM_INCOMPLETE_RESPONSE;
  } else if (phase == END_DATA) {
    response_.w_ready = true;
    data_waits_ = false;
    if (burst.moved * abi::BeatBytes == payload.get_data_length()) writes_.pop_front();
  } else if (phase == tlm::BEGIN_RESP) {
    if (!reads) {
      response_.b_valid = true;
      write_failed_ = payload.is_response_error();
    }
    give_back(payload);
    return tlm::TLM_COMPLETED;
  }
  return tlm::TLM_ACCEPTED;
}

void AxiBridge::finish() {
  response_ = {};
  read_data_ = nullptr;
  read_failed_ = write_failed_ = false;
  free_.insert(free_.end(), ended_.begin(), ended_.end());
  ended_.clear();
}

void AxiBridge::reset() {
  finish();
  read_waits_ = {};
  write_waits_ = nullptr;
  data_waits_ = false;
  writes_.clear();
  free_.clear();
  for (const auto& transaction : all_) free_.push_back(transaction.get());
}

}  // namespace espalier::soc
