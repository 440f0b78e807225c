#include "bitstreams/xclbin_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string_view>

#include "bitstreams/digest.hpp"
#include "bitstreams/xclbin_format.hpp"
#include "esp_error.hpp"
#include "esp_kernel.hpp"

namespace espalier::bitstreams {

namespace {

constexpr const char* MakeAgain = "make the image again or take an intact copy";

using Bytes = std::span<const std::uint8_t>;

std::uint64_t number(Bytes bytes, std::size_t offset, std::size_t size) {
  return abi::get_bits(bytes.subspan(offset, size), 0, static_cast<unsigned>(8 * size));
}

std::string_view text(Bytes bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

class Checker {
 public:
  Checker(Bytes image, const std::string& where) : image_(image), where_(where) {}

  ImageInfo run() {
    check_header();
    check_tables();
    ImageInfo info;
    std::copy_n(image_.begin() + OffsetUuid, UuidBytes, info.uuid.begin());
    const Bytes marker = section(Section::Bitstream, "BITSTREAM", 1);
    const auto digest_text = find(Section::UserMetadata);
    const bool marked = text(marker).starts_with(MarkerStart);
    const bool digested = digest_text && text(*digest_text).starts_with(DigestStart);
    if (!marked && !digested) return info;
    if (!marked) fail("the image is damaged: its marker is not readable", "BITSTREAM");
    if (!digested) fail("the image is damaged: its digest is missing", "USER_METADATA");
    check_digest(*digest_text, info);
    info.configuration = read_marker(text(marker).substr(MarkerStart.size()));
    info.simulation = true;
    return info;
  }

 private:
  [[noreturn]] void fail(const std::string& summary, const std::string& value, const char* action = MakeAgain) const {
    throw Error(ErrorCode::Program, summary, where_, value, action);
  }

  void check_header() {
    if (image_.size() < Magic.size() || text(image_.first(Magic.size())) != Magic) {
      fail("not a device image", "the file does not start with xclbin2", "give an .xclbin file made for this project");
    }
    if (image_.size() < OffsetSections) fail("the image is truncated", fmt::format("{} bytes", image_.size()));
    const std::uint64_t length = number(image_, OffsetLength, 8);
    if (length != image_.size()) {
      fail(length > image_.size() ? "the image is truncated" : "the image is longer than its header says",
           fmt::format("{} bytes, {} in the header", image_.size(), length));
    }
    const std::uint64_t count = number(image_, OffsetSectionCount, 4);
    if (count == 0 || count > MaximumSections || OffsetSections + count * SectionHeaderBytes > image_.size()) {
      fail("the image has an impossible number of sections", fmt::format("{}", count));
    }
    sections_ = static_cast<std::size_t>(count);
    for (std::size_t i = 0; i < sections_; ++i) {
      const Bytes header = section_header(i);
      const std::uint64_t offset = number(header, SectionOffset, 8);
      const std::uint64_t size = number(header, SectionSize, 8);
      if (offset > image_.size() || size > image_.size() - offset) {
        fail("a section lies outside the image",
             fmt::format("kind {}, {} bytes at {}", number(header, SectionKind, 4), size, offset));
      }
    }
  }

  Bytes section_header(std::size_t index) const {
    return image_.subspan(OffsetSections + index * SectionHeaderBytes, SectionHeaderBytes);
  }

  std::optional<Bytes> find(Section kind) const {
    for (std::size_t i = 0; i < sections_; ++i) {
      const Bytes header = section_header(i);
      if (number(header, SectionKind, 4) != static_cast<std::uint32_t>(kind)) continue;
      return image_.subspan(static_cast<std::size_t>(number(header, SectionOffset, 8)),
                            static_cast<std::size_t>(number(header, SectionSize, 8)));
    }
    return {};
  }

  Bytes section(Section kind, const char* name, std::size_t smallest) const {
    const auto found = find(kind);
    if (!found || found->size() < smallest) {
      fail("the image lacks a section that XRT needs", name, "give an .xclbin file made for this project");
    }
    return *found;
  }

  std::size_t table(Section kind, const char* name, std::size_t first, std::size_t entry) const {
    const Bytes bytes = section(kind, name, first);
    const std::uint64_t count = number(bytes, 0, 4);
    if (count == 0 || first + count * entry > bytes.size()) {
      fail("a table of the image does not fit its section", fmt::format("{}, {} entries", name, count));
    }
    return static_cast<std::size_t>(count);
  }

  void check_tables() const {
    const std::size_t banks = table(Section::MemoryTopology, "MEM_TOPOLOGY", MemoryFirst, MemoryBytes);
    const std::size_t kernels = table(Section::IpLayout, "IP_LAYOUT", IpFirst, IpBytes);
    const std::size_t count = table(Section::Connectivity, "CONNECTIVITY", ConnectionFirst, ConnectionBytes);
    const Bytes connections = section(Section::Connectivity, "CONNECTIVITY", ConnectionFirst);
    for (std::size_t i = 0; i < count; ++i) {
      const Bytes entry = connections.subspan(ConnectionFirst + i * ConnectionBytes, ConnectionBytes);
      if (number(entry, 4, 4) >= kernels || number(entry, 8, 4) >= banks) {
        fail("a connection of the image leads nowhere", fmt::format("CONNECTIVITY, entry {}", i));
      }
    }
    const Bytes metadata = section(Section::EmbeddedMetadata, "EMBEDDED_METADATA", 1);
    if (text(metadata).find(fmt::format("<kernel name=\"{}\"", abi::KernelName)) == std::string_view::npos) {
      fail(AnotherDesign, fmt::format("no kernel named {}", abi::KernelName),
           "give an .xclbin file made for this project");
    }
  }

  void check_digest(Bytes digest_text, const ImageInfo& info) const {
    const auto offset = static_cast<std::size_t>(digest_text.data() - image_.data()) + DigestStart.size();
    if (digest_text.size() < DigestStart.size() + DigestCharacters) fail("the image is damaged", "digest too short");
    const Digest sum = digest(without_identity(image_, offset));
    if (to_hex(sum) != text(image_.subspan(offset, DigestCharacters)) || to_uuid(sum) != info.uuid ||
        number(image_, OffsetUniqueId, 8) != number(sum, 0, 8)) {
      fail("the image is damaged: its digest is wrong", fmt::format("digest of the contents {}", to_hex(sum)));
    }
  }

  /// Lines "name value"; see marker_text() of the writer.
  abi::Configuration read_marker(std::string_view lines) const {
    const auto value = [&](const std::string& name) -> unsigned {
      const std::size_t start = lines.find(name + " ");
      if (start == std::string_view::npos) fail("the image does not say what it holds", name);
      return static_cast<unsigned>(
          std::strtoul(std::string(lines.substr(start + name.size() + 1)).c_str(), nullptr, 10));
    };
    if (value("version") != abi::AbiVersion) {
      fail("the image speaks another version of the contract",
           fmt::format("version {}, expected {}", value("version"), abi::AbiVersion), "take the image of this release");
    }
    return {value("lanes"),   value("pixels"),     value("bank_rows"),     value("line_depth"),
            value("writers"), value("coded") != 0, value("program_depth"), value("staging_beats")};
  }

  Bytes image_;
  const std::string& where_;
  std::size_t sections_ = 0;
};

}  // namespace

std::vector<std::uint8_t> without_identity(std::span<const std::uint8_t> image, std::size_t digest_offset) {
  std::vector<std::uint8_t> bytes(image.begin(), image.end());
  const auto blank = [&](std::size_t offset, std::size_t size) {
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), size, std::uint8_t{0});
  };
  blank(OffsetUniqueId, 8);
  blank(OffsetUuid, UuidBytes);
  blank(digest_offset, DigestCharacters);
  return bytes;
}

ImageInfo check_image(std::span<const std::uint8_t> image, const std::string& where) {
  return Checker(image, where).run();
}

ImageInfo check_image_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::vector<std::uint8_t> bytes;
  if (file) bytes.assign(std::istreambuf_iterator<char>(file), {});
  if (!file || bytes.empty()) {
    throw Error(ErrorCode::Program, "the device image cannot be read", path, {}, "check the path of the .xclbin file");
  }
  return check_image(bytes, path);
}

}  // namespace espalier::bitstreams
