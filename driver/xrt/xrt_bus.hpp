// The Bus on XRT: a board, or the simulated card that XRT loads when XILINX_XRT points to it.
//
//   espalier::xrt::XrtBus bus({.image = "espalier_sim_16x16.xclbin"});
//   espalier::driver::Device device(bus);
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "espalier/driver/bus.hpp"

namespace espalier::xrt {

struct XrtOptions {
  unsigned index = 0;  // of the device, as XRT counts
  std::string image;   // xclbin file
  unsigned core = 0;   // of the image
};

/// Opens a device, loads the image and takes one of its cores exclusively.
class XrtBus : public driver::Bus {
 public:
  /// Checks the image before XRT sees it (Error Program); Error Device if XRT, the device or the kernel refuses.
  explicit XrtBus(const XrtOptions& options);
  ~XrtBus() override;

  std::string name() const override;
  std::uint32_t read_register(std::uint32_t offset) override;
  /// Arguments are kept until the start bit is written, and then handed to an XRT run.
  void write_register(std::uint32_t offset, std::uint32_t value) override;
  std::uint64_t allocate(std::size_t bytes) override;
  void release(std::uint64_t address) override;
  void write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) override;
  void read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) override;
  bool wait_done(std::chrono::milliseconds limit) override;
  /// Aborts a run that is under way. XRT offers no more; a machine that has ended with an error needs no more.
  void reset() override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Names of the devices that XRT finds. Throws Error Device if XRT cannot look for devices.
std::vector<std::string> devices();

}  // namespace espalier::xrt
