#include "functional/list_runner.hpp"

#include <algorithm>
#include <bit>
#include <initializer_list>

#include "functional/slots.hpp"

namespace espalier::functional {

namespace {

constexpr std::uint32_t ResponseSlaveError = 2;  // AXI SLVERR

/// A field that must have a value, in the order of bit positions: the first one that has not is reported.
struct Rule {
  bool holds;
  std::uint32_t lsb;
};

std::optional<Fault> first_broken(std::initializer_list<Rule> rules) {
  for (const Rule& rule : rules) {
    if (!rule.holds) return Fault{abi::ErrorField, 0, rule.lsb};
  }
  return {};
}

std::optional<Fault> check_transfer(const abi::Command& c) {
  if (c.window >= abi::Windows) return Fault{abi::ErrorField, 0, abi::CmdWindowLsb};
  if (c.opcode == abi::OpStore && (c.window == abi::WindowProgram || c.window == abi::WindowInput)) {
    return Fault{abi::ErrorReadOnly, 0, c.window};
  }
  return first_broken({{c.run > 0, abi::CmdRunLsb}, {c.planes > 0, abi::CmdPlanesLsb}});
}

bool known_value_bits(const abi::Command& c) {
  switch (c.format) {
    case abi::FormatFixed:
      return c.value_bits <= 8;
    case abi::FormatVector:
      return (c.value_bits >= 1 && c.value_bits <= 4) || c.value_bits == 8;
    case abi::FormatHuffman:
      return c.value_bits <= 4 || c.value_bits == abi::ValueHuffman;
    case abi::FormatPacked:
      return c.value_bits == 1 || c.value_bits == 2 || c.value_bits == 4;
    default:
      return true;
  }
}

std::optional<Fault> check_weight(const abi::Command& c) {
  const bool vector = c.format == abi::FormatVector;
  const bool gaps = vector || c.format == abi::FormatFixed;
  return first_broken({{c.window < abi::Windows, abi::CmdWindowLsb},
                       {c.format < abi::Formats, abi::CmdFormatLsb},
                       {c.run > 0, abi::CmdRunLsb},
                       {c.items > 0, abi::CmdItemsLsb},
                       {!gaps || (c.gap_bits >= 1 && c.gap_bits <= 8), abi::CmdGapBitsLsb},
                       {known_value_bits(c), abi::CmdValueBitsLsb},
                       {!vector || (c.columns >= 1 && c.columns <= abi::MostColumns), abi::CmdColumnsLsb}});
}

bool known_split(const abi::Command& c, const abi::Configuration& array) {
  return c.split == 1 || (std::has_single_bit(c.split) && c.split <= array.max_split() &&
                          c.weights != abi::WeightsSparse && c.weights != abi::WeightsVector);
}

/// Fields that have passed weights and split: a chunk for several positions stays in the store, whole.
bool slots_fit(const abi::Command& c, const abi::Configuration& array) {
  const bool single = c.count_x == 1 && c.count_y == 1;
  return c.slots > 0 && (single || (c.weights != abi::WeightsVector && chunk_lines(c, array) <= array.line_depth));
}

std::optional<Fault> check_compute(const abi::Command& c, const abi::Configuration& array) {
  const bool dense = c.weights == abi::WeightsDense;
  const auto head = first_broken({{!dense || (c.tail_lanes > 0 && c.tail_lanes <= array.lanes), abi::CmdTailLanesLsb},
                                  {c.weights < abi::WeightsModes, abi::CmdWeightsLsb},
                                  {known_split(c, array), abi::CmdSplitLsb}});
  if (head) return head;
  return first_broken({{c.scale % c.split == 0, abi::CmdScaleLsb},
                       {slots_fit(c, array), abi::CmdSlotsLsb},
                       {c.count_x > 0, abi::CmdCountXLsb},
                       {c.count_y > 0, abi::CmdCountYLsb},
                       {c.unroll > 0 && c.unroll <= 16, abi::CmdUnrollLsb},
                       {c.operation < abi::Operations, abi::CmdOperationLsb},
                       {!dense || c.tap_count[0] > 0, abi::CmdTapCount0Lsb},
                       {!dense || c.tap_count[1] > 0, abi::CmdTapCount1Lsb},
                       {!dense || c.tap_count[2] > 0, abi::CmdTapCount2Lsb}});
}

}  // namespace

std::optional<Fault> check_fields(const abi::Command& command, const abi::Configuration& array) {
  switch (command.opcode) {
    case abi::OpLoad:
    case abi::OpStore:
      return check_transfer(command);
    case abi::OpWeight:
      return check_weight(command);
    case abi::OpCompute:
      return check_compute(command, array);
    case abi::OpMark:
      return first_broken({{command.layer < abi::MarkDepth, abi::CmdLayerLsb}});
    default:
      return Fault{abi::ErrorOpcode, 0, command.opcode};
  }
}

void ListRunner::reset() {
  status_ = Status::Idle;
  fault_ = {};
  traffic_ = {};
}

void ListRunner::fail(std::uint32_t code, std::uint32_t detail) {
  fault_ = {code, position_, detail};
  status_ = Status::Done;
}

/// The run makes no more progress: the oldest command that is not completed is at fault. That is the one at position_,
/// or a weight command before it: the weight unit only completes a command once its lines are in the store, which holds
/// line_depth of them beyond those consumed.
void ListRunner::wait_forever() {
  for (std::size_t count = 1; count < pushed_lines_.size(); ++count) {
    if (weights_complete(count)) continue;
    position_ = std::min(position_, weight_positions_[count - 1]);
    break;
  }
  if (arguments_.timeout == 0) {
    status_ = Status::Stuck;
  } else {
    fail(abi::ErrorTimeout, arguments_.timeout);
  }
}

/// The register of the first argument that is not acceptable.
std::optional<std::uint32_t> ListRunner::wrong_argument() const {
  constexpr std::uint32_t Stride = abi::RegInputAddress - abi::RegProgramAddress;
  constexpr std::uint32_t Size = abi::RegProgramBytes - abi::RegProgramAddress;
  for (std::uint32_t i = 0; i < abi::Windows; ++i) {
    const std::uint32_t address = abi::RegProgramAddress + i * Stride;
    if (arguments_.windows[i].address % 4096 != 0) return address;
    if (arguments_.windows[i].bytes % abi::BeatBytes != 0) return address + Size;
  }
  if (arguments_.command_count == 0) return abi::RegCommandCount;
  return {};
}

void ListRunner::start(const Arguments& arguments) {
  arguments_ = arguments;
  fault_ = {};
  traffic_ = {};
  completed_ = {};
  position_ = 0;
  pushed_lines_.assign(1, 0);
  pushed_slots_.assign(1, 0);
  weight_positions_.clear();
  consumed_lines_ = 0;
  consumed_slots_ = 0;
  array_.drop_lines();
  status_ = Status::Running;
  if (const auto wrong = wrong_argument()) fail(abi::ErrorArgument, *wrong);
}

/// The command at position_. The machine fetches FetchDepth commands ahead in bursts, so a list that runs off its
/// window fails at a burst, and before the last commands inside the window have run.
const std::uint8_t* ListRunner::fetch() {
  const std::uint64_t beat = std::uint64_t{arguments_.command_offset} + position_;
  if (position_ == 0 || beat % abi::BurstBeats == 0) {
    const std::uint64_t left = arguments_.command_count - position_;
    const auto burst_beats = [&](std::uint64_t ahead) {
      return std::min(left - ahead, abi::BurstBeats - (beat + ahead) % abi::BurstBeats);
    };
    for (std::uint64_t ahead = 0; ahead < std::min<std::uint64_t>(left, abi::FetchDepth); ahead += burst_beats(ahead)) {
      if (outside(arguments_.windows[abi::WindowProgram], beat + ahead, burst_beats(ahead))) return nullptr;
    }
    fetched_ = access(abi::WindowProgram, beat, burst_beats(0), Direction::Read);
    fetched_from_ = position_;
  }
  return fetched_ == nullptr ? nullptr : fetched_ + std::size_t{position_ - fetched_from_} * abi::BeatBytes;
}

/// The run ends once every command is complete: those of the weight unit have their lines and slots in place.
void ListRunner::finish() {
  if (weights_complete(pushed_lines_.size() - 1)) {
    status_ = Status::Done;
  } else {
    wait_forever();
  }
}

ListRunner::Status ListRunner::step() {
  if (status_ != Status::Running) return status_;
  const std::uint8_t* bytes = fetch();
  if (bytes == nullptr) return status_;
  const abi::Command command = abi::decode(std::span<const std::uint8_t, abi::BeatBytes>(bytes, abi::BeatBytes));
  if (const auto fault = check_fields(command, array_.configuration())) {
    fail(fault->code, fault->detail);
  } else if (!wait_satisfiable(command)) {
    wait_forever();
  } else {
    execute(command);
  }
  if (status_ == Status::Running && ++position_ == arguments_.command_count) finish();
  return status_;
}

/// All that a command waits for stands before it, and the weight commands among it found room: the weight unit only
/// completes a command once its lines are in the store, which holds line_depth of them beyond those consumed.
bool ListRunner::wait_satisfiable(const abi::Command& command) const {
  if (command.wait_load > completed_.loads || command.wait_weight > completed_.weights ||
      command.wait_compute > completed_.computes || command.wait_store > completed_.stores) {
    return false;
  }
  return weights_complete(command.wait_weight);
}

/// Whether the lines and slots of the first `count` weight commands have found room.
bool ListRunner::weights_complete(std::size_t count) const {
  return pushed_lines_[count] <= consumed_lines_ + array_.configuration().line_depth &&
         pushed_slots_[count] <= consumed_slots_ + abi::VectorDepth;
}

/// Whether a burst leaves its window; if so, fail().
bool ListRunner::outside(const Arguments::Window& window, std::uint64_t beat, std::uint64_t beats) {
  if ((beat + beats) * abi::BeatBytes <= window.bytes) return false;
  fail(abi::ErrorWindow, static_cast<std::uint32_t>(beat));
  return true;
}

/// One burst of a transfer: at most BurstBeats, inside 1 KiB. Returns its bytes, or nullptr after fail().
std::uint8_t* ListRunner::burst(const Arguments::Window& window, std::uint64_t beat, std::uint64_t beats,
                                Direction direction) {
  const bool writes = direction == Direction::Write;
  if (outside(window, beat, beats)) return nullptr;
  const std::uint64_t address = window.address + beat * abi::BeatBytes;
  const std::uint64_t bytes = beats * abi::BeatBytes;
  const auto fault = memory_.fault(address, bytes, writes);
  std::uint8_t* data = memory_.find(address, bytes);
  if (fault == MemoryFaultKind::NoAnswer) {
    wait_forever();
    return nullptr;
  }
  if (fault || data == nullptr) {
    fail(writes ? abi::ErrorWriteResponse : abi::ErrorReadResponse, ResponseSlaveError);
    return nullptr;
  }
  (writes ? traffic_.write_beats : traffic_.read_beats) += beats;
  return data;
}

/// Checks a run of beats burst by burst. Returns its first byte if all of it is accessible, or nullptr after fail().
std::uint8_t* ListRunner::access(unsigned window, std::uint64_t beat, std::uint64_t beats, Direction direction) {
  const Arguments::Window& bounds = arguments_.windows[window];
  std::uint8_t* first = nullptr;
  for (std::uint64_t done = 0; done < beats;) {
    const std::uint64_t at = beat + done;
    const std::uint64_t count = std::min(beats - done, abi::BurstBeats - at % abi::BurstBeats);
    std::uint8_t* data = burst(bounds, at, count, direction);
    if (data == nullptr) return nullptr;
    if (first == nullptr) first = data;
    if (data != first + done * abi::BeatBytes) {  // continues in another allocation
      fail(abi::ErrorReadResponse, ResponseSlaveError);
      return nullptr;
    }
    done += count;
  }
  return first;
}

void ListRunner::execute(const abi::Command& command) {
  switch (command.opcode) {
    case abi::OpLoad:
      return load(command);
    case abi::OpWeight:
      return weight(command);
    case abi::OpCompute:
      return compute(command);
    case abi::OpStore:
      return store(command);
    default:
      return;  // OpMark: without a clock every stamp is 0
  }
}

void ListRunner::load(const abi::Command& command) {
  for (std::uint32_t plane = 0; plane < command.planes; ++plane) {
    const std::uint32_t beat = command.offset + plane * command.pitch;
    const std::uint8_t* bytes = access(command.window, beat, command.run, Direction::Read);
    if (bytes == nullptr) return;
    const std::span<const std::uint8_t> words(bytes, std::size_t{command.run} * abi::BeatBytes);
    if ((command.flags & abi::FlagReplicate) != 0) {
      array_.replicate_words(command.address / abi::Banks + plane * (command.word_pitch / abi::Banks), words);
    } else {
      array_.write_words(command.address + plane * command.word_pitch, words);
    }
  }
  ++completed_.loads;
}

void ListRunner::weight(const abi::Command& command) {
  const std::uint8_t* bytes = access(command.window, command.offset, command.run, Direction::Read);
  if (bytes == nullptr) return;
  const Array::Stored stored = array_.write_weights(command, {bytes, std::size_t{command.run} * abi::BeatBytes});
  pushed_lines_.push_back(pushed_lines_.back() + stored.lines);
  pushed_slots_.push_back(pushed_slots_.back() + stored.slots);
  weight_positions_.push_back(position_);
  ++completed_.weights;
}

/// The slots of a command of WeightsVector and the lines of others come in order, but the weight unit may be stopped by
/// what no other command takes.
bool ListRunner::weights_arrive(const std::vector<std::uint64_t>& pushed, std::uint64_t needed) const {
  const auto last = std::lower_bound(pushed.begin(), pushed.end(), needed);
  if (last == pushed.end()) return false;
  const auto before = static_cast<std::size_t>(std::max<std::ptrdiff_t>(last - pushed.begin(), 1)) - 1;
  const bool vector = &pushed == &pushed_slots_;
  return vector ? pushed_lines_[before] <= consumed_lines_ + array_.configuration().line_depth
                : pushed_slots_[before] <= consumed_slots_ + abi::VectorDepth;
}

void ListRunner::compute(const abi::Command& command) {
  const std::uint64_t lines = chunk_lines(command, array_.configuration());
  const std::uint64_t slots = command.weights == abi::WeightsVector ? command.slots : 0;
  const bool arrive = slots > 0 ? weights_arrive(pushed_slots_, consumed_slots_ + slots)
                                : weights_arrive(pushed_lines_, consumed_lines_ + lines);
  if (!arrive) {
    consumed_lines_ += slots > 0 ? 0 : array_.queued_lines();  // and starves then
    consumed_slots_ += slots > 0 ? array_.queued_slots() : 0;
    return wait_forever();
  }
  const Array::ComputeResult result = array_.compute(command);
  if (!result.finished) return wait_forever();
  traffic_.macs += result.macs;
  consumed_lines_ += lines;
  consumed_slots_ += slots;
  ++completed_.computes;
}

void ListRunner::store(const abi::Command& command) {
  for (std::uint32_t plane = 0; plane < command.planes; ++plane) {
    const std::uint32_t beat = command.offset + plane * command.pitch;
    std::uint8_t* bytes = access(command.window, beat, command.run, Direction::Write);
    if (bytes == nullptr) return;
    array_.read_words(command.address + plane * command.word_pitch, {bytes, std::size_t{command.run} * abi::BeatBytes});
  }
  ++completed_.stores;
}

}  // namespace espalier::functional
