// Device: an accelerator behind a Bus, from "load this program" to "these are the output bytes".
//
//   Device device(bus);                          // any Bus: simulation or board
//   Loaded loaded = device.load(program);
//   RunResult result = loaded.run(input);        // throws Error Device or Timeout; the device stays usable
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "esp_abi.hpp"
#include "espalier/driver/buffer.hpp"
#include "espalier/driver/bus.hpp"

namespace espalier::driver {

/// What a machine executes. `image` is window 0: commands, weights, tables.
struct Program {
  std::span<const std::uint8_t> image;
  std::uint32_t command_offset = 0;  // beats
  std::uint32_t command_count = 0;
  std::uint64_t input_bytes = 0;  // sizes of the other windows; 0: one beat
  std::uint64_t output_bytes = 0;
  std::uint64_t arena_bytes = 0;
  std::uint32_t marks = 0;  // cycle stamps to read back, RegMarks[0 .. marks-1]
};

struct Limits {
  std::uint32_t timeout_cycles = 1000000;   // without progress, RegTimeout; 0 = never
  std::chrono::milliseconds wall{3600000};  // for the whole run, in the host's time
  std::chrono::milliseconds poll{1};        // a run that may be stopped goes on this long between two questions
};

/// A run of a program that is not kept on the device.
struct Job {
  Program program;
  std::span<const std::uint8_t> input;
  Limits limits;
};

/// The performance counters of a run; the six causes sum to `cycles`. All 0 on machines without a clock, except the
/// traffic and `macs`.
struct Counters {
  std::uint32_t cycles = 0;
  std::uint32_t computing = 0;
  std::uint32_t weights = 0;
  std::uint32_t output = 0;
  std::uint32_t data = 0;
  std::uint32_t writing = 0;
  std::uint32_t control = 0;
  std::uint32_t read_beats = 0;
  std::uint32_t write_beats = 0;
  std::uint32_t macs = 0;
};

struct RunResult {
  std::vector<std::uint8_t> output;  // window 2, output_bytes of the program
  Counters counters;
  std::vector<std::uint32_t> marks;
};

class Loaded;

/// Not thread-safe. The bus must outlive the device and what it loaded.
class Device {
 public:
  /// Reads what the machine is. Throws Error Device if it does not speak this contract or reports no possible array.
  explicit Device(Bus& bus);

  Bus& bus() const { return *bus_; }
  std::string name() const { return bus_->name(); }
  const abi::Configuration& configuration() const { return configuration_; }

  /// Copies a program to the device, where it stays for any number of runs. Throws Error Usage for sizes that do not
  /// fit together.
  Loaded load(const Program& program, const Limits& limits = {});

  /// Loads, runs once, frees.
  RunResult run(const Job& job);

 private:
  Bus* bus_;
  abi::Configuration configuration_;
};

/// A program resident on a device, with its own windows.
class Loaded {
 public:
  /// Runs on `input` (at most input_bytes; the rest of window 1 keeps its contents). Throws Error Device or Timeout
  /// naming the error, the command and its opcode; the device has been reset then and is ready for the next run.
  RunResult run(std::span<const std::uint8_t> input);

  /// The same in two parts: start() returns at once; wait() returns or throws when the run has ended.
  void start(std::span<const std::uint8_t> input);

  /// Writes window 1 without a start.
  void write_input(std::span<const std::uint8_t> input) { input_.write(input); }

  /// A part of the program's commands, from `offset` beats on, starts on what lies in the windows. Throws Error Usage
  /// for commands that the program does not have.
  void start_part(std::uint32_t offset, std::uint32_t count);
  RunResult wait();

  /// As wait(), but asks `stop` before every Limits::poll. If it says true the device is reset, which ends the run
  /// between two commands or bursts, and nothing is returned.
  std::optional<RunResult> wait(const std::function<bool()>& stop);

  /// Sets RegTimeout and the wall-clock limit of later runs.
  void set_limits(const Limits& limits) { limits_ = limits; }

 private:
  friend class Device;
  Loaded(Bus& bus, const Program& program, const Limits& limits);

  void write_arguments() const;
  /// The commands of the run.
  std::span<const std::uint8_t> running() const;
  void finish(bool done);
  RunResult read_result();

  Bus* bus_;
  Limits limits_;
  std::uint32_t command_offset_;
  std::uint32_t part_offset_;  // of the run, in beats
  std::uint32_t part_count_;
  std::uint32_t marks_;
  std::vector<std::uint8_t> commands_;  // for reports
  std::uint64_t output_bytes_;
  Buffer program_, input_, output_, arena_;
};

}  // namespace espalier::driver
