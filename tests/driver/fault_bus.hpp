// FaultBus: a Bus that passes everything on and does wrong what a test asks for.
//
//   FaultBus faulty(bus);
//   faulty.faults().never_done = true;
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "espalier/driver/bus.hpp"

namespace espalier::test {

struct BusFaults {
  std::map<std::uint32_t, std::uint32_t> registers;  // offset -> value that reads give instead
  std::optional<std::size_t> gone_after;             // calls until the device disappears (Error Device for ever)
  bool never_done = false;                           // wait_done() always reports that the limit has passed
};

class FaultBus : public driver::Bus {
 public:
  explicit FaultBus(driver::Bus& bus) : bus_(bus) {}

  BusFaults& faults() { return faults_; }
  /// Calls of any kind so far.
  std::size_t calls() const { return calls_; }
  std::size_t resets() const { return resets_; }

  std::string name() const override { return bus_.name(); }
  std::uint32_t read_register(std::uint32_t offset) override;
  void write_register(std::uint32_t offset, std::uint32_t value) override;
  std::uint64_t allocate(std::size_t bytes) override;
  void release(std::uint64_t address) override;
  void write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) override;
  void read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) override;
  bool wait_done(std::chrono::milliseconds limit) override;
  void reset() override;

 private:
  void call();

  driver::Bus& bus_;
  BusFaults faults_;
  std::size_t calls_ = 0;
  std::size_t resets_ = 0;
};

}  // namespace espalier::test
