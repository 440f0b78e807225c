#include "bitstreams/xclbin_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <string_view>

#include "bitstreams/digest.hpp"
#include "bitstreams/kernel_xml.hpp"
#include "bitstreams/xclbin_check.hpp"
#include "bitstreams/xclbin_format.hpp"
#include "esp_arrays.hpp"
#include "esp_kernel.hpp"

namespace espalier::bitstreams {

namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr std::uint64_t KernelBase = 0x800000;
constexpr std::uint64_t BankBytes = std::uint64_t{1} << 30;

void put(Bytes& bytes, std::size_t offset, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i) bytes[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
}

void put_text(Bytes& bytes, std::size_t offset, std::string_view text) {
  std::copy(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

Bytes to_bytes(std::string_view text) { return {text.begin(), text.end()}; }

Bytes memory_topology() {
  constexpr std::size_t Banks = 2;
  Bytes bytes(MemoryFirst + Banks * MemoryBytes);
  put(bytes, 0, Banks, 4);
  for (std::size_t bank = 0; bank < Banks; ++bank) {
    const std::size_t entry = MemoryFirst + bank * MemoryBytes;
    put(bytes, entry + MemoryType, MemoryTypeDdr4, 1);
    put(bytes, entry + MemoryUsed, 1, 1);
    put(bytes, entry + MemorySize, BankBytes / 1024, 8);
    put(bytes, entry + MemoryBase, (bank + 1) << 44, 8);
    put_text(bytes, entry + MemoryTag, fmt::format("DDR[{}]", bank));
  }
  return bytes;
}

/// Every address argument is connected to bank 0.
Bytes connectivity() {
  const auto count = static_cast<std::size_t>(
      std::count_if(abi::KernelArguments.begin(), abi::KernelArguments.end(),
                    [](const abi::KernelArgument& argument) { return argument.is_address(); }));
  Bytes bytes(ConnectionFirst + count * ConnectionBytes);
  put(bytes, 0, count, 4);
  std::size_t entry = ConnectionFirst;
  for (std::size_t i = 0; i < abi::KernelArguments.size(); ++i) {
    if (!abi::KernelArguments[i].is_address()) continue;
    put(bytes, entry, i, 4);
    entry += ConnectionBytes;
  }
  return bytes;
}

Bytes ip_layout() {
  Bytes bytes(IpFirst + IpBytes);
  put(bytes, 0, 1, 4);
  put(bytes, IpFirst + IpType, IpTypeKernel, 4);
  put(bytes, IpFirst + IpProperties, 1, 4);  // interrupt pin present, ap_ctrl_hs
  put(bytes, IpFirst + IpBase, KernelBase, 8);
  put_text(bytes, IpFirst + IpName, fmt::format("{}:{}", abi::KernelName, abi::instance_name(0)));
  return bytes;
}

std::string metadata_xml() {
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<project name=\"{0}\">\n"
      "  <platform vendor=\"{0}\" boardid=\"simulation\" name=\"platform\" featureRomTime=\"0\">\n"
      "    <version major=\"1\" minor=\"0\"/>\n"
      "    <device name=\"fpga0\" fpgaDevice=\"simulation\" addrWidth=\"0\">\n"
      "      <core name=\"OCL_REGION_0\" target=\"bitstream\" type=\"clc_region\" clockFreq=\"300MHz\" "
      "numComputeUnits=\"1\">\n"
      "        <kernelClocks><clock port=\"KERNEL_CLK\" frequency=\"300.0MHz\"/></kernelClocks>\n"
      "        <kernel name=\"{0}\" language=\"ip\" type=\"pl\" vlnv=\"{1}\" "
      "preferredWorkGroupSizeMultiple=\"1\" workGroupSize=\"1\" interrupt=\"true\" "
      "hwControlProtocol=\"ap_ctrl_hs\">\n"
      "{2}{3}"
      "          <instance name=\"{4}\"><addrRemap base=\"{5:#x}\" range=\"{6:#x}\" port=\"{7}\"/></instance>\n"
      "        </kernel>\n"
      "      </core>\n"
      "    </device>\n"
      "  </platform>\n"
      "</project>\n",
      abi::KernelName, kernel_identity(), port_elements(10), argument_elements(10), abi::instance_name(0), KernelBase,
      +abi::RegWindowBytes, abi::ControlPort);
}

std::string marker_text(const abi::Configuration& configuration) {
  return fmt::format(
      "{}version {}\nlanes {}\npixels {}\nbank_rows {}\nline_depth {}\nwriters {}\ncoded {}\n"
      "program_depth {}\nstaging_beats {}\n",
      MarkerStart, +abi::AbiVersion, configuration.lanes, configuration.pixels, configuration.bank_rows,
      configuration.line_depth, configuration.writers, configuration.coded ? 1 : 0, configuration.program_depth,
      configuration.staging_beats);
}

struct Part {
  Section kind;
  Bytes data;
};

Bytes header(std::size_t sections, const abi::Configuration& configuration) {
  Bytes bytes(OffsetSections + sections * SectionHeaderBytes);
  put_text(bytes, 0, Magic);
  std::fill_n(bytes.begin() + OffsetSignatureLength, OffsetReserved - OffsetSignatureLength, std::uint8_t{0xff});
  std::fill_n(bytes.begin() + OffsetReserved, ReservedBytes + KeyBlockBytes, std::uint8_t{0xff});
  put(bytes, OffsetVersionMajor, 2, 1);
  put(bytes, OffsetVersionMinor, 13, 1);
  put_text(bytes, OffsetPlatform, "espalier_simulation_" + abi::array_name(configuration));
  put(bytes, OffsetSectionCount, sections, 4);
  return bytes;
}

void sign(Bytes& image, std::size_t digest_offset) {
  const Digest sum = digest(without_identity(image, digest_offset));
  const auto uuid = to_uuid(sum);
  put_text(image, digest_offset, to_hex(sum));
  std::copy(uuid.begin(), uuid.end(), image.begin() + OffsetUuid);
  std::copy_n(sum.begin(), 8, image.begin() + OffsetUniqueId);
}

}  // namespace

std::vector<std::uint8_t> make_image(const abi::Configuration& configuration) {
  const std::string blank_digest = std::string(DigestStart) + std::string(DigestCharacters, '0') + "\n";
  const std::array<Part, 6> parts{{{Section::Bitstream, to_bytes(marker_text(configuration))},
                                   {Section::MemoryTopology, memory_topology()},
                                   {Section::IpLayout, ip_layout()},
                                   {Section::Connectivity, connectivity()},
                                   {Section::EmbeddedMetadata, to_bytes(metadata_xml())},
                                   {Section::UserMetadata, to_bytes(blank_digest)}}};
  Bytes image = header(parts.size(), configuration);
  std::size_t digest_offset = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    image.resize((image.size() + 7) / 8 * 8);
    const std::size_t entry = OffsetSections + i * SectionHeaderBytes;
    put(image, entry + SectionKind, static_cast<std::uint32_t>(parts[i].kind), 4);
    put(image, entry + SectionOffset, image.size(), 8);
    put(image, entry + SectionSize, parts[i].data.size(), 8);
    if (parts[i].kind == Section::UserMetadata) digest_offset = image.size() + DigestStart.size();
    image.insert(image.end(), parts[i].data.begin(), parts[i].data.end());
  }
  image.resize((image.size() + 7) / 8 * 8);
  put(image, OffsetLength, image.size(), 8);
  sign(image, digest_offset);
  return image;
}

}  // namespace espalier::bitstreams
