// The container of device images (xclbin, "axlf" version 2): the offsets and codes that this project writes and checks.
// All numbers are little-endian. tests/sim/card compares them with the XRT headers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace espalier::bitstreams {

inline constexpr std::string_view Magic{"xclbin2\0", 8};

// Header: byte offsets in the file.
inline constexpr std::size_t OffsetSignatureLength = 8;  // 32 bit, -1: unsigned; 28 bytes of 0xff follow
inline constexpr std::size_t OffsetReserved = 12;
inline constexpr std::size_t OffsetKeyBlock = 40;  // 256 bytes of 0xff
inline constexpr std::size_t OffsetUniqueId = 296;
inline constexpr std::size_t OffsetLength = 304;  // 64 bit, of the whole file
inline constexpr std::size_t OffsetVersionMajor = 330;
inline constexpr std::size_t OffsetVersionMinor = 331;
inline constexpr std::size_t OffsetPlatform = 352;  // 64 characters
inline constexpr std::size_t OffsetUuid = 416;      // 16 bytes
inline constexpr std::size_t OffsetSectionCount = 448;
inline constexpr std::size_t OffsetSections = 456;

inline constexpr std::size_t ReservedBytes = 28;
inline constexpr std::size_t KeyBlockBytes = 256;
inline constexpr std::size_t UuidBytes = 16;
inline constexpr std::size_t MaximumSections = 256;

// Section header.
inline constexpr std::size_t SectionKind = 0;
inline constexpr std::size_t SectionOffset = 24;  // 64 bit
inline constexpr std::size_t SectionSize = 32;    // 64 bit
inline constexpr std::size_t SectionHeaderBytes = 40;

enum class Section : std::uint32_t {
  Bitstream = 0,
  EmbeddedMetadata = 2,
  MemoryTopology = 6,
  Connectivity = 7,
  IpLayout = 8,
  ClockFrequencies = 11,
  UserMetadata = 16,
};

// Entries of the tables; each table starts with a 32 bit count.
inline constexpr std::size_t MemoryFirst = 8, MemoryBytes = 40;
inline constexpr std::size_t MemoryType = 0, MemoryUsed = 1, MemorySize = 8, MemoryBase = 16, MemoryTag = 24;
inline constexpr std::size_t ConnectionFirst = 4, ConnectionBytes = 12;
inline constexpr std::size_t IpFirst = 8, IpBytes = 80;
inline constexpr std::size_t IpType = 0, IpProperties = 4, IpBase = 8, IpName = 16;
inline constexpr std::uint8_t MemoryTypeDdr4 = 1;
inline constexpr std::uint32_t IpTypeKernel = 1;

// The BITSTREAM section of a simulation image is this text; so is the digest in USER_METADATA.
inline constexpr std::string_view MarkerStart = "espalier simulation image\n";
inline constexpr std::string_view DigestStart = "espalier image digest ";
inline constexpr std::size_t DigestCharacters = 32;

}  // namespace espalier::bitstreams
