#include "functional/kernel_memory.hpp"

#include <algorithm>

namespace espalier::functional {

kernel::Beat to_beat(const std::uint8_t* bytes) {
  kernel::Beat beat = 0;
  for (int digit = 0; digit < static_cast<int>(abi::BeatBytes / 8); ++digit) {
    std::uint64_t value = 0;
    for (int b = 8; b-- > 0;) value = value << 8 | bytes[digit * 8 + b];
    beat.range(digit * 64 + 63, digit * 64) = value;
  }
  return beat;
}

KernelMemory::Reference::operator kernel::Beat() const { return to_beat(memory_.at(address_, abi::BeatBytes)); }

KernelMemory::Reference& KernelMemory::Reference::operator=(const kernel::Beat& beat) {
  std::uint8_t* bytes = memory_.at(address_, abi::BeatBytes);
  for (int i = 0; i < static_cast<int>(abi::BeatBytes); ++i) {
    bytes[i] = static_cast<std::uint8_t>(beat.range(i * 8 + 7, i * 8).to_uint64());
  }
  return *this;
}

kernel::Answer answer(const KernelMemory& memory, std::uint64_t first, std::uint32_t beats, bool writes) {
  for (std::uint32_t done = 0; done < beats;) {
    const std::uint64_t beat = first + done;
    const auto count =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(beats - done, abi::BurstBeats - beat % abi::BurstBeats));
    const std::uint64_t address = beat * abi::BeatBytes;
    const std::uint64_t bytes = std::uint64_t{count} * abi::BeatBytes;
    const auto fault = memory.memory_->fault(address, bytes, writes);
    if (fault == MemoryFaultKind::NoAnswer) return {done, kernel::AnswerSilence};
    if (fault || memory.memory_->find(address, bytes) == nullptr) return {done, kernel::AnswerError};
    done += count;
  }
  return {beats, kernel::AnswerAll};
}

}  // namespace espalier::functional
