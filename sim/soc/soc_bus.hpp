// A core of the SystemC platform as a Bus.
//
//   soc::SocBus bus(abi::Array16x16, {.dram = &dram::find("ddr4-2400"), .mhz = 300});
//   driver::Device device(bus);
#pragma once

#include <memory>
#include <vector>

#include "espalier/driver/bus.hpp"
#include "soc/platform.hpp"

namespace espalier::soc {

/// Runs that were started on several cores of a platform begin in the same cycle, when one of them is waited for, and
/// go on together until all of them have ended.
class SocBus : public driver::Bus {
 public:
  /// A platform with one core. Throws as Platform.
  SocBus(const abi::Configuration& configuration, const Options& options);
  /// A core of a platform.
  SocBus(std::shared_ptr<Platform> platform, unsigned core) : platform_(std::move(platform)), core_(core) {}

  std::string name() const override;
  std::uint32_t read_register(std::uint32_t offset) override;
  void write_register(std::uint32_t offset, std::uint32_t value) override;
  std::uint64_t allocate(std::size_t bytes) override;
  void release(std::uint64_t address) override;
  void write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) override;
  void read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) override;
  /// Returns false without waiting if a run can never end.
  bool wait_done(std::chrono::milliseconds limit) override;
  void reset() override;

  /// For a card, which advances in pieces.
  bool busy() const { return platform_->busy(core_); }
  bool advance(std::uint64_t cycles) { return platform_->advance(cycles); }
  void set_memory_fault(std::optional<functional::MemoryFault> fault) { platform_->memory().set_fault(fault); }

  /// Of the platform's last run.
  Report report() const { return platform_->report(); }

 private:
  std::shared_ptr<Platform> platform_;
  unsigned core_;
};

/// The buses of a platform with several cores.
std::vector<std::unique_ptr<SocBus>> make_cores(const abi::Configuration& configuration, const Options& options,
                                                unsigned cores);

}  // namespace espalier::soc
