#include "options.hpp"

#include <bit>
#include <charconv>
#include <cmath>
#include <optional>

#include "esp_arrays.hpp"
#include "esp_error.hpp"

namespace espalier::tools {
namespace {

constexpr unsigned LowestClock = 10, HighestClock = 2000;  // MHz

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

[[noreturn]] void refuse(const std::string& summary, const std::string& option, std::string_view value,
                         const std::string& action) {
  throw Error(ErrorCode::Usage, summary, option, std::string(value), action);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

}  // namespace

abi::Configuration parse_array(std::string_view text) {
  if (const auto configuration = abi::find_array(text)) return *configuration;
  refuse("no such array", "--array", text, std::string("choose ") + abi::ArrayNames);
}

std::string array_text(const abi::Configuration& configuration) { return abi::array_name(configuration); }

std::vector<std::string> array_texts() {
  std::vector<std::string> texts;
  for (const abi::NamedArray& array : abi::Arrays) texts.emplace_back(array.name);
  return texts;
}

compile::MemoryParameters parse_memory(std::string_view text) {
  compile::MemoryParameters memory;
  bool bytes_given = false;
  bool latency_given = false;
  for (const std::string_view part : split(text, ',')) {
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    const std::optional<unsigned> value =
        equals == std::string_view::npos ? std::nullopt : parse_number<unsigned>(part.substr(equals + 1));
    if (!value) refuse("memory parameter without a number", "--memory", part, "write bytes=64,latency=40");
    if (key == "bytes" && !bytes_given) {
      if (*value == 0 || *value > abi::BeatBytes || !std::has_single_bit(*value))
        refuse("bytes per cycle must be 1, 2, 4, ... 64", "--memory", part, "write for example bytes=64");
      memory.bytes = *value;
      bytes_given = true;
    } else if (key == "latency" && !latency_given) {
      if (*value < 1 || *value > 100000)
        refuse("latency must be 1 to 100000 cycles", "--memory", part, "write for example latency=40");
      memory.latency = *value;
      latency_given = true;
    } else {
      refuse("unknown or repeated memory parameter", "--memory", part, "the parameters are bytes and latency");
    }
  }
  return memory;
}

MemoryChoice parse_memory_choice(std::string_view text) {
  MemoryChoice choice;
  if (text.find('=') != std::string_view::npos) {
    choice.parameters = parse_memory(text);
    return choice;
  }
  const std::size_t at = text.find('@');
  if (at != std::string_view::npos) {
    const std::optional<unsigned> mhz = parse_number<unsigned>(text.substr(at + 1));
    if (!mhz || *mhz < LowestClock || *mhz > HighestClock)
      refuse("not a clock in MHz", "--memory", text, "write for example ddr4-2400@300; 10 to 2000 MHz are possible");
    choice.mhz = *mhz;
  }
  const std::string_view name = text.substr(0, at);
  for (const dram::Parameters& set : dram::all()) {
    if (name == set.name) choice.dram = &set;
  }
  if (choice.dram == nullptr)
    refuse("no such memory", "--memory", text, "write bytes=64,latency=40, ddr4-2400@300 or hbm2@300");
  choice.parameters = dram::effective(*choice.dram, choice.mhz);
  return choice;
}

DeviceChoice parse_device(std::string_view text, DeviceNames names) {
  if (text == "functional") return {DeviceKind::Functional};
  if (text == "rtl") return {DeviceKind::Rtl};
  if (text == "soc") return {DeviceKind::Soc};
  if (text == "soc-rtl") return {DeviceKind::SocRtl};
  if (text == "xrt") return {DeviceKind::Xrt};
  if (text.starts_with("xrt:")) {
    const std::vector<std::string_view> parts = split(text.substr(4), '.');
    const std::optional<unsigned> index = parse_number<unsigned>(parts[0]);
    const std::optional<unsigned> core = parts.size() == 2 ? parse_number<unsigned>(parts[1]) : 0U;
    if (index && core && *index < 1000 && *core < 100 && parts.size() <= 2) return {DeviceKind::Xrt, *index, *core};
  }
  refuse("no such device", "--device", text,
         names == DeviceNames::Machines ? "choose functional, rtl, soc, soc-rtl, xrt, xrt:N or xrt:N.CORE"
                                        : "choose cpu, functional, rtl, soc, soc-rtl, xrt, xrt:N or xrt:N.CORE");
}

std::string device_text(const DeviceChoice& choice) {
  switch (choice.kind) {
    case DeviceKind::Functional:
      return "functional";
    case DeviceKind::Rtl:
      return "rtl";
    case DeviceKind::Soc:
      return "soc";
    case DeviceKind::SocRtl:
      return "soc-rtl";
    case DeviceKind::Xrt:
      return "xrt:" + std::to_string(choice.index) + (choice.core == 0 ? "" : "." + std::to_string(choice.core));
  }
  return "unknown";
}

ImageSize parse_size(std::string_view text) {
  const std::vector<std::string_view> parts = split(text, 'x');
  if (parts.size() == 2) {
    const std::optional<int> height = parse_number<int>(parts[0]);
    const std::optional<int> width = parse_number<int>(parts[1]);
    if (height && width && *height >= 1 && *width >= 1 && *height <= 16384 && *width <= 16384) return {*height, *width};
  }
  refuse("not a size", "--resize", text, "write height x width, for example 224x224, or no value");
}

Layout parse_layout(std::string_view text) {
  if (text == "auto") return Layout::Auto;
  if (text == "nchw" || text == "NCHW") return Layout::Nchw;
  if (text == "nhwc" || text == "NHWC") return Layout::Nhwc;
  refuse("no such layout", "--layout", text, "choose auto, nchw or nhwc");
}

std::vector<double> parse_numbers(std::string_view text, const std::string& option) {
  std::vector<double> numbers;
  for (const std::string_view part : split(text, ',')) {
    const std::optional<double> value = parse_number<double>(part);
    if (!value || !std::isfinite(*value))
      refuse("not a number", option, part, "write for example 0.1307 or 104,117,124");
    numbers.push_back(*value);
  }
  return numbers;
}

}  // namespace espalier::tools
