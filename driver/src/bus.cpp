#include "espalier/driver/bus.hpp"

#include <fmt/format.h>

#include "esp_abi.hpp"
#include "esp_error.hpp"

namespace espalier::driver {

void check_register(std::uint32_t offset) {
  if (offset % 4 == 0 && offset < abi::RegWindowBytes) return;
  throw Error(ErrorCode::Device, "no such register", "register window", fmt::format("offset {}", offset),
              fmt::format("use a multiple of 4 below {}", +abi::RegWindowBytes));
}

}  // namespace espalier::driver
