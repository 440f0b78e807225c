#include "compile/program_builder.hpp"

#include <algorithm>

#include "compile/layout.hpp"
#include "compile/weight_code.hpp"
#include "esp_error.hpp"

namespace espalier::compile {
namespace {

constexpr std::size_t Beat = abi::BeatBytes;
constexpr std::uint32_t MostCommands = 1U << abi::CmdWaitBits;

std::uint32_t beats_of(std::size_t bytes) { return static_cast<std::uint32_t>((bytes + Beat - 1) / Beat); }

Region scratch_region(const abi::Command& command, unsigned words_per_beat) {
  if (command.opcode == abi::OpLoad && (command.flags & abi::FlagReplicate) != 0) words_per_beat *= abi::Banks;
  return {command.address, static_cast<std::int64_t>(command.run) * words_per_beat, command.word_pitch, command.planes};
}

Region memory_region(const abi::Command& command) {
  return {command.offset, command.run, command.pitch, command.planes};
}

}  // namespace

ProgramBuilder::ProgramBuilder(const abi::Configuration& configuration)
    : configuration_(configuration), program_ring_(static_cast<int>(configuration.program_depth)) {}

void ProgramBuilder::begin_stage() {
  stage_ends_.push_back(commands_.size());
  counts_ = {};
  tables_loaded_ = 0;
  codes_.clear();
  scratchpad_ = {};
  windows_ = {};
  row_ring_ = TableRing(static_cast<int>(abi::RowDepth));
  scale_ring_ = TableRing(static_cast<int>(abi::ScaleDepth));
  program_ring_ = TableRing(static_cast<int>(configuration_.program_depth));
  permute_ring_ = TableRing(static_cast<int>(abi::PermuteDepth));
}

void ProgramBuilder::append(abi::Command command, Unit unit, const Waits& waits) {
  command.layer = layer_;
  command.wait_load = waits.counts[0];
  command.wait_weight = waits.counts[1];
  command.wait_compute = waits.counts[2];
  command.wait_store = waits.counts[3];
  commands_.push_back(command);
  if (++counts_[static_cast<std::size_t>(unit)] >= MostCommands) {
    throw Error(ErrorCode::Unsupported, "the program has more commands for a unit than a wait field counts",
                "layer " + std::to_string(layer_), std::to_string(MostCommands), "use a larger array or a smaller map");
  }
}

void ProgramBuilder::load(abi::Command command, std::uint32_t after_weights) {
  command.opcode = static_cast<std::uint8_t>(abi::OpLoad);
  const std::vector<Region> words{scratch_region(command, configuration_.words_per_beat())};
  const std::vector<Region> beats{memory_region(command)};
  Waits waits = scratchpad_.waits(Unit::Load, {}, words);
  waits.on(Unit::Weight, after_weights);
  waits.merge(windows_[command.window].waits(Unit::Load, beats, {}));
  append(command, Unit::Load, waits);
  scratchpad_.record(Unit::Load, count(Unit::Load), {}, words);
  windows_[command.window].record(Unit::Load, count(Unit::Load), beats, {});
  read_beats_ += static_cast<std::uint64_t>(command.run) * command.planes;
}

void ProgramBuilder::store(abi::Command command) {
  command.opcode = static_cast<std::uint8_t>(abi::OpStore);
  const std::vector<Region> words{scratch_region(command, configuration_.words_per_beat())};
  const std::vector<Region> beats{memory_region(command)};
  Waits waits = scratchpad_.waits(Unit::Store, words, {});
  waits.merge(windows_[command.window].waits(Unit::Store, {}, beats));
  append(command, Unit::Store, waits);
  scratchpad_.record(Unit::Store, count(Unit::Store), words, {});
  windows_[command.window].record(Unit::Store, count(Unit::Store), {}, beats);
  write_beats_ += static_cast<std::uint64_t>(command.run) * command.planes;
}

std::uint32_t ProgramBuilder::blob(std::span<const std::uint8_t> bytes) {
  const std::string key(bytes.begin(), bytes.end());
  const auto [found, inserted] = known_blobs_.try_emplace(key, static_cast<std::uint32_t>(blobs_.size() / Beat));
  if (inserted) {
    blobs_.insert(blobs_.end(), bytes.begin(), bytes.end());
    blobs_.resize(beats_of(blobs_.size()) * Beat, 0);
  }
  return found->second;
}

void ProgramBuilder::table(std::uint8_t format, int first, std::size_t entries, std::span<const std::uint8_t> bytes,
                           const Waits& waits) {
  abi::Command command;
  command.opcode = static_cast<std::uint8_t>(abi::OpWeight);
  command.window = static_cast<std::uint8_t>(abi::WindowProgram);
  command.format = format;
  command.address = static_cast<std::uint16_t>(first);
  command.offset = blob(bytes);
  command.run = beats_of(bytes.size());
  command.items = static_cast<std::uint32_t>(entries);
  append(command, Unit::Weight, waits);
  tables_loaded_ = count(Unit::Weight);
  read_beats_ += command.run;
}

int ProgramBuilder::loaded(TableRing& ring, unsigned format, const TableContents& table) {
  std::string contents(table.bytes.begin(), table.bytes.end());
  if (const auto known = ring.find(contents)) return *known;
  Waits waits;
  const int first = ring.allocate(table.reserved, waits, std::move(contents));
  this->table(static_cast<std::uint8_t>(format), first, table.entries, table.bytes, waits);
  return first;
}

int ProgramBuilder::row_table(std::span<const abi::Row> entries) {
  std::vector<std::uint8_t> bytes(entries.size() * (abi::RowBits / 8));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    abi::set_bits(bytes, static_cast<unsigned>(i * abi::RowBits), abi::RowBits, abi::encode(entries[i]));
  }
  // Every table begins a group of entries, which are written at once.
  const int reserved = round_up(static_cast<int>(entries.size()), static_cast<int>(configuration_.max_split()));
  return loaded(row_ring_, abi::FormatRow, {entries.size(), reserved, bytes});
}

