#include "compile/timing/machine.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include "esp_error.hpp"

namespace espalier::compile::timing {
namespace {

constexpr std::uint32_t StuckCycles = 1000000;  // no real memory is that slow
constexpr std::uint32_t MostCycles = std::numeric_limits<std::uint32_t>::max();

/// Whether slots and positions of a compute command can be walked.
bool walkable(const abi::Command& command, const abi::Configuration& configuration) {
  const auto& taps = command.tap_count;
  const bool dense = taps[0] != 0 && taps[1] != 0 && taps[2] != 0 && command.tail_lanes != 0 &&
                     command.tail_lanes <= configuration.lanes;
  return command.split != 0 && command.split <= configuration.max_split() && command.slots != 0 &&
         command.count_x != 0 && command.count_y != 0 && (command.weights != abi::WeightsDense || dense);
}

/// Throws for a command that cannot be walked; the machine itself checks every field.
void check(const abi::Command& command, const abi::Configuration& configuration, const std::string& where) {
  const auto require = [&](bool holds, const char* problem) {
    if (holds) return;
    throw Error(ErrorCode::Program, problem, where, "opcode " + std::to_string(command.opcode),
                "compile the network again");
  };
  require(command.opcode >= abi::OpLoad && command.opcode <= abi::OpMark, "unknown opcode");
  require(configuration.coded || !abi::needs_coded(command), "a command for a machine with coded weights");
  if (command.opcode == abi::OpCompute) {
    require(walkable(command, configuration), "split, slots, positions, taps or lanes in use are out of range");
  } else if (command.opcode != abi::OpMark) {
    const bool moves = command.run != 0 && (command.opcode == abi::OpWeight ? command.items : command.planes) != 0;
    require(moves, "a transfer without beats, planes or items");
    const bool symbols = command.gap_bits >= 1 && command.gap_bits <= 8 && command.value_bits >= 1 &&
                         command.value_bits <= 8 && (command.value_bits <= 4 || command.value_bits == 8);
    const bool vector = command.opcode == abi::OpWeight && command.format == abi::FormatVector;
    require(!vector || symbols, "symbols of a width that does not exist");
  }
}

std::uint32_t rotate_banks(std::uint32_t banks, unsigned by) {
  const std::uint32_t wide = banks << (by % abi::Banks);
  return (wide | (wide >> abi::Banks)) & 0xffffU;
}

}  // namespace

Machine::Machine(const DeviceProgram& program, const abi::Configuration& configuration,
                 const std::array<std::uint64_t, abi::Windows>& windows)
    : program_(program),
      configuration_(configuration),
      windows_(windows),
      command_dma_(abi::MasterCommand, abi::FetchDepth),
      weight_dma_(abi::MasterWeight, configuration.staging_beats),
      load_dma_(abi::MasterData, configuration.staging_beats),
      load_(configuration.words_per_beat()),
      store_(configuration.words_per_beat(), configuration.store_beats()),
      weight_(configuration),
      sequencer_(configuration),
      lanes_(configuration.lanes),
      rows_(abi::RowDepth),
      entries_(configuration.program_depth) {
  const std::size_t first = std::size_t{program.command_offset} * abi::BeatBytes;
  for (std::size_t i = 0; i < program.command_count; ++i) {
    const std::size_t at = first + i * abi::BeatBytes;
    const std::string where = "command " + std::to_string(i);
    if (at + abi::BeatBytes > program.image.size()) {
      throw Error(ErrorCode::Program, "a command lies outside of the program", where, "byte " + std::to_string(at),
                  "compile the network again");
    }
    commands_.push_back(abi::decode(std::span<const std::uint8_t, abi::BeatBytes>(&program.image[at], abi::BeatBytes)));
    check(commands_.back(), configuration, where);
  }
  prediction_.marks.assign(abi::MarkDepth, 0);
  prediction_.causes_at_marks.resize(abi::MarkDepth);
}

std::uint32_t Machine::done(unsigned unit) const {
  switch (unit) {
    case Load:
      return load_.done();
    case Weight:
      return weight_.done();
    case Compute:
      return sequencer_.done();
    case Store:
      return store_.done();
    default:
      return marked_;
  }
}

bool Machine::waits_met(const abi::Command& command) const {
  return load_.done() >= command.wait_load && weight_.done() >= command.wait_weight &&
         sequencer_.done() >= command.wait_compute && store_.done() >= command.wait_store;
}

bool Machine::head_ready(unsigned unit) const { return !queues_[unit].empty() && waits_met(queues_[unit].front()); }

unsigned Machine::unit_of(const abi::Command& command) { return command.opcode - abi::OpLoad; }

bool Machine::finished() const {
  if (dispatched_ != program_.command_count || sequencer_.results_pending() || queue_nonempty_ != 0) return false;
  for (unsigned u = 0; u < UnitCount; ++u) {
    if (sent_[u] != done(u)) return false;
  }
  return true;
}

abi::MemoryRequest Machine::request() const {
  abi::MemoryRequest request;
  request.ar_valid = {command_dma_.ar_valid(), weight_dma_.ar_valid(), load_dma_.ar_valid()};
  request.ar_len = {command_dma_.ar_len(), weight_dma_.ar_len(), load_dma_.ar_len()};
  request.ar_address = {byte_address(command_dma_.ar_address()), byte_address(weight_dma_.ar_address()),
                        byte_address(load_dma_.ar_address())};
  request.aw_valid = store_.aw_valid();
  request.aw_address = byte_address(store_.aw_address());
  request.aw_len = store_.aw_len();
  request.w_valid = store_.w_valid();
  request.w_last = store_.w_last();
  return request;
}

std::uint64_t Machine::byte_address(const BeatAddress& address) const {
  return windows_[address.window % abi::Windows] + std::uint64_t{address.offset} * abi::BeatBytes;
}

std::span<const std::uint8_t> Machine::item_bytes(const abi::Command& job, std::uint32_t item, unsigned bytes) const {
  const std::size_t at = std::size_t{job.offset} * abi::BeatBytes + std::size_t{item} * bytes;
  if (job.window != abi::WindowProgram || at + bytes > program_.image.size()) {
    throw Error(ErrorCode::Program, "weights or tables lie outside of the program", "weight command",
                "beat " + std::to_string(job.offset), "compile the network again");
  }
  return {&program_.image[at], bytes};
}

void Machine::write_table(std::uint32_t item) {
  const abi::Command& job = weight_.job();
  const std::uint32_t address = job.address + item;
  if (job.format == abi::FormatRow) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, item_bytes(job, item, 4).data(), 4);
    rows_[address % abi::RowDepth] = abi::decode_row(bits);
  } else if (job.format == abi::FormatCode) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, item_bytes(job, item, 4).data(), 4);
    code_.write(address, bits);
  } else if (job.format == abi::FormatProgram) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, item_bytes(job, item, 8).data(), 8);
    entries_[address % configuration_.program_depth] = abi::decode_program(bits);
  }
}

