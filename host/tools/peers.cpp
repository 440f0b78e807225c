#include "peers.hpp"

#include <array>

namespace espalier::tools {
namespace {

constexpr Peer Nvdla{
    "NVDLA nv_small", 64,
    "its RTL (64 int8 multipliers, 128 KiB buffer, one 64-bit AXI port) in Verilator with a memory of 8 bytes per "
    "cycle "
    "and a latency of 20 cycles, from the last enable write to the done interrupt, DRAM traffic included, every output "
    "byte checked"};
constexpr Peer Ne16{"PULP NE16", 162,
                    "its RTL (162 multipliers at 8-bit weights) simulated with all data in local memory: no DRAM time"};

constexpr std::array Rows{
    PeerRow{"32x32x16 -> 16, 3x3", "conv ic16 ih32 iw32 oc16 kh3 kw3 ph1 pw1", &Nvdla, 39546, 0.932},
    PeerRow{"8x8x64 -> 64, 3x3", "conv ic64 ih8 iw8 oc64 kh3 kw3 ph1 pw1", &Nvdla, 38236, 0.964},
    PeerRow{"32x32x16 -> 32, 3x3 stride 2", "conv ic16 ih32 iw32 oc32 kh3 kw3 sh2 sw2 ph1 pw1", &Nvdla, 21393, 0.862},
    PeerRow{"24x24x32 -> 32, 1x1", "conv ic32 ih24 iw24 oc32", &Nvdla, 29409, 0.313},
    PeerRow{"6x6x128 -> 128, 1x1", "conv ic128 ih6 iw6 oc128", &Nvdla, 10633, 0.867},
    PeerRow{"matrix 128x128x128", "conv ic128 ih128 iw1 oc128", &Nvdla, 37160, 0.882},
    PeerRow{"fully connected 640 -> 128", "fc ic640 oc128", &Nvdla, 11117, 0.115},
    PeerRow{"28x28x128 -> 128, 3x3", "conv ic128 ih28 iw28 oc128 kh3 kw3 ph1 pw1", &Nvdla, 1825163, 0.990},
    PeerRow{"7x7x512 -> 2048, 1x1", "conv ic512 ih7 iw7 oc2048", &Nvdla, 809329, 0.992},
    PeerRow{"12x12x64 -> 64, 3x3", "conv ic64 ih12 iw12 oc64 kh3 kw3 ph1 pw1", &Ne16, {}, 0.83},
    PeerRow{"32x32x16 -> 16, 3x3", "conv ic16 ih32 iw32 oc16 kh3 kw3 ph1 pw1", &Ne16, {}, 0.61},
    PeerRow{"24x24x32 -> 32, 1x1", "conv ic32 ih24 iw24 oc32", &Ne16, {}, 0.36},
    PeerRow{"24x24x32, depthwise 3x3", "conv ic32 ih24 iw24 oc32 kh3 kw3 ph1 pw1 g32", &Ne16, {}, 0.037},
    PeerRow{"fully connected 640 -> 128", "fc ic640 oc128", &Ne16, {}, 0.048},
};

}  // namespace

std::span<const PeerRow> peer_rows() { return Rows; }

}  // namespace espalier::tools
