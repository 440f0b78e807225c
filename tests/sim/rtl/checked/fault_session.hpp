// A program with its windows on a bus, run through the registers, so that tests can damage any part of it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <ostream>
#include <vector>

#include "esp_abi.hpp"
#include "espalier/driver/buffer.hpp"
#include "espalier/driver/bus.hpp"
#include "random_program.hpp"

namespace espalier::test {

/// RegError, RegErrorPosition, RegErrorDetail.
struct Outcome {
  std::uint32_t code = 0;
  std::uint32_t position = 0;
  std::uint32_t detail = 0;
  bool operator==(const Outcome&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Outcome& o) {
  return out << "error " << o.code << " at command " << o.position << ", detail " << o.detail;
}

inline abi::Command command_of(const RandomProgram& p, std::uint32_t index) {
  const std::uint8_t* beat = p.program.image.data() + std::size_t{p.program.command_offset + index} * abi::BeatBytes;
  return abi::decode(std::span<const std::uint8_t, abi::BeatBytes>(beat, abi::BeatBytes));
}

inline void set_command(RandomProgram& p, std::uint32_t index, const abi::Command& command) {
  const abi::Beat beat = abi::encode(command);
  std::copy(beat.begin(), beat.end(),
            p.program.image.begin() + std::ptrdiff_t{p.program.command_offset + index} * abi::BeatBytes);
}

class FaultSession {
 public:
  FaultSession(driver::Bus& bus, const RandomProgram& p)
      : bus_(bus),
        windows_{driver::Buffer(bus, p.program.image.size()), driver::Buffer(bus, p.input.size()),
                 driver::Buffer(bus, static_cast<std::size_t>(p.program.output_bytes)),
                 driver::Buffer(bus, abi::BeatBytes)} {
    windows_[abi::WindowProgram].write(p.program.image);
    windows_[abi::WindowInput].write(p.input);
    const std::array<std::uint32_t, abi::Windows> addresses{abi::RegProgramAddress, abi::RegInputAddress,
                                                            abi::RegOutputAddress, abi::RegArenaAddress};
    for (unsigned w = 0; w < abi::Windows; ++w) {
      set_wide(addresses[w], windows_[w].address());
      set_wide(addresses[w] + 8, windows_[w].bytes());
    }
    registers[abi::RegCommandOffset] = p.program.command_offset;
    registers[abi::RegCommandCount] = p.program.command_count;
    registers[abi::RegTimeout] = 100000;
  }

  std::uint64_t address(unsigned window) const { return windows_[window].address(); }

  /// Starts and waits. The machine is not reset afterwards.
  Outcome run() {
    for (const auto& [offset, value] : registers) bus_.write_register(offset, value);
    bus_.write_register(abi::RegControl, 1);
    if (!bus_.wait_done(std::chrono::hours(1))) ADD_FAILURE() << "the run does not end";
    // A register may be read in the very cycle in which the machine falls idle; done shows in the next.
    std::uint32_t control = bus_.read_register(abi::RegControl);
    if ((control & 2U) == 0) control = bus_.read_register(abi::RegControl);
    EXPECT_EQ(control & 6U, 6U) << "not done and idle";
    return {bus_.read_register(abi::RegError), bus_.read_register(abi::RegErrorPosition),
            bus_.read_register(abi::RegErrorDetail)};
  }

  std::vector<std::uint8_t> output() const {
    std::vector<std::uint8_t> bytes(windows_[abi::WindowOutput].bytes());
    windows_[abi::WindowOutput].read(bytes);
    return bytes;
  }

  std::map<std::uint32_t, std::uint32_t> registers;  // arguments, written before every run

 private:
  void set_wide(std::uint32_t offset, std::uint64_t value) {
    registers[offset] = static_cast<std::uint32_t>(value);
    registers[offset + 4] = static_cast<std::uint32_t>(value >> 32);
  }

  driver::Bus& bus_;
  std::array<driver::Buffer, abi::Windows> windows_;
};

/// Fills the scratchpad with zeros, so that words which a program stores but never writes compare equal.
inline void scrub(driver::Bus& bus) {
  const std::uint32_t words = abi::Banks * bus.read_register(abi::RegBankRows);
  const std::uint32_t words_per_beat = abi::BeatBytes / bus.read_register(abi::RegPixels);
  RandomProgram p;
  abi::Command c;
  c.opcode = abi::OpLoad;
  c.window = abi::WindowInput;
  c.planes = 1;
  c.run = words / words_per_beat;
  const abi::Beat beat = abi::encode(c);
  p.program.image.assign(beat.begin(), beat.end());
  p.program.command_count = 1;
  p.program.output_bytes = abi::BeatBytes;
  p.input.assign(std::size_t{c.run} * abi::BeatBytes, 0);
  EXPECT_EQ(FaultSession(bus, p).run(), Outcome{});
}

}  // namespace espalier::test