/// What the weight unit's current command does to the store.
const StreamTiming& Machine::stream() {
  const abi::Command& job = weight_.job();
  if (stream_serial_ != weight_.done()) {
    const std::size_t at = std::size_t{job.offset} * abi::BeatBytes;
    const std::size_t bytes = std::size_t{job.run} * abi::BeatBytes;
    if (job.window != abi::WindowProgram || at + bytes > program_.image.size()) {
      throw Error(ErrorCode::Program, "weights lie outside of the program", "weight command",
                  "beat " + std::to_string(job.offset), "compile the network again");
    }
    stream_ = stream_timing(job, {&program_.image[at], bytes}, code_, configuration_);
    stream_serial_ = weight_.done();
  }
  return stream_;
}

LineTiming Machine::take_line() { return stream().lines[weight_.line()]; }

SlotTiming Machine::take_slot() { return stream().slots[weight_.line()]; }

Machine::WriterSignals Machine::writer_signals(unsigned index, std::uint32_t taken_banks) const {
  const Writer& writer = writers_[index];
  WriterSignals signals;
  const bool offers = writer.push.valid && !writer.push.drop;
  signals.pushes =
      offers && (taken_banks >> writer.push.bank & 1U) == 0 && queue_count_[writer.push.bank] < abi::QueueDepth;
  signals.free = !writer.push.valid || writer.push.drop || signals.pushes;
  signals.front = signals.free && !(writer.expand.valid && writer.entry.next != 0);
  if (signals.front) {
    const unsigned served = configuration_.lanes / configuration_.writers;
    for (unsigned i = 0; i < served; ++i) {
      const unsigned lane = (writer.turn + i) % served * configuration_.writers + index;
      if (!lanes_[lane].has_result()) continue;
      signals.lane = static_cast<int>(lane);
      break;
    }
  }
  return signals;
}

