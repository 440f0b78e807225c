#include "functional/device_memory.hpp"

#include <fmt/format.h>

#include <iterator>
#include <new>

#include "esp_error.hpp"

namespace espalier::functional {

namespace {
constexpr std::uint64_t PageBytes = 4096;
constexpr std::size_t LargestAllocation = std::size_t{1} << 34;
}  // namespace

std::uint64_t DeviceMemory::allocate(std::size_t bytes) {
  if (bytes == 0 || bytes > LargestAllocation) {
    throw Error(ErrorCode::Device, "cannot allocate device memory", "device memory", fmt::format("{} bytes", bytes),
                "use a size between 1 byte and 16 GiB");
  }
  const std::uint64_t address = next_;
  try {
    allocations_.emplace(address, std::vector<std::uint8_t>(bytes));
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::Device, "the host has no memory left for device memory", "device memory",
                fmt::format("{} bytes", bytes), "free memory or use a smaller program");
  }
  next_ += (bytes + PageBytes - 1) / PageBytes * PageBytes + PageBytes;
  return address;
}

void DeviceMemory::release(std::uint64_t address) {
  if (allocations_.erase(address) == 0) {
    throw Error(ErrorCode::Device, "not the address of an allocation", "device memory", fmt::format("{:#x}", address));
  }
}

std::uint8_t* DeviceMemory::find(std::uint64_t address, std::uint64_t bytes) {
  auto after = allocations_.upper_bound(address);
  if (after == allocations_.begin()) return nullptr;
  auto& [start, data] = *std::prev(after);
  const std::uint64_t offset = address - start;
  if (offset > data.size() || bytes > data.size() - offset) return nullptr;
  return data.data() + offset;
}

std::uint8_t* DeviceMemory::at(std::uint64_t address, std::uint64_t bytes) {
  std::uint8_t* data = find(address, bytes);
  if (data == nullptr) {
    throw Error(ErrorCode::Device, "access outside device memory", "device memory",
                fmt::format("{} bytes at {:#x}", bytes, address), "stay inside one allocation");
  }
  return data;
}

std::optional<MemoryFaultKind> DeviceMemory::fault(std::uint64_t address, std::uint64_t bytes, bool writes) const {
  if (!fault_ || address + bytes <= fault_->address || address >= fault_->address + fault_->bytes) return {};
  if (fault_->kind == MemoryFaultKind::ReadError && writes) return {};
  if (fault_->kind == MemoryFaultKind::WriteError && !writes) return {};
  return fault_->kind;
}

}  // namespace espalier::functional
