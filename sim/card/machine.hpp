// What is on the card: an accelerator model behind a Bus that is advanced batch by batch.
#pragma once

#include <memory>

#include "card/settings.hpp"
#include "esp_abi.hpp"
#include "espalier/driver/bus.hpp"

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

/// The machine that the settings ask for, with the array of the image. Throws espalier::Error (Usage) for an unknown
/// kind, one that this build does not contain, or a size that it does not have.
std::unique_ptr<Machine> make_machine(const Settings& settings, const abi::Configuration& configuration);

}  // namespace espalier::card
