// Layers on which other accelerators were measured, with what they took.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace espalier::tools {

/// An accelerator, and how its figures were obtained.
struct Peer {
  std::string_view name;
  unsigned multipliers = 0;  // int8 multiply-accumulates per cycle at its peak
  std::string_view source;
};

/// One layer. A peer of another size is compared by the share of its peak.
struct PeerRow {
  std::string_view title;  // height x width x channels -> channels
  std::string_view layer;  // a line of model::parse_layer()
  const Peer* peer = nullptr;
  std::optional<std::uint64_t> cycles;  // the peer's; none: only its share is compared
  double utilisation = 0;               // the peer's, of its peak
};

/// All rows: those of one peer stand together.
std::span<const PeerRow> peer_rows();

}  // namespace espalier::tools