int ProgramBuilder::scale_table(std::span<const abi::ScaleEntry> entries) {
  const int split = static_cast<int>(configuration_.max_split());
  std::vector<std::uint8_t> bytes(entries.size() * (abi::ScaleBits / 8));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    abi::set_bits(bytes, static_cast<unsigned>(i * abi::ScaleBits), abi::ScaleBits, abi::encode(entries[i]));
  }
  const int reserved = round_up(static_cast<int>(entries.size()), split);
  return loaded(scale_ring_, abi::FormatScale, {entries.size(), reserved, bytes});
}

int ProgramBuilder::permute_table(std::span<const std::vector<std::uint8_t>> entries) {
  std::vector<std::uint8_t> bytes;
  for (const auto& entry : entries) bytes.insert(bytes.end(), entry.begin(), entry.end());
  return loaded(permute_ring_, abi::FormatPermute, {entries.size(), static_cast<int>(entries.size()), bytes});
}

std::vector<int> ProgramBuilder::program_tables(std::span<const std::vector<abi::ProgramEntry>> tables) {
  std::vector<std::string> contents;
  std::vector<int> firsts;
  for (const auto& entries : tables) {
    std::string& bytes = contents.emplace_back();
    for (const abi::ProgramEntry& entry : entries) {
      const auto bits = static_cast<std::uint64_t>(abi::encode(entry));
      for (unsigned byte = 0; byte < 8; ++byte) bytes.push_back(static_cast<char>(bits >> (8 * byte)));
    }
    if (const auto known = program_ring_.find(bytes)) firsts.push_back(*known);
  }
  // All of them are used together: those that are there must not make room for the others.
  if (firsts.size() == tables.size()) return firsts;
  firsts.clear();
  for (std::size_t i = 0; i < tables.size(); ++i) firsts.push_back(program_table(tables[i], std::move(contents[i])));
  return firsts;
}

int ProgramBuilder::program_table(std::span<const abi::ProgramEntry> entries, std::string contents) {
  Waits waits;
  const int first = program_ring_.allocate(static_cast<int>(entries.size()), waits, std::move(contents));
  std::vector<std::uint8_t> bytes(entries.size() * (abi::ProgramBits / 8));
  for (std::size_t i = 0; i < entries.size(); ++i) {
    abi::ProgramEntry entry = entries[i];
    if (entry.next != 0) entry.next = static_cast<std::uint16_t>(entry.next + first);
    abi::set_bits(bytes, static_cast<unsigned>(i * abi::ProgramBits), abi::ProgramBits, abi::encode(entry));
  }
  table(static_cast<std::uint8_t>(abi::FormatProgram), first, entries.size(), bytes, waits);
  return first;
}

