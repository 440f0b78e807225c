// Builds the program window: commands with their waits, weight streams and tables.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "compile/device_program.hpp"
#include "compile/hazards.hpp"
#include "esp_abi.hpp"

namespace espalier::compile {

/// Appends commands in program order and derives what they wait for. A command may only depend on earlier ones, so the
/// list can be dispatched in order without deadlock.
class ProgramBuilder {
 public:
  explicit ProgramBuilder(const abi::Configuration& configuration);

  /// The index that later commands carry for marks and error reports.
  void set_layer(int index) { layer_ = static_cast<std::uint16_t>(index); }

  /// What follows is started by itself when all before it is done: it waits for nothing of it and loads its own tables.
  void begin_stage();

  /// OpLoad or OpStore: planes of `run` beats between memory and scratchpad. A load that waits for so many weight
  /// commands leaves them the bandwidth.
  void load(abi::Command command, std::uint32_t after_weights = 0);
  void store(abi::Command command);

  /// OpWeight into a table, unless the table holds these entries already: returns the first of them. They are used
  /// before the next call.
  int row_table(std::span<const abi::Row> entries);
  /// The first entry is a multiple of every split.
  int scale_table(std::span<const abi::ScaleEntry> entries);
  int permute_table(std::span<const std::vector<std::uint8_t>> entries);
  /// Write programs that are used together, up to the next call; `next` counts from the start of each, 0 still ends a
  /// list.
  std::vector<int> program_tables(std::span<const std::vector<abi::ProgramEntry>> tables);

  /// OpWeight into the code table, from entry `first` on, unless it holds these entries already; returns
  /// its beats. Coded weights that follow are read with it: the weight unit runs its commands in order.
  std::uint32_t code_table(std::span<const std::uint32_t> entries, unsigned first);

  /// OpWeight into the weight store; offset, run and wait fields are filled in. Weights that wait for the loads so far
  /// leave them the bandwidth.
  void weights(abi::Command command, std::span<const std::uint8_t> bytes, bool after_loads);

  /// The tables that a compute command uses, as returned above.
  struct Tables {
    int row = 0;
    int scale = 0;
    int program = 0;
    int permute = 0;
  };

  /// OpCompute that reads and writes these words of the scratchpad; its first position is entry `first_entry` of the
  /// write program.
  void compute(abi::Command command, const Tables& tables, const std::vector<Region>& reads,
               const std::vector<Region>& writes, int first_entry = 0);

  /// OpMark with this index, when the last compute or store command so far has completed.
  void mark_compute(int index);
  void mark_store(int index);
  /// OpMark with this index, when all loads and weights so far have completed.
  void mark_inputs(int index);

  std::uint32_t count(Unit unit) const { return counts_[static_cast<std::size_t>(unit)]; }
  /// Beats moved so far by loads and weights, and by stores.
  std::uint64_t read_beats() const { return read_beats_; }
  std::uint64_t write_beats() const { return write_beats_; }

  /// Tables and streams first, then the commands.
  DeviceProgram link() const;

 private:
  void append(abi::Command command, Unit unit, const Waits& waits);
  std::uint32_t blob(std::span<const std::uint8_t> bytes);
  /// What a table is to hold: entries, those to allocate, and their bytes.
  struct TableContents {
    std::size_t entries = 0;
    int reserved = 0;
    std::span<const std::uint8_t> bytes;
  };
  int loaded(TableRing& ring, unsigned format, const TableContents& table);
  int program_table(std::span<const abi::ProgramEntry> entries, std::string contents);
  void table(std::uint8_t format, int first, std::size_t entries, std::span<const std::uint8_t> bytes,
             const Waits& waits);
  void mark(int index, const Waits& waits);

  abi::Configuration configuration_;
  std::uint16_t layer_ = 0;
  std::vector<std::size_t> stage_ends_;  // commands before each further stage
  std::vector<std::uint8_t> blobs_;
  std::map<std::string, std::uint32_t> known_blobs_;  // contents -> beat offset
  std::vector<abi::Command> commands_;
  std::array<std::uint32_t, 5> counts_{};
  std::uint32_t tables_loaded_ = 0;   // count of the last OpWeight into a table
  std::vector<std::uint32_t> codes_;  // in the code table, from entry codes_first_ on
  unsigned codes_first_ = 0;
  HazardTracker scratchpad_;
  std::array<HazardTracker, abi::Windows> windows_;
  TableRing row_ring_{static_cast<int>(abi::RowDepth)};
  TableRing scale_ring_{static_cast<int>(abi::ScaleDepth)};
  TableRing program_ring_;
  TableRing permute_ring_{static_cast<int>(abi::PermuteDepth)};
  std::uint64_t read_beats_ = 0;
  std::uint64_t write_beats_ = 0;
};

}  // namespace espalier::compile
