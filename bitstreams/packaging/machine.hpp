// What a kernel can be made of.
#pragma once

namespace espalier::packaging {

/// What computes behind the pins of a kernel: the RTL of hw/rtl, or the block that Vitis HLS exports from hls/kernels.
enum class Machine { Rtl, Hls };

}  // namespace espalier::packaging
