// The AXI4-Lite registers of a machine without a clock: control block, arguments and what the machine is.
//
//   if (registers.write(offset, value, busy)) ... start a run with registers.arguments() ...
//   registers.finish();
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "esp_abi.hpp"

namespace espalier::functional {

/// The argument registers, as they are when the machine starts.
struct Arguments {
  struct Window {
    std::uint64_t address = 0;
    std::uint64_t bytes = 0;
  };
  std::array<Window, abi::Windows> windows;
  std::uint32_t command_offset = 0;
  std::uint32_t command_count = 0;
  std::uint32_t timeout = 0;
};

class RegisterFile {
 public:
  explicit RegisterFile(const abi::Configuration& configuration) : configuration_(configuration) {}

  /// RegControl; reading clears done.
  std::uint32_t read_control(bool busy);

  /// An argument or a size of the machine; nullopt for results, marks and reserved words.
  std::optional<std::uint32_t> read(std::uint32_t offset) const;

  /// Returns true if the write starts a run. Arguments keep their values while the machine is busy.
  bool write(std::uint32_t offset, std::uint32_t value, bool busy);

  /// A run has ended: done, and the interrupt if enabled.
  void finish();

  Arguments arguments() const;

  /// Power-on state.
  void clear();

 private:
  std::uint32_t& word(std::uint32_t offset) { return words_[offset / 4]; }
  std::uint64_t wide(std::uint32_t offset) const;

  abi::Configuration configuration_;
  std::array<std::uint32_t, (abi::RegTimeout + 4) / 4> words_{};  // the registers below RegError
  bool done_ = false;
};

}  // namespace espalier::functional
