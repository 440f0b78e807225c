// The C functions through which XRT's device class reaches the card. See the table in xrt.h; those without a meaning
// here answer -EOPNOTSUPP. No exception leaves them.
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>

#include "card/card.hpp"
#include "card/shim.hpp"

// The part of libxrt_coreutil's C++ interface that a shim must call.
namespace xrt_core {
class device {
 public:
  void register_axlf(const axlf* image);
};
std::shared_ptr<device> get_userpf_device(void* handle, unsigned int id);
}  // namespace xrt_core

namespace espalier::card {

Card* card(unsigned index) {
  // Never destroyed: libxrt_coreutil joins its monitor thread from a static destructor of its own.
  static Card* const only = [] {
    try {
      return new Card(settings_from_environment());
    } catch (const std::exception& error) {
      std::fprintf(stderr, "espalier card: %s\n", error.what());
      return static_cast<Card*>(nullptr);
    }
  }();
  return index == 0 ? only : nullptr;
}

unsigned card_count() { return card(0) != nullptr ? 1 : 0; }

}  // namespace espalier::card

namespace {

using espalier::card::BufferKind;
using espalier::card::BufferPtr;
using espalier::card::Buffers;
using espalier::card::Client;

Client& client(xclDeviceHandle handle) { return *static_cast<Client*>(handle); }

Buffers& buffers(xclDeviceHandle handle) { return client(handle).card->buffers(); }

template <typename Action>
int guarded(Action&& action) {
  try {
    return action();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "espalier card: %s\n", error.what());
    return -EIO;
  }
}

BufferKind kind_of(unsigned flags) {
  if ((flags & XCL_BO_FLAGS_EXECBUF) != 0) return BufferKind::Command;
  if ((flags & XCL_BO_FLAGS_HOST_ONLY) != 0) return BufferKind::HostOnly;
  if ((flags & XCL_BO_FLAGS_DEV_ONLY) != 0) return BufferKind::DeviceOnly;
  return BufferKind::Normal;
}

xclBufferHandle allocate(xclDeviceHandle handle, void* user, std::size_t size, unsigned flags) {
  BufferPtr buffer;
  guarded([&] {
    buffer = buffers(handle).allocate(kind_of(flags), flags, flags & static_cast<unsigned>(XRT_BO_FLAGS_MEMIDX_MASK),
                                      size, static_cast<std::uint8_t*>(user));
    return 0;
  });
  return buffer ? buffer->handle : XRT_NULL_BO;
}

}  // namespace

#define EXPORT extern "C" __attribute__((visibility("default")))

EXPORT unsigned xclProbe() { return espalier::card::card_count(); }
EXPORT unsigned xclVersion() { return 2; }

EXPORT xclDeviceHandle xclOpen(unsigned index, const char*, xclVerbosityLevel) {
  auto* card = espalier::card::card(index);
  if (card == nullptr) return nullptr;
  auto opened = std::make_unique<Client>();
  opened->card = card;
  const int status = guarded([&] {
    opened->device = xrt_core::get_userpf_device(opened.get(), index);
    return 0;
  });
  return status == 0 ? opened.release() : nullptr;
}

EXPORT void xclClose(xclDeviceHandle handle) {
  const std::unique_ptr<Client> closing(&client(handle));
  guarded([&] {
    closing->card->leave(*closing);
    return 0;
  });
}

EXPORT int xclGetDeviceInfo2(xclDeviceHandle handle, xclDeviceInfo2* info) {
  *info = client(handle).card->info();
  return 0;
}

EXPORT int xclLoadXclBin(xclDeviceHandle handle, const axlf* image) {
  return guarded([&] {
    const int status = client(handle).card->load(image);
    if (status == 0) std::static_pointer_cast<xrt_core::device>(client(handle).device)->register_axlf(image);
    return status;
  });
}

EXPORT int xclOpenContext(xclDeviceHandle handle, const xuid_t uuid, unsigned unit, bool shared) {
  return guarded([&] { return client(handle).card->open_context(client(handle), uuid, unit, shared); });
}

EXPORT int xclCloseContext(xclDeviceHandle handle, const xuid_t, unsigned unit) {
  return guarded([&] { return client(handle).card->close_context(client(handle), unit); });
}

EXPORT xclBufferHandle xclAllocBO(xclDeviceHandle handle, size_t size, int, unsigned flags) {
  return allocate(handle, nullptr, size, flags);
}

EXPORT xclBufferHandle xclAllocUserPtrBO(xclDeviceHandle handle, void* user, size_t size, unsigned flags) {
  return allocate(handle, user, size, flags);
}

EXPORT void xclFreeBO(xclDeviceHandle handle, xclBufferHandle buffer) {
  guarded([&] {
    buffers(handle).free(buffer);
    return 0;
  });
}

EXPORT void* xclMapBO(xclDeviceHandle handle, xclBufferHandle buffer, bool) {
  const BufferPtr found = buffers(handle).find(buffer);
  return found ? found->host : nullptr;
}

EXPORT int xclUnmapBO(xclDeviceHandle, xclBufferHandle, void*) { return 0; }

