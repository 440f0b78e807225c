// What is on the card: an accelerator model behind a Bus that is advanced batch by batch.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "esp_abi.hpp"
#include "espalier/driver/bus.hpp"
#include "functional/device_memory.hpp"

namespace espalier::card {

/// Registers and memory through bus(); the model runs only inside advance(). Not thread-safe: one thread owns it.
class Machine {
 public:
  virtual ~Machine() = default;

  virtual driver::Bus& bus() = 0;

  /// Whether a run has started and not ended. Does not disturb the done bit.
  virtual bool busy() = 0;

  /// Runs the model for a batch of a few milliseconds. Returns false if it can make no more progress, be it that the
  /// run has ended or that it waits for ever.
  virtual bool advance() = 0;
};

/// `kind` is "functional" or "rtl"; `fault`: what the memory does wrong at every address. Throws espalier::Error
/// (Usage) for an unknown kind, one that this build does not contain, or a size that it does not have.
std::unique_ptr<Machine> make_machine(const std::string& kind, const abi::Configuration& configuration,
                                      std::optional<functional::MemoryFaultKind> fault = {});

}  // namespace espalier::card
