#include "card/settings.hpp"

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "esp_arrays.hpp"
#include "esp_error.hpp"

namespace espalier::card {

Settings parse_settings(const std::string& text) {
  Settings settings;
  const std::size_t colon = text.find(':');
  settings.kind = text.substr(0, colon);
  if (colon == std::string::npos) return settings;
  settings.array = abi::find_array(text.substr(colon + 1));
  if (!settings.array) {
    throw Error(ErrorCode::Usage, "cannot read the kind of card", "ESPALIER_CARD", text,
                "use for example rtl:16x16 or functional; the arrays are " + std::string(abi::ArrayNames));
  }
  return settings;
}

functional::MemoryFaultKind parse_fault(const std::string& text) {
  if (text == "read-error") return functional::MemoryFaultKind::ReadError;
  if (text == "write-error") return functional::MemoryFaultKind::WriteError;
  if (text == "no-answer") return functional::MemoryFaultKind::NoAnswer;
  throw Error(ErrorCode::Usage, "no such memory fault", "ESPALIER_CARD_FAULT", text,
              "use read-error, write-error or no-answer");
}

namespace {

MemoryChoice parse_dram(const std::string& text) {
  MemoryChoice memory;
  const std::size_t at = text.find('@');
  memory.dram = &dram::find(text.substr(0, at));
  int end = 0;
  const std::string mhz = at == std::string::npos ? "300" : text.substr(at + 1);
  if (std::sscanf(mhz.c_str(), "%4u%n", &memory.mhz, &end) != 1 || static_cast<std::size_t>(end) != mhz.size() ||
      memory.mhz == 0) {
    throw Error(ErrorCode::Usage, "cannot read the clock of the machine", "ESPALIER_CARD_MEMORY", text,
                "use for example ddr4-2400@300");
  }
  memory.parameters = dram::effective(*memory.dram, memory.mhz);
  return memory;
}

}  // namespace

MemoryChoice parse_memory(const std::string& text) {
  if (!text.empty() && text.find('=') == std::string::npos) return parse_dram(text);
  MemoryChoice choice;
  abi::MemoryParameters& memory = choice.parameters;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    unsigned value = 0;
    int end = 0;
    const bool bytes = std::sscanf(part.c_str(), "bytes=%6u%n", &value, &end) == 1;
    const bool latency = !bytes && std::sscanf(part.c_str(), "latency=%6u%n", &value, &end) == 1;
    const bool whole = static_cast<std::size_t>(end) == part.size();
    if (bytes && whole && std::has_single_bit(value) && value <= abi::BeatBytes) {
      memory.bytes = value;
    } else if (latency && whole && value >= 1 && value <= 100000) {
      memory.latency = value;
    } else {
      throw Error(ErrorCode::Usage, "cannot read the speed of the memory", "ESPALIER_CARD_MEMORY", text,
                  "use for example bytes=64,latency=40");
    }
  }
  return choice;
}

Settings settings_from_environment() {
  const auto value = [](const char* name) {
    const char* text = std::getenv(name);
    return std::string(text == nullptr ? "" : text);
  };
  const std::string card = value("ESPALIER_CARD"), fault = value("ESPALIER_CARD_FAULT");
  Settings settings = card.empty() ? Settings{} : parse_settings(card);
  if (!fault.empty()) settings.fault = parse_fault(fault);
  settings.memory = parse_memory(value("ESPALIER_CARD_MEMORY"));
  return settings;
}

}  // namespace espalier::card
