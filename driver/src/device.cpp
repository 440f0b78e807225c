#include "espalier/driver/device.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "esp_error.hpp"
#include "espalier/driver/report.hpp"

namespace espalier::driver {

namespace {

constexpr std::uint32_t ControlStart = 1;

void write_wide(Bus& bus, std::uint32_t offset, std::uint64_t value) {
  bus.write_register(offset, static_cast<std::uint32_t>(value));
  bus.write_register(offset + 4, static_cast<std::uint32_t>(value >> 32));
}

void check_program(const Program& program) {
  const std::uint64_t end = (std::uint64_t{program.command_offset} + program.command_count) * abi::BeatBytes;
  if (program.command_count == 0 || end > program.image.size()) {
    throw Error(ErrorCode::Usage, "the command list is not inside the program image", "program",
                fmt::format("{} commands at beat {} of {} bytes", program.command_count, program.command_offset,
                            program.image.size()),
                "use at least one command and an image that holds them");
  }
  if (program.marks > abi::MarkDepth) {
    throw Error(ErrorCode::Usage, "more cycle marks than the machine keeps", "program",
                fmt::format("{} marks", program.marks), fmt::format("use at most {}", +abi::MarkDepth));
  }
}

void check_configuration(const abi::Configuration& c, const Bus& bus) {
  const auto divides = [](unsigned value) { return value != 0 && abi::BeatBytes % value == 0; };
  const auto power_up_to = [](unsigned value, unsigned most) { return std::has_single_bit(value) && value <= most; };
  if (divides(c.lanes) && divides(c.pixels) && c.bank_rows != 0 && c.line_depth != 0 && c.writers != 0 &&
      c.writers <= abi::MostWriters && power_up_to(c.program_depth, abi::ProgramDepth) &&
      power_up_to(c.staging_beats, abi::StagingBeats) && c.store_beats() >= abi::BurstBeats + 2) {
    return;
  }
  throw Error(
      ErrorCode::Device, "the device reports an array that cannot be", bus.name(),
      fmt::format("{}x{}, {} rows per bank, {} lines, {} writers, {} entries of the write program, {} beats ahead",
                  c.lanes, c.pixels, c.bank_rows, c.line_depth, c.writers, c.program_depth, c.staging_beats),
      "load the device image again");
}

std::size_t window_bytes(std::uint64_t bytes) {
  return static_cast<std::size_t>(std::max<std::uint64_t>(bytes, abi::BeatBytes));
}

Counters read_counters(Bus& bus) {
  Counters counters;
  counters.cycles = bus.read_register(abi::RegCycles);
  counters.computing = bus.read_register(abi::RegCyclesComputing);
  counters.weights = bus.read_register(abi::RegCyclesWeights);
  counters.output = bus.read_register(abi::RegCyclesOutput);
  counters.data = bus.read_register(abi::RegCyclesData);
  counters.writing = bus.read_register(abi::RegCyclesWriting);
  counters.control = bus.read_register(abi::RegCyclesControl);
  counters.read_beats = bus.read_register(abi::RegReadBeats);
  counters.write_beats = bus.read_register(abi::RegWriteBeats);
  counters.macs = bus.read_register(abi::RegMacs);
  return counters;
}

}  // namespace

Device::Device(Bus& bus) : bus_(&bus) {
  const std::uint32_t version = bus.read_register(abi::RegVersion);
  if (version != abi::AbiVersion) {
    throw Error(ErrorCode::Device, "the device speaks another version of the contract", bus.name(),
                fmt::format("version {}, expected {}", version, abi::AbiVersion),
                "load a device image made by the same release");
  }
  configuration_.lanes = bus.read_register(abi::RegLanes);
  configuration_.pixels = bus.read_register(abi::RegPixels);
  configuration_.bank_rows = bus.read_register(abi::RegBankRows);
  configuration_.line_depth = bus.read_register(abi::RegLineDepth);
  configuration_.writers = bus.read_register(abi::RegWriters);
  configuration_.coded = bus.read_register(abi::RegCoded) != 0;
  configuration_.program_depth = bus.read_register(abi::RegProgramDepth);
  configuration_.staging_beats = bus.read_register(abi::RegStagingBeats);
  check_configuration(configuration_, bus);
}

Loaded Device::load(const Program& program, const Limits& limits) {
  check_program(program);
  return Loaded(*bus_, program, limits);
}

RunResult Device::run(const Job& job) { return load(job.program, job.limits).run(job.input); }

Loaded::Loaded(Bus& bus, const Program& program, const Limits& limits)
    : bus_(&bus),
      limits_(limits),
      command_offset_(program.command_offset),
      part_offset_(program.command_offset),
      part_count_(program.command_count),
      marks_(program.marks),
      commands_(
          program.image.begin() + std::ptrdiff_t{program.command_offset} * abi::BeatBytes,
          program.image.begin() + (std::ptrdiff_t{program.command_offset} + program.command_count) * abi::BeatBytes),
      output_bytes_(program.output_bytes),
      program_(bus, program.image.size()),
      input_(bus, window_bytes(program.input_bytes)),
      output_(bus, window_bytes(program.output_bytes)),
      arena_(bus, window_bytes(program.arena_bytes)) {
  program_.write(program.image);
}

/// All arguments are written before each run: a reset clears them, and another program may have used the device.
void Loaded::write_arguments() const {
  write_wide(*bus_, abi::RegProgramAddress, program_.address());
  write_wide(*bus_, abi::RegProgramBytes, program_.bytes());
  write_wide(*bus_, abi::RegInputAddress, input_.address());
  write_wide(*bus_, abi::RegInputBytes, input_.bytes());
  write_wide(*bus_, abi::RegOutputAddress, output_.address());
  write_wide(*bus_, abi::RegOutputBytes, output_.bytes());
  write_wide(*bus_, abi::RegArenaAddress, arena_.address());
  write_wide(*bus_, abi::RegArenaBytes, arena_.bytes());
  bus_->write_register(abi::RegCommandOffset, part_offset_);
  bus_->write_register(abi::RegCommandCount, part_count_);
  bus_->write_register(abi::RegTimeout, limits_.timeout_cycles);
}

/// Throws if the run did not end well, after a reset.
void Loaded::finish(bool done) {
  if (!done) {
    bus_->reset();
    throw Error(ErrorCode::Timeout, "the device did not finish in time", fmt::format("device {}", bus_->name()),
                fmt::format("limit {} ms", limits_.wall.count()), "raise the limit; the device has been reset");
  }
  MachineError error;
  error.code = bus_->read_register(abi::RegError);
  if (error.code == abi::ErrorNone) return;
  error.position = bus_->read_register(abi::RegErrorPosition);
  error.detail = bus_->read_register(abi::RegErrorDetail);
  bus_->reset();
  throw to_error(error, bus_->name(), running());
}

RunResult Loaded::read_result() {
  RunResult result;
  result.output.resize(static_cast<std::size_t>(output_bytes_));
  output_.read(result.output);
  result.counters = read_counters(*bus_);
  for (std::uint32_t i = 0; i < marks_; ++i) result.marks.push_back(bus_->read_register(abi::RegMarks + 4 * i));
  return result;
}

RunResult Loaded::run(std::span<const std::uint8_t> input) {
  start(input);
  return wait();
}

void Loaded::start(std::span<const std::uint8_t> input) {
  input_.write(input);
  start_part(command_offset_, static_cast<std::uint32_t>(commands_.size() / abi::BeatBytes));
}

void Loaded::start_part(std::uint32_t offset, std::uint32_t count) {
  const std::uint64_t all = commands_.size() / abi::BeatBytes;
  if (count == 0 || offset < command_offset_ || std::uint64_t{offset} + count > command_offset_ + all) {
    throw Error(ErrorCode::Usage, "the program does not have these commands", "program",
                fmt::format("{} commands at beat {}", count, offset),
                fmt::format("start some of {} at beat {}", all, command_offset_));
  }
  part_offset_ = offset;
  part_count_ = count;
  write_arguments();
  bus_->write_register(abi::RegControl, ControlStart);
}

std::span<const std::uint8_t> Loaded::running() const {
  return std::span(commands_).subspan(std::size_t{part_offset_ - command_offset_} * abi::BeatBytes,
                                      std::size_t{part_count_} * abi::BeatBytes);
}

RunResult Loaded::wait() {
  finish(bus_->wait_done(limits_.wall));
  bus_->read_register(abi::RegControl);  // reading clears done
  return read_result();
}

std::optional<RunResult> Loaded::wait(const std::function<bool()>& stop) {
  const auto end = std::chrono::steady_clock::now() + limits_.wall;
  bool done = false;
  while (!done) {
    if (stop()) {
      bus_->reset();
      return {};
    }
    done = bus_->wait_done(limits_.poll);
    if (!done && std::chrono::steady_clock::now() >= end) break;
  }
  finish(done);
  bus_->read_register(abi::RegControl);  // reading clears done
  return read_result();
}

}  // namespace espalier::driver
