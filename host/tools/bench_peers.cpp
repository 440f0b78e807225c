#include "bench_peers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backends.hpp"
#include "commands.hpp"
#include "esp_error.hpp"
#include "layer_case.hpp"
#include "model_options.hpp"
#include "options.hpp"
#include "peers.hpp"
#include "run/report.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

struct PeersOptions {
  ModelOptions model;
  std::string device = "rtl";
  std::uint64_t seed = 1;
};

/// What a layer needs at least, and which resource needs it.
struct Limit {
  const char* name = "compute";
  std::uint64_t cycles = 0;
};

struct Measured {
  const PeerRow* row = nullptr;
  run::Totals totals;
  bool bit_exact = false;
  double utilisation = 0;
  Limit limit;
  double ratio = 0;  // cycles of the peer over ours; without them our share of the peak over the peer's

  std::uint64_t cycles() const { return totals.measured_cycles.value_or(totals.predicted_cycles); }
  bool won() const { return ratio > 1; }
};

/// All multipliers busy, all bytes moved in the busier direction, or all results written.
Limit limit_of(const LayerCase& layer, const run::Totals& totals, const CompileSettings& settings) {
  const abi::Configuration& array = layer.executable.compiled.configuration;
  const auto divided = [](std::uint64_t value, std::uint64_t by) { return (value + by - 1) / by; };
  const auto macs = static_cast<std::uint64_t>(totals.macs);
  const std::uint64_t moved = std::max(totals.dram_read_bytes, totals.dram_write_bytes);
  const std::array limits{Limit{"compute", divided(macs, std::uint64_t{array.lanes} * array.pixels)},
                          Limit{"memory", divided(moved, settings.memory.bytes)},
                          Limit{"output", divided(layer.expected.size(), std::uint64_t{array.pixels} * array.writers)}};
  return *std::max_element(limits.begin(), limits.end(),
                           [](const Limit& a, const Limit& b) { return a.cycles < b.cycles; });
}

Measured measure(const PeerRow& row, const PeersOptions& options, const CompileSettings& settings, Console& console) {
  const LayerCase layer = make_layer_case(std::string(row.layer), options.seed, settings, console);
  BackendOptions backend;
  backend.device = parse_device(options.device);
  backend.configuration = layer.executable.compiled.configuration;
  set_memory(backend, settings);
  const std::unique_ptr<driver::Bus> bus = open_bus(backend);
  driver::Device device(*bus);
  run::Session session(device, layer.executable, {device_text(backend.device), settings.memory, {}});
  const run::FeatureRun result = session.run_features(layer.inputs);
  Measured measured;
  measured.row = &row;
  measured.totals = result.report.totals;
  measured.bit_exact = result.features.front() == layer.expected;
  measured.utilisation = run::utilisation(measured.totals.macs, measured.cycles(), backend.configuration);
  measured.limit = limit_of(layer, measured.totals, settings);
  measured.ratio = row.cycles ? static_cast<double>(*row.cycles) / static_cast<double>(measured.cycles())
                              : measured.utilisation / row.utilisation;
  return measured;
}

Json row_json(const Measured& measured) {
  const PeerRow& row = *measured.row;
  Json json;
  json["layer"] = row.title;
  json["text"] = row.layer;
  json["macs"] = measured.totals.macs;
  json["peer"] = row.peer->name;
  json["peer_cycles"] = cycles_json(row.cycles);
  json["peer_utilisation"] = row.utilisation;
  json["predicted_cycles"] = measured.totals.predicted_cycles;
  json["measured_cycles"] = cycles_json(measured.totals.measured_cycles);
  json["utilisation"] = measured.utilisation;
  json["dram_read_bytes"] = measured.totals.dram_read_bytes;
  json["dram_write_bytes"] = measured.totals.dram_write_bytes;
  json["bound"] = measured.limit.name;
  json["bound_cycles"] = measured.limit.cycles;
  json["ratio"] = measured.ratio;
  json["won"] = measured.won();
  json["bit_exact"] = measured.bit_exact;
  return json;
}