std::uint32_t ProgramBuilder::code_table(std::span<const std::uint32_t> entries, unsigned first) {
  if (first == codes_first_ && std::equal(entries.begin(), entries.end(), codes_.begin(), codes_.end())) return 0;
  codes_first_ = first;
  codes_.assign(entries.begin(), entries.end());
  std::vector<std::uint8_t> bytes;
  for (const std::uint32_t entry : entries) {
    for (unsigned byte = 0; byte < 4; ++byte) bytes.push_back(static_cast<std::uint8_t>(entry >> (8 * byte)));
  }
  abi::Command command;
  command.format = static_cast<std::uint8_t>(abi::FormatCode);
  command.address = static_cast<std::uint16_t>(first);
  command.items = static_cast<std::uint32_t>(entries.size());
  weights(command, bytes, false);
  return beats_of(bytes.size());
}

void ProgramBuilder::weights(abi::Command command, std::span<const std::uint8_t> bytes, bool after_loads) {
  command.opcode = static_cast<std::uint8_t>(abi::OpWeight);
  command.window = static_cast<std::uint8_t>(abi::WindowProgram);
  command.offset = blob(bytes);
  command.run = beats_of(bytes.size());
  Waits waits;
  if (after_loads) waits.on(Unit::Load, count(Unit::Load));
  append(command, Unit::Weight, waits);
  read_beats_ += command.run;
}

void ProgramBuilder::compute(abi::Command command, const Tables& tables, const std::vector<Region>& reads,
                             const std::vector<Region>& writes, int first_entry) {
  command.opcode = static_cast<std::uint8_t>(abi::OpCompute);
  command.row = static_cast<std::uint16_t>(tables.row);
  command.scale = static_cast<std::uint16_t>(tables.scale);
  command.program = static_cast<std::uint16_t>(tables.program + first_entry);
  Waits waits = scratchpad_.waits(Unit::Compute, reads, writes);
  if (waits.drain) command.flags = static_cast<std::uint8_t>(command.flags | abi::FlagDrain);
  waits.on(Unit::Weight, tables_loaded_);
  append(command, Unit::Compute, waits);
  scratchpad_.record(Unit::Compute, count(Unit::Compute), reads, writes);
  row_ring_.use(tables.row, count(Unit::Compute));
  scale_ring_.use(tables.scale, count(Unit::Compute));
  program_ring_.use(tables.program, count(Unit::Compute));
  permute_ring_.use(tables.permute, count(Unit::Compute));
}

void ProgramBuilder::mark(int index, const Waits& waits) {
  abi::Command command;
  command.opcode = static_cast<std::uint8_t>(abi::OpMark);
  const std::uint16_t layer = layer_;
  layer_ = static_cast<std::uint16_t>(index);
  append(command, Unit::Mark, waits);
  layer_ = layer;
}

void ProgramBuilder::mark_compute(int index) {
  Waits waits;
  waits.on(Unit::Compute, count(Unit::Compute));
  mark(index, waits);
}

void ProgramBuilder::mark_store(int index) {
  Waits waits;
  waits.on(Unit::Compute, count(Unit::Compute));
  waits.on(Unit::Store, count(Unit::Store));
  mark(index, waits);
}

void ProgramBuilder::mark_inputs(int index) {
  Waits waits;
  waits.on(Unit::Load, count(Unit::Load));
  waits.on(Unit::Weight, tables_loaded_);
  mark(index, waits);
}

DeviceProgram ProgramBuilder::link() const {
  DeviceProgram program;
  program.image = blobs_;
  program.command_offset = static_cast<std::uint32_t>(blobs_.size() / Beat);
  program.command_count = static_cast<std::uint32_t>(commands_.size());
  std::vector<std::size_t> ends = stage_ends_;
  ends.push_back(commands_.size());
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    if (ends.size() > 1)
      program.stages.push_back(
          {program.command_offset + static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin)});
    begin = end;
  }
  for (const abi::Command& command : commands_) {
    const abi::Beat beat = abi::encode(command);
    program.image.insert(program.image.end(), beat.begin(), beat.end());
  }
  return program;
}

}  // namespace espalier::compile