EXPORT int xclSyncBO(xclDeviceHandle handle, xclBufferHandle buffer, xclBOSyncDirection direction, size_t size,
                     size_t offset) {
  const BufferPtr found = buffers(handle).find(buffer);
  if (!found) return -EINVAL;
  const auto way =
      direction == XCL_BO_SYNC_BO_TO_DEVICE ? Buffers::Direction::ToDevice : Buffers::Direction::FromDevice;
  return guarded([&] { return buffers(handle).sync(*found, way, size, offset) ? 0 : -EINVAL; });
}

EXPORT int xclCopyBO(xclDeviceHandle handle, xclBufferHandle destination, xclBufferHandle source, size_t size,
                     size_t destination_offset, size_t source_offset) {
  const BufferPtr to = buffers(handle).find(destination);
  const BufferPtr from = buffers(handle).find(source);
  if (!to || !from) return -EINVAL;
  return guarded([&] {
    std::vector<std::uint8_t> data(size);
    const bool copied =
        buffers(handle).read(*from, data, source_offset) && buffers(handle).write(*to, data, destination_offset);
    return copied ? 0 : -EINVAL;
  });
}

EXPORT size_t xclWriteBO(xclDeviceHandle handle, xclBufferHandle buffer, const void* source, size_t size,
                         size_t offset) {
  const BufferPtr found = buffers(handle).find(buffer);
  if (!found) return static_cast<size_t>(-EINVAL);
  return static_cast<size_t>(guarded([&] {
    return buffers(handle).write(*found, {static_cast<const std::uint8_t*>(source), size}, offset) ? 0 : -EINVAL;
  }));
}

EXPORT size_t xclReadBO(xclDeviceHandle handle, xclBufferHandle buffer, void* destination, size_t size, size_t offset) {
  const BufferPtr found = buffers(handle).find(buffer);
  if (!found) return static_cast<size_t>(-EINVAL);
  return static_cast<size_t>(guarded([&] {
    return buffers(handle).read(*found, {static_cast<std::uint8_t*>(destination), size}, offset) ? 0 : -EINVAL;
  }));
}

EXPORT int xclGetBOProperties(xclDeviceHandle handle, xclBufferHandle buffer, xclBOProperties* properties) {
  const BufferPtr found = buffers(handle).find(buffer);
  if (!found) return -EINVAL;
  std::memset(properties, 0, sizeof *properties);
  properties->handle = found->handle;
  properties->flags = found->flags;
  properties->size = found->bytes;
  properties->paddr = found->address;
  return 0;
}

EXPORT xclBufferExportHandle xclExportBO(xclDeviceHandle, xclBufferHandle) { return XRT_NULL_BO_EXPORT; }
EXPORT xclBufferHandle xclImportBO(xclDeviceHandle, xclBufferExportHandle, unsigned) { return XRT_NULL_BO; }

EXPORT int xclExecBuf(xclDeviceHandle handle, xclBufferHandle buffer) {
  return guarded([&] { return client(handle).card->execute(client(handle), buffer); });
}

EXPORT int xclExecWait(xclDeviceHandle handle, int milliseconds) {
  return guarded([&] { return client(handle).card->wait(client(handle), milliseconds); });
}

EXPORT int xclRegWrite(xclDeviceHandle handle, uint32_t unit, uint32_t offset, uint32_t value) {
  return guarded([&] { return client(handle).card->write_register(unit, offset, value); });
}

EXPORT int xclRegRead(xclDeviceHandle handle, uint32_t unit, uint32_t offset, uint32_t* value) {
  return guarded([&] { return client(handle).card->read_register(unit, offset, *value); });
}

EXPORT size_t xclWrite(xclDeviceHandle, xclAddressSpace, uint64_t, const void*, size_t) {
  return static_cast<size_t>(-EOPNOTSUPP);
}
EXPORT size_t xclRead(xclDeviceHandle, xclAddressSpace, uint64_t, void*, size_t) {
  return static_cast<size_t>(-EOPNOTSUPP);
}
EXPORT ssize_t xclUnmgdPwrite(xclDeviceHandle, unsigned, const void*, size_t, uint64_t) { return -EOPNOTSUPP; }
EXPORT ssize_t xclUnmgdPread(xclDeviceHandle, unsigned, void*, size_t, uint64_t) { return -EOPNOTSUPP; }
EXPORT int xclReClock2(xclDeviceHandle, unsigned short, const unsigned short*) { return -EOPNOTSUPP; }
EXPORT int xclP2pEnable(xclDeviceHandle, bool, bool) { return -EOPNOTSUPP; }

// Of these XRT's device class wants the C++ names.
#define EXPORT_CXX __attribute__((visibility("default")))
EXPORT_CXX int xclUpdateSchedulerStat(xclDeviceHandle) { return -EOPNOTSUPP; }
EXPORT_CXX int xclInternalResetDevice(xclDeviceHandle, xclResetKind) { return -EOPNOTSUPP; }
EXPORT_CXX int xclCmaEnable(xclDeviceHandle, bool, uint64_t) { return -EOPNOTSUPP; }
EXPORT_CXX int xclCloseExportHandle(xclBufferExportHandle) { return 0; }
