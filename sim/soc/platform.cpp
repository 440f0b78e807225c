#include "soc/platform.hpp"

#include <algorithm>
#include <mutex>

#include "dram/dram.hpp"
#include "esp_arrays.hpp"
#include "esp_error.hpp"
#include "soc/host.hpp"
#include "soc/interconnect.hpp"
#include "soc/memory.hpp"
#include "soc/rtl_core.hpp"
#include "soc/timed_core.hpp"

namespace espalier::soc {

namespace {

constexpr std::uint64_t RegisterCycles = 64;  // an access that takes longer is a defect
constexpr std::uint64_t ProgressCycles = 1000000;

std::unique_ptr<Core> make_core(Clock& clock, unsigned index, const abi::Configuration& configuration,
                                const Options& options, functional::DeviceMemory& memory) {
  const std::string name = "core_" + std::to_string(index);
  if (options.kind == CoreKind::Timed) {
    return std::make_unique<TimedCore>(name.c_str(), clock, index, configuration, memory);
  }
  rtl::MachineOptions machine{options.waves, options.seed + index};
  if (!machine.waves.empty() && index != 0) machine.waves += "." + std::to_string(index);
  return std::make_unique<RtlCore>(name.c_str(), clock, index, configuration, machine);
}

}  // namespace

struct Platform::Parts {
  Parts(const abi::Configuration& configuration, const Options& options, unsigned cores,
        functional::DeviceMemory& bytes)
      : clock("clock", options.mhz),
        host("host", cores),
        interconnect("interconnect", clock, cores),
        memory("memory", clock, bytes, cores),
        traffic(cores) {
    if (!options.trace.empty()) trace.emplace(options.trace, cores, options.mhz);
    host.socket.bind(interconnect.host);
    interconnect.memory.bind(memory.socket);
    for (unsigned c = 0; c < cores; ++c) {
      core.push_back(make_core(clock, c, configuration, options, bytes));
      for (auto& master : core.back()->bridge.masters) master->bind(interconnect.masters);
      interconnect.cores[c]->bind(core.back()->control);
    }
    interconnect.observer = [this](const BurstTimes& burst) {
      traffic.add(burst);
      if (trace) trace->add(burst);
    };
  }

  /// At most `cycles`, until `until` holds.
  void run(std::uint64_t cycles, std::function<bool()> until) {
    clock.allow(cycles, std::move(until));
    sc_core::sc_start();
    clock.rethrow();
  }

  bool any_active() const {
    return std::any_of(core.begin(), core.end(), [](const auto& one) { return one->active(); });
  }

