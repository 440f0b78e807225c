// Memory behind an AXI4 master, as kernels see it: anything that `memory[beat]` reads and writes. Beats are counted
// from address 0, because the windows' addresses are arguments of their own.
#pragma once

#include <cstdint>

#include "esp_beat.hpp"

namespace espalier::kernel {

/// How a memory answers a run of beats, burst by burst.
enum AnswerKind : std::uint8_t {
  AnswerAll,     // all of it
  AnswerError,   // a burst with an error
  AnswerSilence  // a burst never
};

struct Answer {
  std::uint32_t beats;  // of the bursts in front of that one
  AnswerKind kind;
};

/// On a device: m_axi ports do not show responses to the kernel, so every access is taken to succeed. Simulated
/// memories overload this.
inline Answer answer(const Beat* /*memory*/, std::uint64_t /*first*/, std::uint32_t beats, bool /*writes*/) {
  return {beats, AnswerAll};
}

/// A window: its address in beats, its size in beats.
struct Window {
  std::uint64_t base, beats;
};

}  // namespace espalier::kernel
