// What the environment says about the simulated card. The card is loaded by foreign programs, so there is no other way.
#pragma once

#include <optional>
#include <string>

#include "dram/parameters.hpp"
#include "esp_abi.hpp"
#include "esp_memory_model.hpp"
#include "functional/device_memory.hpp"

namespace espalier::card {

/// ESPALIER_CARD=<kind>[:<array>], default "rtl": which model is on the card, and whether it takes images of
/// one array only. Without an array the card becomes what the loaded image says, as an FPGA does.
/// ESPALIER_CARD_FAULT=read-error|write-error|no-answer: the memory misbehaves, to see how programs take it.
/// ESPALIER_CARD_MEMORY=bytes=64,latency=40: the speed of the memory; or a DRAM and the clock of the machine in MHz,
/// ddr4-2400@300, which the platform simulates and for which the RTL alone has a memory of the same speed.
struct MemoryChoice {
  abi::MemoryParameters parameters;
  const dram::Parameters* dram = nullptr;
  unsigned mhz = 300;
};

struct Settings {
  std::string kind = "rtl";
  std::optional<abi::Configuration> array;
  std::optional<functional::MemoryFaultKind> fault;  // of the whole memory, as the machine sees it
  MemoryChoice memory;
};

/// Throws espalier::Error (Usage) for text of another form.
Settings parse_settings(const std::string& text);

/// "read-error", "write-error" or "no-answer". Throws espalier::Error (Usage) for other text.
functional::MemoryFaultKind parse_fault(const std::string& text);

/// "bytes=64,latency=40", both optional, or "ddr4-2400@300". Throws espalier::Error (Usage) for other text.
MemoryChoice parse_memory(const std::string& text);

Settings settings_from_environment();

}  // namespace espalier::card
