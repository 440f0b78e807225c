#include "card/buffers.hpp"

#include <sys/mman.h>

#include <algorithm>

namespace espalier::card {

namespace {

constexpr std::size_t PageBytes = 4096;

std::size_t pages(std::size_t bytes) { return (bytes + PageBytes - 1) / PageBytes * PageBytes; }

bool inside(const Buffer& buffer, std::size_t bytes, std::size_t offset) {
  return offset <= buffer.bytes && bytes <= buffer.bytes - offset;
}

bool has_device_side(const Buffer& buffer) { return buffer.kind != BufferKind::Command; }

}  // namespace

Buffer::~Buffer() {
  if (owns_host) munmap(host, pages(bytes));
}

void Buffers::set_banks(std::vector<Bank> banks) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < banks.size() && i < banks_.size(); ++i) banks[i].used = banks_[i].used;
  banks_ = std::move(banks);
}

void Buffers::allocate_device(Buffer& buffer) {
  if (buffer.bank == 0) {
    engine_.call([&](Machine& machine) { buffer.address = machine.bus().allocate(pages(buffer.bytes)); });
    return;
  }
  buffer.elsewhere.resize(buffer.bytes);
  const std::lock_guard lock(mutex_);
  buffer.address = banks_[buffer.bank].base + next_elsewhere_;
  next_elsewhere_ += pages(buffer.bytes);
}

BufferPtr Buffers::allocate(BufferKind kind, std::uint32_t flags, unsigned bank, std::size_t bytes,
                            std::uint8_t* user) {
  auto buffer = std::make_shared<Buffer>();
  buffer->kind = kind;
  buffer->flags = flags;
  buffer->bytes = bytes;
  buffer->bank = bank;
  if (bytes == 0) return nullptr;
  if (has_device_side(*buffer)) {
    const std::lock_guard lock(mutex_);
    const std::uint64_t left = bank < banks_.size() ? banks_[bank].bytes - banks_[bank].used : 0;
    if (bytes > left || pages(bytes) > left) return nullptr;
    banks_[bank].used += pages(bytes);
  }
  const auto give_back = [&] {
    const std::lock_guard lock(mutex_);
    if (has_device_side(*buffer)) banks_[bank].used -= pages(bytes);
  };
  buffer->host = user;
  if (user == nullptr && kind != BufferKind::DeviceOnly) {
    void* map = mmap(nullptr, pages(bytes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED) {
      give_back();
      return nullptr;
    }
    buffer->host = static_cast<std::uint8_t*>(map);
    buffer->owns_host = true;
  }
  try {
    if (has_device_side(*buffer)) allocate_device(*buffer);
  } catch (...) {
    give_back();
    return nullptr;
  }
  const std::lock_guard lock(mutex_);
  buffer->handle = next_handle_++;
  buffers_[buffer->handle] = buffer;
  return buffer;
}

void Buffers::free(unsigned handle) {
  BufferPtr buffer;
  {
    const std::lock_guard lock(mutex_);
    const auto found = buffers_.find(handle);
    if (found == buffers_.end()) return;
    buffer = found->second;
    buffers_.erase(found);
    if (has_device_side(*buffer) && buffer->bank < banks_.size()) banks_[buffer->bank].used -= pages(buffer->bytes);
  }
  // In the engine's thread: what it still does with the memory comes first.
  engine_.post([buffer](Machine& machine) {
    if (buffer->address != 0 && buffer->elsewhere.empty()) machine.bus().release(buffer->address);
  });
}

BufferPtr Buffers::find(unsigned handle) {
  const std::lock_guard lock(mutex_);
  const auto found = buffers_.find(handle);
  return found == buffers_.end() ? nullptr : found->second;
}

void Buffers::write_device(Machine& machine, Buffer& buffer, std::span<const std::uint8_t> data, std::size_t offset) {
  if (buffer.elsewhere.empty()) return machine.bus().write_memory(buffer.address + offset, data);
  std::copy(data.begin(), data.end(), buffer.elsewhere.begin() + static_cast<std::ptrdiff_t>(offset));
}

void Buffers::read_device(Machine& machine, const Buffer& buffer, std::span<std::uint8_t> data, std::size_t offset) {
  if (buffer.elsewhere.empty()) return machine.bus().read_memory(buffer.address + offset, data);
  std::copy_n(buffer.elsewhere.begin() + static_cast<std::ptrdiff_t>(offset), data.size(), data.begin());
}

bool Buffers::write(Buffer& buffer, std::span<const std::uint8_t> data, std::size_t offset) {
  if (!inside(buffer, data.size(), offset)) return false;
  if (has_device_side(buffer)) {
    engine_.call([&](Machine& machine) { write_device(machine, buffer, data, offset); });
  } else {
    std::copy(data.begin(), data.end(), buffer.host + offset);
  }
  return true;
}

bool Buffers::read(const Buffer& buffer, std::span<std::uint8_t> data, std::size_t offset) {
  if (!inside(buffer, data.size(), offset)) return false;
  if (has_device_side(buffer)) {
    engine_.call([&](Machine& machine) { read_device(machine, buffer, data, offset); });
  } else {
    std::copy_n(buffer.host + offset, data.size(), data.begin());
  }
  return true;
}

bool Buffers::sync(Buffer& buffer, Direction direction, std::size_t bytes, std::size_t offset) {
  if (!inside(buffer, bytes, offset)) return false;
  if (buffer.host == nullptr || buffer.kind != BufferKind::Normal) return true;
  const std::span<std::uint8_t> host(buffer.host + offset, bytes);
  if (direction == Direction::FromDevice) return read(buffer, host, offset);
  return write(buffer, host, offset);
}

bool Buffers::copy(Machine& machine, Buffer& to, std::size_t to_offset, const Buffer& from, std::size_t from_offset,
                   std::size_t bytes) {
  if (!inside(to, bytes, to_offset) || !inside(from, bytes, from_offset)) return false;
  if (!has_device_side(to) || !has_device_side(from)) return false;
  std::vector<std::uint8_t> data(bytes);
  read_device(machine, from, data, from_offset);
  write_device(machine, to, data, to_offset);
  return true;
}

std::vector<BufferPtr> Buffers::host_only() {
  const std::lock_guard lock(mutex_);
  std::vector<BufferPtr> found;
  for (const auto& [handle, buffer] : buffers_) {
    if (buffer->kind == BufferKind::HostOnly) found.push_back(buffer);
  }
  return found;
}

void Buffers::publish_host_only(Machine& machine) {
  for (const auto& buffer : host_only()) write_device(machine, *buffer, {buffer->host, buffer->bytes}, 0);
}

void Buffers::collect_host_only(Machine& machine) {
  for (const auto& buffer : host_only()) read_device(machine, *buffer, {buffer->host, buffer->bytes}, 0);
}

std::size_t Buffers::device_buffers() {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(buffers_.begin(), buffers_.end(),
                                                [](const auto& entry) { return has_device_side(*entry.second); }));
}

}  // namespace espalier::card