void Machine::clock_writer(unsigned index, const WriterSignals& signals) {
  Writer& writer = writers_[index];
  if (signals.free) {
    writer.push.valid = writer.expand.valid;
    if (writer.expand.valid) {
      writer.push.drop = writer.entry.drop;
      writer.push.last = writer.entry.next == 0;
      writer.push.context = writer.expand.context;
      writer.push.bank = (writer.expand.output + writer.entry.offset) % abi::Banks;
    }
    // The write program is read for the next word of the same result, or for the next result.
    const std::uint16_t address = signals.front ? writer.round.entry : writer.entry.next;
    writer.entry = entries_[address % configuration_.program_depth];
  }
  if (!signals.front) return;
  writer.expand = writer.round;
  writer.round = writer.multiply;
  writer.multiply = writer.bias;
  writer.bias = {};
  if (signals.lane < 0) return;
  const auto lane = static_cast<unsigned>(signals.lane);
  const RowTag tag = lanes_[lane].oldest();
  const abi::Command& command = sequencer_.context(tag.context);
  const abi::Row& row = rows_[(command.row + tag.row * configuration_.lanes + lane) % abi::RowDepth];
  writer.bias = {true, tag.context, static_cast<std::uint16_t>(tag.entry + row.step),
                 static_cast<std::uint16_t>(command.output + row.output)};
  writer.turn = (lane / configuration_.writers + 1) % (configuration_.lanes / configuration_.writers);
  lanes_[lane].pop();
}

Machine::Signals Machine::settle(const abi::MemoryResponse& response) const {
  Signals s;
  s.response = response;
  // Scratchpad: lanes, then queued results, then stores, then loads.
  const std::uint32_t idle_banks = ~bank_pipeline_[(cycle_ - ReadStage) % 8] & 0xffffU;
  const std::uint32_t services = idle_banks & ~queue_nonempty_;
  s.queue_pops = idle_banks & queue_nonempty_;
  s.store_grants = services & store_.banks();
  s.load_grants = services & ~store_.banks() & load_.banks();

  std::uint32_t taken_banks = 0;  // by writers before this one
  for (unsigned w = 0; w < configuration_.writers; ++w) {
    const Writer::Push& push = writers_[w].push;
    s.writers[w] = writer_signals(w, taken_banks);
    if (push.valid && !push.drop) taken_banks |= 1U << push.bank;
    if (push.valid && push.last && s.writers[w].free) ++s.finished[push.context];
  }

  std::uint32_t busy_lanes = 0;
  for (unsigned k = 0; k < configuration_.lanes; ++k) {
    if (!lanes_[k].ready()) busy_lanes |= 1U << k;
  }
  s.issue = sequencer_.signals(
      busy_lanes,
      head_ready(Compute) && ((queues_[Compute].front().flags & abi::FlagDrain) == 0 || queue_nonempty_ == 0));
  s.load_starts = head_ready(Load) && load_.accepts() && load_dma_.ready();
  s.weight_starts = head_ready(Weight) && weight_.accepts() && weight_dma_.ready();
  s.store_starts = head_ready(Store) && store_.accepts();
  s.load_takes = load_.takes(load_dma_.beat_valid(), s.load_grants);
  s.weight = weight_.signals(weight_dma_.beat_valid(),
                             weight_.fills_queue() ? sequencer_.queue_space() : sequencer_.line_space());
  s.dispatches = command_dma_.beat_valid() && queues_[unit_of(commands_[dispatched_])].size() < abi::CommandQueue;
  s.marks = head_ready(Mark);
  return s;
}

