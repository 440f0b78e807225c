#include "soc/rtl_core.hpp"

#include <cstring>

namespace espalier::soc {

void RtlCore::power_on() {
  access_ = nullptr;
  machine_->reset();
  bridge.reset();
}

bool RtlCore::access(tlm::tlm_generic_payload& payload) {
  const auto offset = static_cast<std::uint32_t>(payload.get_address() % RegisterStride);
  if (payload.is_write()) {
    std::uint32_t value = 0;
    std::memcpy(&value, payload.get_data_ptr(), sizeof value);
    machine_->begin_register_write(offset, value);
  } else {
    machine_->begin_register_read(offset);
  }
  access_ = &payload;
  return false;
}

void RtlCore::present() { bridge.present(machine_->request(), machine_->write_data()); }

void RtlCore::edge() {
  machine_->clock(bridge.response(), {bridge.read_data(), bridge.read_failed(), bridge.write_failed()});
  bridge.finish();
  if (access_ == nullptr || machine_->register_busy()) return;
  tlm::tlm_generic_payload& payload = *access_;
  access_ = nullptr;
  if (payload.is_read()) {
    const std::uint32_t value = machine_->register_value();
    std::memcpy(payload.get_data_ptr(), &value, sizeof value);
  }
  answer(payload);
}

}  // namespace espalier::soc
