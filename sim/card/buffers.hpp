// Buffer objects of the card: host memory, device memory in a bank, and the copies between them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "card/engine.hpp"

namespace espalier::card {

/// A memory bank as the image describes it.
struct Bank {
  std::string tag;
  std::uint64_t base = 0;
  std::uint64_t bytes = 0;
  std::uint64_t used = 0;
};

enum class BufferKind {
  Normal,      // host side and device side, copied by sync
  DeviceOnly,  // no host side
  HostOnly,    // the machine reads and writes the host side: copied before and after each run
  Command,     // host side only
};

struct Buffer {
  Buffer() = default;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  unsigned handle = 0;
  BufferKind kind = BufferKind::Normal;
  std::uint32_t flags = 0;  // as XRT gave them
  std::size_t bytes = 0;
  std::uint8_t* host = nullptr;
  bool owns_host = false;
  unsigned bank = 0;
  std::uint64_t address = 0;            // device address, 0 if there is no device side
  std::vector<std::uint8_t> elsewhere;  // device side in a bank that the machine does not see
};

using BufferPtr = std::shared_ptr<Buffer>;

/// Thread-safe. The machine sees bank 0; other banks are plain memory on the card.
class Buffers {
 public:
  explicit Buffers(Engine& engine) : engine_(engine) {}

  void set_banks(std::vector<Bank> banks);

  /// `user`: the host side if the caller owns it, else nullptr. Returns nullptr if the bank does not exist or is full.
  BufferPtr allocate(BufferKind kind, std::uint32_t flags, unsigned bank, std::size_t bytes, std::uint8_t* user);
  void free(unsigned handle);
  BufferPtr find(unsigned handle);

  /// Copies between host and device side. false: outside the buffer.
  enum class Direction { ToDevice, FromDevice };
  bool sync(Buffer& buffer, Direction direction, std::size_t bytes, std::size_t offset);
  /// Device side to device side, inside a task of the engine. false: outside a buffer.
  bool copy(Machine& machine, Buffer& to, std::size_t to_offset, const Buffer& from, std::size_t from_offset,
            std::size_t bytes);
  /// Access to a device side without the host side.
  bool write(Buffer& buffer, std::span<const std::uint8_t> data, std::size_t offset);
  bool read(const Buffer& buffer, std::span<std::uint8_t> data, std::size_t offset);

  /// Host sides that the machine works on directly: before and after a run.
  void publish_host_only(Machine& machine);
  void collect_host_only(Machine& machine);

  /// Buffers with a device side.
  std::size_t device_buffers();

 private:
  void write_device(Machine& machine, Buffer& buffer, std::span<const std::uint8_t> data, std::size_t offset);
  void read_device(Machine& machine, const Buffer& buffer, std::span<std::uint8_t> data, std::size_t offset);
  void allocate_device(Buffer& buffer);
  std::vector<BufferPtr> host_only();

  Engine& engine_;
  std::mutex mutex_;
  std::vector<Bank> banks_;
  std::map<unsigned, BufferPtr> buffers_;
  unsigned next_handle_ = 1;
  std::uint64_t next_elsewhere_ = 0;  // offset in the banks beyond 0
};

}  // namespace espalier::card