void Machine::count(const Signals& s, const abi::MemoryRequest& pins) {
  ++prediction_.cycles;
  if (s.issue.issue) {
    ++prediction_.computing;
  } else if (sequencer_.starved()) {
    ++prediction_.weights;
  } else if (sequencer_.active()) {
    ++prediction_.output;
  } else if (!queues_[Compute].empty()) {
    ++prediction_.data;
  } else if (sequencer_.results_pending() || sent_[Store] != store_.done()) {
    ++prediction_.writing;
  } else {
    ++prediction_.control;
  }
  const auto reads = static_cast<unsigned>(std::count(s.response.r_valid.begin(), s.response.r_valid.end(), true));
  const bool writes = pins.w_valid && s.response.w_ready;
  prediction_.read_beats += reads;
  prediction_.write_beats += writes ? 1U : 0U;
  prediction_.macs += s.issue.issue ? s.issue.slot.entries : 0U;
  const bool progress = s.issue.issue || reads != 0 || writes || s.response.b_valid || s.load_grants != 0 ||
                        s.dispatches || s.marks || s.finished[0] + s.finished[1] != 0;
  quiet_cycles_ = progress ? 0 : quiet_cycles_ + 1;
}

void Machine::clock_lanes(const Signals& s) {
  const Sequencer::Issue& issue = s.issue;
  bank_pipeline_[cycle_ % 8] = issue.issue ? rotate_banks(issue.slot.banks, issue.base) : 0;
  last_pipeline_[cycle_ % 8] = issue.issue ? issue.slot.last : 0;
  for (std::uint32_t left = last_pipeline_[(cycle_ - ResultStage) % 8]; left != 0; left &= left - 1) {
    lanes_[static_cast<unsigned>(std::countr_zero(left))].arrive();
  }
  if (!issue.issue) return;
  for (std::uint32_t left = issue.slot.last; left != 0; left &= left - 1) {
    lanes_[static_cast<unsigned>(std::countr_zero(left))].announce(issue.context, issue.entry);
  }
  if (issue.position_end) {
    for (Lane& lane : lanes_) lane.restart();
  }
}

void Machine::clock_queues(const Signals& s) {
  for (unsigned w = 0; w < configuration_.writers; ++w) {
    if (s.writers[w].pushes) ++queue_count_[writers_[w].push.bank];
  }
  for (std::uint32_t left = s.queue_pops; left != 0; left &= left - 1) {
    --queue_count_[static_cast<unsigned>(std::countr_zero(left))];
  }
  queue_nonempty_ = 0;
  for (unsigned b = 0; b < abi::Banks; ++b) queue_nonempty_ |= queue_count_[b] != 0 ? 1U << b : 0U;
}

void Machine::clock_units(const Signals& s) {
  // A write to the store or a table takes effect after this edge, so its contents are fetched before the unit moves on.
  LineTiming line;
  if (s.weight.line) line = take_line();
  SlotTiming slot;
  if (s.weight.slot) slot = take_slot();
  if (s.weight.emit && !weight_.fills_lines() && !weight_.fills_queue()) {
    for (std::uint32_t i = 0; i < weight_.group(); ++i) write_table(weight_.item() + i);
  }

  abi::Command load, weight, compute, store, fetch;
  const auto pop = [&](unsigned unit, bool starts, abi::Command& command) -> const abi::Command* {
    if (!starts) return nullptr;
    command = queues_[unit].front();
    queues_[unit].pop_front();
    return &command;
  };
  const abi::Command* load_started = pop(Load, s.load_starts, load);
  const abi::Command* weight_started = pop(Weight, s.weight_starts, weight);
  const abi::Command* compute_started = pop(Compute, s.issue.start, compute);
  const abi::Command* store_started = pop(Store, s.store_starts, store);
  fetch.offset = program_.command_offset;
  fetch.run = program_.command_count;

  sequencer_.clock(s.issue, s.weight.line ? &line : nullptr, s.weight.slot ? &slot : nullptr, s.finished,
                   compute_started);
  load_.clock(s.load_takes, s.load_grants, load_started);
  load_dma_.clock(s.response, s.load_takes, load_started);
  weight_.clock(s.weight, weight_started);
  if (weight_.starts_stream()) weight_.take_rounds(stream().rounds);
  weight_dma_.clock(s.response, s.weight.pop, weight_started);
  store_.clock(s.response, s.store_grants, store_started);
  if (s.marks) {
    const unsigned mark = queues_[Mark].front().layer % abi::MarkDepth;
    prediction_.marks[mark] = cycle_ + 1;
    prediction_.causes_at_marks[mark] = {prediction_.computing, prediction_.weights, prediction_.output,
                                         prediction_.data,      prediction_.writing, prediction_.control};
    queues_[Mark].pop_front();
    ++marked_;
  }
  if (s.dispatches) {
    const unsigned unit = unit_of(commands_[dispatched_]);
    queues_[unit].push_back(commands_[dispatched_]);
    ++sent_[unit];
    ++dispatched_;
  }
  command_dma_.clock(s.response, s.dispatches, fetch_requested_ ? nullptr : &fetch);
  fetch_requested_ = true;
}

