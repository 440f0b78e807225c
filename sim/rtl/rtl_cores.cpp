#include "rtl/rtl_cores.hpp"

#include <algorithm>

#include "esp_error.hpp"

namespace espalier::rtl {
namespace {

constexpr unsigned CyclesPerClockCheck = 4096;  // between looks at the wall clock

}  // namespace

/// A start is held back until somebody waits; everything else concerns one core alone.
class RtlCores::Core : public driver::Bus {
 public:
  Core(RtlCores& cores, const abi::Configuration& configuration, const RtlOptions& options, unsigned index)
      : cores_(cores), bus_(configuration, options), index_(index) {}

  std::string name() const override { return bus_.name() + " core " + std::to_string(index_); }
  std::uint32_t read_register(std::uint32_t offset) override { return bus_.read_register(offset); }
  void write_register(std::uint32_t offset, std::uint32_t value) override {
    if (offset == abi::RegControl && (value & 1U) != 0) {
      held = true;
    } else {
      bus_.write_register(offset, value);
    }
  }
  std::uint64_t allocate(std::size_t bytes) override { return bus_.allocate(bytes); }
  void release(std::uint64_t address) override { bus_.release(address); }
  void write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) override {
    bus_.write_memory(address, bytes);
  }
  void read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) override { bus_.read_memory(address, bytes); }
  bool wait_done(std::chrono::milliseconds limit) override { return cores_.run(limit); }
  void reset() override {
    held = false;
    bus_.reset();
  }

  RtlBus& bus() { return bus_; }
  const RtlBus& bus() const { return bus_; }

  bool held = false;  // started, and no cycle has passed

 private:
  RtlCores& cores_;
  RtlBus bus_;
  unsigned index_;
};

RtlCores::RtlCores(const abi::Configuration& configuration, const RtlOptions& options, unsigned cores)
    : options_(options), requests_(cores), responses_(cores) {
  if (cores == 0) throw Error(ErrorCode::Usage, "no cores", "simulation", "0", "use at least 1");
  for (unsigned i = 0; i < cores; ++i) {
    RtlOptions of_core = options;
    if (!options.waves.empty()) of_core.waves += "." + std::to_string(i);
    of_core.seed += i;
    cores_.push_back(std::make_unique<Core>(*this, configuration, of_core, i));
  }
}

RtlCores::~RtlCores() = default;

driver::Bus& RtlCores::core(unsigned index) { return *cores_.at(index); }

void RtlCores::cycle(abi::SharedMemory& memory) {
  for (std::size_t i = 0; i < cores_.size(); ++i) requests_[i] = cores_[i]->bus().request();
  memory.clock(requests_, responses_);
  for (std::size_t i = 0; i < cores_.size(); ++i) cores_[i]->bus().advance(responses_[i]);
}

bool RtlCores::run(std::chrono::milliseconds limit) {
  const auto any = [this](auto&& holds) { return std::any_of(cores_.begin(), cores_.end(), holds); };
  if (any([](const auto& core) { return core->held; })) {
    memory_ =
        std::make_unique<abi::SharedMemory>(options_.memory, static_cast<unsigned>(cores_.size()), options_.stalls);
    for (auto& core : cores_) {
      if (core->held) core->bus().begin_start();
      core->held = false;
    }
    while (any([](const auto& core) { return core->bus().register_busy(); })) cycle(*memory_);
  }
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    for (unsigned i = 0; i < CyclesPerClockCheck; ++i) {
      if (!any([](const auto& core) { return !core->bus().idle(); })) return true;
      cycle(*memory_);
    }
    if (std::chrono::steady_clock::now() >= end) return false;
  }
}

}  // namespace espalier::rtl
