// XRT's own device and system classes come as object code out of libxrt_hwemu.a, so that their layout is that of the
// installed release. They refer to two members of the emulation shim, given here; and the number of devices, whose own
// definition the build has made weak, is ours.
#include <utility>

#include "card/shim.hpp"

namespace xrt_core::query {
enum class key_type;
}

namespace xclhwemhal2 {

class HwEmShim {
 public:
  static HwEmShim* handleCheck(void* handle);
  unsigned deviceQuery(xrt_core::query::key_type key);
};

HwEmShim* HwEmShim::handleCheck(void* handle) { return static_cast<HwEmShim*>(handle); }

// Memory-to-memory copies exist, copies without DMA do not: both queries answer 0 for "default".
unsigned HwEmShim::deviceQuery(xrt_core::query::key_type) { return 0; }

}  // namespace xclhwemhal2

namespace xrt_core::hwemu {

class system {
 public:
  std::pair<unsigned, unsigned> get_total_devices(bool is_user) const;
};

std::pair<unsigned, unsigned> system::get_total_devices(bool) const {
  return {espalier::card::card_count(), espalier::card::card_count()};
}

}  // namespace xrt_core::hwemu

// The library of SystemC, where the platform is part of the card, looks for it when it is loaded. Nobody calls it.
extern "C" int sc_main(int, char**) { return 0; }