std::string table_text(const std::vector<Measured>& rows) {
  Table table({{"layer", Align::Left},
               {"MACs"},
               {"peer", Align::Left},
               {"its cycles"},
               {"used"},
               {"predicted"},
               {"measured"},
               {"used"},
               {"bound", Align::Left},
               {"its cycles"},
               {"ratio"},
               {"", Align::Left}});
  for (const Measured& measured : rows) {
    const PeerRow& row = *measured.row;
    table.add({std::string(row.title), grouped(static_cast<std::uint64_t>(measured.totals.macs)),
               std::string(row.peer->name), cycles_text(row.cycles), percent(row.utilisation),
               grouped(measured.totals.predicted_cycles), cycles_text(measured.totals.measured_cycles),
               percent(measured.utilisation), measured.limit.name, grouped(measured.limit.cycles),
               fmt::format("{:.2f}", measured.ratio),
               measured.won() ? "" : fmt::format("not won: {} bound", measured.limit.name)});
  }
  return table.text();
}

/// Every peer once, in the order of the rows.
std::vector<const Peer*> peers() {
  std::vector<const Peer*> result;
  for (const PeerRow& row : peer_rows()) {
    if (std::find(result.begin(), result.end(), row.peer) == result.end()) result.push_back(row.peer);
  }
  return result;
}

void bench_peers(const PeersOptions& options, Console& console) {
  const CompileSettings settings = parse_compile_settings(options.model);
  std::vector<Measured> rows;
  for (const PeerRow& row : peer_rows()) {
    console.progress(fmt::format("layer {} of {}: {}", rows.size() + 1, peer_rows().size(), row.title));
    rows.push_back(measure(row, options, settings, console));
  }
  const auto won =
      static_cast<std::size_t>(std::count_if(rows.begin(), rows.end(), [](const auto& r) { return r.won(); }));
  Json json = document("bench peers");
  json["device"] = device_text(parse_device(options.device));
  json["array"] = array_text(settings.array.value_or(abi::Array16x16));
  json["memory"] = memory_json(settings);
  json["peers"] = Json::array();
  std::string text = table_text(rows);
  text += fmt::format("\n{} of {} rows are won on {} with {} bytes per cycle and a latency of {} cycles.\n", won,
                      rows.size(), json["array"].get<std::string>(), settings.memory.bytes, settings.memory.latency);
  text += "Cycles are compared where the peer's are known, else shares of the peak.\n";
  for (const Peer* peer : peers()) {
    json["peers"].push_back({{"name", peer->name}, {"multipliers", peer->multipliers}, {"source", peer->source}});
    text += fmt::format("{}: {}\n", peer->name, peer->source);
  }
  json["rows"] = Json::array();
  for (const Measured& row : rows) json["rows"].push_back(row_json(row));
  json["rows_won"] = won;
  console.report(json, text);
  for (const Measured& row : rows) {
    if (!row.bit_exact)
      throw Error(ErrorCode::Mismatch, "outputs differ from the CPU reference", std::string(row.row->layer),
                  "seed " + std::to_string(options.seed), "report this with the command used");
  }
}

}  // namespace

void add_bench_peers(CLI::App& bench, Console& console) {
  CLI::App* command = bench.add_subcommand(
      "peers", "layers on which other accelerators were measured: their cycles or shares of the peak, and ours");
  const auto options = std::make_shared<PeersOptions>();
  options->model.array = "8x8";
  options->model.memory = "bytes=8,latency=20";
  add_array_options(*command, options->model);
  command->add_option("-d,--device", options->device, "functional, rtl, xrt or xrt:N")->capture_default_str();
  command->add_option("--seed", options->seed, "of weights and inputs")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  add_console_options(*command, console);
  command->footer(
      "The array is 8x8 and the memory bytes=8,latency=20 unless told otherwise, as those of the peers.\n"
      "Examples:\n  espalier bench peers\n  espalier bench peers --device functional --json");
  command->callback([options, &console] { bench_peers(*options, console); });
}

}  // namespace espalier::tools
