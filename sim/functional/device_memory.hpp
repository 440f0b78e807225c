// Device memory of a simulated card: allocations behind device addresses, every access checked against them.
//
//   DeviceMemory memory;
//   std::uint64_t address = memory.allocate(4096);
//   std::uint8_t* bytes = memory.find(address, 64);  // nullptr: nothing is there
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace espalier::functional {

/// What a memory does wrong in one address range; the machine must survive each.
enum class MemoryFaultKind { ReadError, WriteError, NoAnswer };

struct MemoryFault {
  MemoryFaultKind kind = MemoryFaultKind::ReadError;
  std::uint64_t address = 0;
  std::uint64_t bytes = 0;
};

class DeviceMemory {
 public:
  /// `bytes` > 0 zeroed bytes at a 4 KiB aligned address. An unmapped page follows each allocation, so an access that
  /// runs off its end never reaches a neighbour. Throws Error Device for 0 bytes, more than 16 GiB, or a host without
  /// memory for them.
  std::uint64_t allocate(std::size_t bytes);

  /// Frees an allocation. Throws Error Device if `address` is not the start of one.
  void release(std::uint64_t address);

  /// The bytes [address, address + bytes) if they lie in one allocation, else nullptr.
  std::uint8_t* find(std::uint64_t address, std::uint64_t bytes);

  /// As find(), but throws Error Device if nothing is there.
  std::uint8_t* at(std::uint64_t address, std::uint64_t bytes);

  /// Makes the memory misbehave for the machine (not for the host) until cleared with nullopt.
  void set_fault(std::optional<MemoryFault> fault) { fault_ = fault; }

  /// The fault that an access to [address, address + bytes) meets, if any.
  std::optional<MemoryFaultKind> fault(std::uint64_t address, std::uint64_t bytes, bool writes) const;

 private:
  std::map<std::uint64_t, std::vector<std::uint8_t>> allocations_;
  std::uint64_t next_ = std::uint64_t{1} << 32;
  std::optional<MemoryFault> fault_;
};

}  // namespace espalier::functional
