// Runs a command list without a clock: units in list order, every field, wait and access checked as the machine does.
//
//   ListRunner runner(array, memory, stamps);
//   runner.start(arguments);
//   while (runner.step() == ListRunner::Status::Running) {}
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "esp_abi.hpp"
#include "functional/array.hpp"
#include "functional/device_memory.hpp"

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

/// What RegError, RegErrorPosition and RegErrorDetail report.
struct Fault {
  std::uint32_t code = abi::ErrorNone;
  std::uint32_t position = 0;
  std::uint32_t detail = 0;
};

struct Traffic {
  std::uint64_t read_beats = 0;
  std::uint64_t write_beats = 0;
  std::uint64_t macs = 0;
};

/// The first rule that a command breaks, without looking at memory: unknown opcode, field out of range.
std::optional<Fault> check_fields(const abi::Command& command, const abi::Configuration& array);

class ListRunner {
 public:
  enum class Status {
    Idle,
    Running,
    Done,
    Stuck,  // waits for something that never comes, and RegTimeout is 0
  };

  ListRunner(Array& array, DeviceMemory& memory) : array_(array), memory_(memory) {}

  /// Begins a run. Wrong arguments end it at once: status() is Done and fault() says why.
  void start(const Arguments& arguments);

  /// Executes one command.
  Status step();

  Status status() const { return status_; }
  const Fault& fault() const { return fault_; }
  const Traffic& traffic() const { return traffic_; }

  /// Forgets the run.
  void reset();

 private:
  enum class Direction { Read, Write };

  struct Completed {
    std::uint32_t loads = 0, weights = 0, computes = 0, stores = 0;
  };

  void fail(std::uint32_t code, std::uint32_t detail);
  void wait_forever();
  void finish();
  std::optional<std::uint32_t> wrong_argument() const;
  bool wait_satisfiable(const abi::Command& command) const;
  bool weights_complete(std::size_t count) const;
  bool weights_arrive(const std::vector<std::uint64_t>& pushed, std::uint64_t needed) const;
  std::uint8_t* access(unsigned window, std::uint64_t beat, std::uint64_t beats, Direction direction);
  bool outside(const Arguments::Window& window, std::uint64_t beat, std::uint64_t beats);
  std::uint8_t* burst(const Arguments::Window& window, std::uint64_t beat, std::uint64_t beats, Direction direction);
  const std::uint8_t* fetch();
  void execute(const abi::Command& command);
  void load(const abi::Command& command);
  void weight(const abi::Command& command);
  void compute(const abi::Command& command);
  void store(const abi::Command& command);

  Array& array_;
  DeviceMemory& memory_;
  Arguments arguments_;
  Status status_ = Status::Idle;
  Fault fault_;
  Traffic traffic_;
  Completed completed_;
  std::uint32_t position_ = 0;
  const std::uint8_t* fetched_ = nullptr;  // the burst of commands that holds position_
  std::uint32_t fetched_from_ = 0;
  std::vector<std::uint64_t> pushed_lines_;      // by the first n weight commands
  std::vector<std::uint64_t> pushed_slots_;      // of WeightsVector, likewise
  std::vector<std::uint32_t> weight_positions_;  // of every weight command executed, in the list
  std::uint64_t consumed_lines_ = 0;
  std::uint64_t consumed_slots_ = 0;
};

}  // namespace espalier::functional
