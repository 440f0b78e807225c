// Device memory as the HLS kernels see it behind an AXI4 master.
#pragma once

#include <cstdint>

#include "esp_beat.hpp"
#include "esp_memory.hpp"
#include "functional/device_memory.hpp"

namespace espalier::functional {

/// The beat that stands at `bytes`: BeatBytes of them.
kernel::Beat to_beat(const std::uint8_t* bytes);

/// A handle: kernels take it by value, as they take a pointer on a device.
class KernelMemory {
 public:
  /// A beat in memory, to be read or replaced. Accesses have been answered by answer() before.
  class Reference {
   public:
    Reference(DeviceMemory& memory, std::uint64_t address) : memory_(memory), address_(address) {}
    operator kernel::Beat() const;  // NOLINT(google-explicit-constructor): reads as an element of an array
    Reference& operator=(const kernel::Beat& beat);

   private:
    DeviceMemory& memory_;
    std::uint64_t address_;
  };

  explicit KernelMemory(DeviceMemory& memory) : memory_(&memory) {}

  /// Beat `beat` of memory, counted from address 0.
  Reference operator[](std::uint64_t beat) const { return {*memory_, beat * abi::BeatBytes}; }

  /// How memory answers the bursts of the run [first, first + beats).
  friend kernel::Answer answer(const KernelMemory& memory, std::uint64_t first, std::uint32_t beats, bool writes);

 private:
  DeviceMemory* memory_;
};

}  // namespace espalier::functional