bool Machine::clock(const abi::MemoryResponse& response) {
  if (cycle_ == 0) {
    // The first cycle of a run clears the machine.
    prediction_.cycles = prediction_.control = 1;
    cycle_ = 1;
    return true;
  }
  const bool ends = finished();
  const abi::MemoryRequest pins = request();
  const Signals signals = settle(response);
  count(signals, pins);
  // Registers that others read as they were before the edge come last.
  clock_queues(signals);
  for (unsigned w = 0; w < configuration_.writers; ++w) clock_writer(w, signals.writers[w]);
  clock_lanes(signals);
  clock_units(signals);
  if (quiet_cycles_ > StuckCycles) {
    throw Error(ErrorCode::Program, "the program makes no progress: a command waits for what never comes",
                "command " + std::to_string(dispatched_), std::to_string(StuckCycles) + " cycles without progress",
                "compile the network again");
  }
  if (cycle_ == MostCycles) {
    throw Error(ErrorCode::Program, "the program takes more cycles than the machine counts",
                "command " + std::to_string(dispatched_), std::to_string(MostCycles) + " cycles",
                "compile a smaller network, or for a larger array");
  }
  ++cycle_;
  return !ends;
}

}  // namespace espalier::compile::timing

namespace espalier::compile {

void check_memory(const MemoryParameters& memory) {
  if (!std::has_single_bit(memory.bytes) || memory.bytes > abi::BeatBytes) {
    throw Error(ErrorCode::Usage, "the bytes per cycle are not those of a memory", "memory parameters",
                std::to_string(memory.bytes), "use a power of two up to " + std::to_string(abi::BeatBytes));
  }
}

Prediction predict(const DeviceProgram& program, const abi::Configuration& configuration,
                   const MemoryParameters& memory) {
  check_memory(memory);
  abi::FixedLatencyMemory timing(memory);
  return predict(program, configuration, timing);
}

Prediction predict_stage(const DeviceProgram& program, std::size_t stage, const abi::Configuration& configuration,
                         const MemoryParameters& memory) {
  const CommandRange range = compile::stage(program, stage);
  DeviceProgram part = program;
  part.command_offset = range.offset;
  part.command_count = range.count;
  return predict(part, configuration, memory);
}

Prediction predict(const DeviceProgram& program, const abi::Configuration& configuration, abi::MemoryTiming& memory) {
  timing::Machine machine(program, configuration);
  while (machine.clock(memory.clock(machine.request()))) {
  }
  return machine.prediction();
}

std::vector<Prediction> predict_cores(const DeviceProgram& program, const abi::Configuration& configuration,
                                      const MemoryParameters& memory, unsigned cores) {
  check_memory(memory);
  abi::SharedMemory timing(memory, cores);
  return predict_cores(program, configuration, timing, cores);
}

std::vector<Prediction> predict_cores(const DeviceProgram& program, const abi::Configuration& configuration,
                                      abi::SharedMemoryTiming& memory, unsigned cores) {
  if (cores == 0) throw Error(ErrorCode::Usage, "no cores", "prediction", "0", "use at least 1");
  std::vector<timing::Machine> machines(cores, timing::Machine(program, configuration));
  std::vector<abi::MemoryRequest> requests(cores);
  std::vector<abi::MemoryResponse> responses(cores);
  std::vector<bool> running(cores, true);
  for (unsigned left = cores; left != 0;) {
    for (unsigned c = 0; c < cores; ++c) requests[c] = running[c] ? machines[c].request() : abi::MemoryRequest{};
    memory.clock(requests, responses);
    for (unsigned c = 0; c < cores; ++c) {
      if (!running[c] || machines[c].clock(responses[c])) continue;
      running[c] = false;
      --left;
    }
  }
  std::vector<Prediction> predictions;
  predictions.reserve(cores);
  for (const timing::Machine& machine : machines) predictions.push_back(machine.prediction());
  return predictions;
}

}  // namespace espalier::compile