  Clock clock;
  Host host;
  Interconnect interconnect;
  Memory memory;
  std::vector<std::unique_ptr<Core>> core;
  Traffic traffic;
  std::optional<TraceFile> trace;
  dram::Dram* dram = nullptr;            // owned by the memory
  std::uint64_t started = 0, ended = 0;  // cycles of the last run
  std::unique_ptr<sc_core::sc_simcontext> context;
};

namespace {

std::mutex& lock_of_systemc() {
  static std::mutex mutex;  // SystemC's current context is a global of its library
  return mutex;
}

}  // namespace

/// While it exists, a context is SystemC's current one.
class Platform::Entered {
 public:
  explicit Entered(sc_core::sc_simcontext* context) : lock_(lock_of_systemc()), before_(sc_core::sc_curr_simcontext) {
    sc_core::sc_curr_simcontext = context;
  }
  ~Entered() { sc_core::sc_curr_simcontext = before_; }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  std::lock_guard<std::mutex> lock_;
  sc_core::sc_simcontext* before_;
};

Platform::Platform(const abi::Configuration& configuration, const Options& options, unsigned cores)
    : configuration_(configuration), options_(options), cores_(cores), held_(cores, false) {
  if (cores == 0) throw Error(ErrorCode::Usage, "no cores", "platform", "0", "use at least 1");
  if (options.mhz == 0) throw Error(ErrorCode::Usage, "no clock", "platform", "0 MHz", "use at least 1");
  auto context = std::make_unique<sc_core::sc_simcontext>();
  const Entered entered(context.get());
  parts_ = std::make_unique<Parts>(configuration, options, cores, bytes_);
  parts_->context = std::move(context);
  restart_memory();
}

Platform::~Platform() {
  const std::unique_ptr<sc_core::sc_simcontext> context = std::move(parts_->context);
  const Entered entered(context.get());
  parts_.reset();
}

std::string Platform::name() const {
  return std::string(options_.kind == CoreKind::Timed ? "soc " : "soc-rtl ") + abi::array_name(configuration_);
}

functional::DeviceMemory& Platform::memory() { return bytes_; }

void Platform::write_memory(std::uint64_t address, std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return;
  const Entered entered(parts_->context.get());
  // The payload of a write is read only, but TLM has one pointer for both directions.
  parts_->host.move(tlm::TLM_WRITE_COMMAND, address, {const_cast<std::uint8_t*>(bytes.data()), bytes.size()});
}

void Platform::read_memory(std::uint64_t address, std::span<std::uint8_t> bytes) {
  if (bytes.empty()) return;
  const Entered entered(parts_->context.get());
  parts_->host.move(tlm::TLM_READ_COMMAND, address, bytes);
}

void Platform::access(unsigned core, bool writes, std::uint32_t offset, std::uint32_t value) {
  parts_->host.begin(core, writes ? tlm::TLM_WRITE_COMMAND : tlm::TLM_READ_COMMAND, offset, value);
  if (parts_->host.waiting(core)) parts_->run(RegisterCycles, [&] { return !parts_->host.waiting(core); });
  if (!parts_->host.waiting(core)) return;
  parts_->host.forget(core);
  throw Error(ErrorCode::Timeout, "register access was not answered", "register " + std::to_string(offset));
}

std::uint32_t Platform::read_register(unsigned core, std::uint32_t offset) {
  const Entered entered(parts_->context.get());
  access(core, false, offset, 0);
  return parts_->host.value(core);
}

void Platform::write_register(unsigned core, std::uint32_t offset, std::uint32_t value) {
  const Entered entered(parts_->context.get());
  access(core, true, offset, value);
}

/// A run begins with a quiet memory, so that equal runs take equal time.
void Platform::restart_memory() {
  std::unique_ptr<abi::SharedMemoryTiming> timing;
  if (options_.dram != nullptr) {
    auto dram = std::make_unique<dram::Dram>(*options_.dram, options_.mhz, cores_);
    parts_->dram = dram.get();
    timing = std::move(dram);
  } else {
    timing = std::make_unique<abi::SharedMemory>(options_.memory, cores_);
  }
  parts_->memory.restart(std::move(timing));
  parts_->interconnect.reset();
}

void Platform::start(unsigned core) { held_[core] = true; }

bool Platform::busy(unsigned core) const { return held_[core] || parts_->core[core]->busy(); }

bool Platform::stuck() const {
  return std::any_of(parts_->core.begin(), parts_->core.end(), [](const auto& core) { return core->stuck(); });
}

void Platform::release_starts() {
  Parts& parts = *parts_;
  if (std::none_of(held_.begin(), held_.end(), [](bool held) { return held; })) return;
  if (std::none_of(parts.core.begin(), parts.core.end(), [](const auto& core) { return core->busy(); })) {
    restart_memory();
    parts.traffic.clear();
    parts.started = parts.clock.cycle();
  }
  for (unsigned c = 0; c < cores_; ++c) {
    if (held_[c]) parts.host.begin(c, tlm::TLM_WRITE_COMMAND, abi::RegControl, 1);
    held_[c] = false;
  }
  const auto waiting = [&](unsigned core) { return parts.host.waiting(core); };
  for (unsigned c = 0; c < cores_; ++c) {
    if (waiting(c)) parts.run(RegisterCycles, [&] { return !waiting(c); });
  }
}

bool Platform::advance(std::uint64_t cycles) {
  const Entered entered(parts_->context.get());
  release_starts();
  Parts& parts = *parts_;
  bool preparing = false;
  for (const auto& core : parts.core) preparing = core->prepare() || preparing;
  if (preparing) return true;
  if (!parts.any_active()) return false;
  const std::uint64_t before = parts.clock.cycle();
  parts.run(cycles, [&] { return !parts.any_active(); });
  parts.ended = parts.clock.cycle();
  const std::uint64_t millions = (parts.ended - parts.started) / ProgressCycles;
  if (options_.progress && millions != (before - parts.started) / ProgressCycles) {
    options_.progress(millions * ProgressCycles);
  }
  return parts.any_active();
}

void Platform::reset(unsigned core) {
  constexpr std::uint64_t MostCycles = 100000000;  // that others may need to end
  const Entered entered(parts_->context.get());
  Parts& parts = *parts_;
  held_[core] = false;
  const auto others = [&] {
    for (unsigned c = 0; c < cores_; ++c) {
      if (c != core && parts.core[c]->active()) return true;
    }
    return false;
  };
  if (others()) parts.run(MostCycles, [&] { return !others(); });
  parts.host.forget(core);
  parts.core[core]->power_on();
  restart_memory();
}

Report Platform::report() const {
  Report report;
  report.cycles = parts_->ended - parts_->started;
  report.mhz = options_.mhz;
  report.masters = parts_->traffic.masters();
  report.memory = options_.dram == nullptr ? "fixed latency" : options_.dram->name;
  if (options_.dram != nullptr) report.dram = parts_->dram->counters();
  return report;
}

}  // namespace espalier::soc
