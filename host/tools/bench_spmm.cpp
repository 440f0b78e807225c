#include "bench_spmm.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "backends.hpp"
#include "commands.hpp"
#include "esp_error.hpp"
#include "files.hpp"
#include "matrix/matrix_market.hpp"
#include "matrix/product.hpp"
#include "model_loader.hpp"
#include "table.hpp"
#include "zoo/random.hpp"

namespace espalier::tools {
namespace {

struct SpmmOptions {
  ModelOptions model;
  std::string file;
  std::string device = "rtl";
  int columns = 1;
  bool quantise = false;
  std::uint64_t seed = 1;
};

struct SpmmReport {
  matrix::IntegerMatrix integers;
  std::string field, symmetry;
  std::size_t pieces = 0;
  bool exact_sums = false;
  matrix::ProductCost cost;
  std::uint64_t multiplier_limit_cycles = 0;
  std::optional<std::uint64_t> measured_cycles;
  bool bit_exact = false;

  std::uint64_t cycles() const { return measured_cycles.value_or(cost.predicted_cycles); }
  std::uint64_t limit() const { return std::max(multiplier_limit_cycles, cost.memory_limit_cycles); }
};

double share(double part, double whole) { return whole > 0 ? part / whole : 0.0; }

matrix::MarketMatrix read_market(const std::string& file) {
  const std::vector<std::uint8_t> bytes = read_file(file);
  return matrix::read_matrix_market({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, file);
}

std::unique_ptr<driver::Bus> open_device(const SpmmOptions& options, const CompileSettings& settings) {
  BackendOptions backend;
  backend.device = parse_device(options.device);
  backend.configuration = settings.array.value_or(abi::Array16x16);
  set_memory(backend, settings);
  return open_bus(backend);
}

std::vector<std::int8_t> random_operand(std::size_t elements, std::uint64_t seed) {
  zoo::Random random(seed);
  std::vector<std::int8_t> operand(elements);
  for (std::int8_t& value : operand) value = static_cast<std::int8_t>(random.between(-128, 127));
  return operand;
}

SpmmReport measure(const SpmmOptions& options, const CompileSettings& settings, Console& console) {
  SpmmReport report;
  const matrix::MarketMatrix market = read_market(options.file);
  report.field = market.field;
  report.symmetry = market.symmetry;
  report.integers = matrix::to_integers(
      market, options.quantise ? matrix::Quantisation::PerRow : matrix::Quantisation::Refused, options.file);
  const matrix::SparseMatrix& matrix = report.integers.matrix;

  matrix::ProductOptions product_options;
  product_options.configuration = settings.array.value_or(abi::Array16x16);
  product_options.count = options.columns;
  product_options.compile.memory = settings.memory;
  product_options.compile.mode = settings.weights;
  product_options.compile.weight_format = settings.weight_format;
  product_options.compile.split = settings.split;
  product_options.progress = [&console](std::size_t piece, std::size_t pieces) {
    console.progress(fmt::format("compiling piece {} of {}", piece + 1, pieces));
  };
  // Sizes are refused before an operand of that size exists.
  matrix::cut(matrix, options.columns, product_options.configuration);
  const std::vector<std::int8_t> operand = random_operand(
      static_cast<std::size_t>(matrix.columns) * static_cast<std::size_t>(options.columns), options.seed);
  product_options.bounds = matrix::operand_bounds(matrix, operand, options.columns);
  const matrix::Product product(matrix, std::move(product_options));
  report.pieces = product.pieces().size();
  report.exact_sums = product.exact();
  report.cost = product.cost();
  report.multiplier_limit_cycles = product.multiplier_limit_cycles();

  const std::unique_ptr<driver::Bus> bus = open_device(options, settings);
  driver::Device device(*bus);
  console.progress(fmt::format("running {} cycles on {}", grouped(report.cost.predicted_cycles), device.name()));
  const matrix::ProductRun run = product.run(device, operand);
  report.measured_cycles = run.measured_cycles;
  report.bit_exact = run.values == product.reference(operand);
  return report;
}

Json to_json(const SpmmOptions& options, const CompileSettings& settings, const SpmmReport& report) {
  const matrix::SparseMatrix& matrix = report.integers.matrix;
  const abi::Configuration array = settings.array.value_or(abi::Array16x16);
  const double nonzeros = static_cast<double>(matrix.nonzeros());
  Json json = document("bench spmm");
  json["file"] = options.file;
  json["field"] = report.field;
  json["symmetry"] = report.symmetry;
  json["device"] = device_text(parse_device(options.device));
  json["array"] = array_text(array);
  json["memory"] = memory_json(settings);
  json["rows"] = matrix.rows;
  json["columns"] = matrix.columns;
  json["nonzeros"] = matrix.nonzeros();
  json["density"] = share(nonzeros, static_cast<double>(matrix.rows) * matrix.columns);
  json["operand_columns"] = options.columns;
  json["seed"] = options.seed;
  json["quantised_rows"] = report.integers.quantised_rows;
  json["quantisation_error"] = report.integers.relative_error;
  json["quantised_to_zero"] = report.integers.lost;
  json["result"] = "int8, requantised per row";
  json["exact_sums"] = report.exact_sums;
  json["pieces"] = report.pieces;
  json["predicted_cycles"] = report.cost.predicted_cycles;
  json["measured_cycles"] = cycles_json(report.measured_cycles);
  json["nonzero_utilisation"] =
      run::utilisation(static_cast<std::int64_t>(matrix.nonzeros()) * options.columns, report.cycles(), array);
  json["dram_read_bytes"] = report.cost.read_bytes;
  json["dram_write_bytes"] = report.cost.write_bytes;
  json["mac_limit_cycles"] = report.multiplier_limit_cycles;
  json["memory_limit_cycles"] = report.cost.memory_limit_cycles;
  json["limit"] = report.multiplier_limit_cycles > report.cost.memory_limit_cycles ? "mac" : "memory";
  json["limit_share"] = share(static_cast<double>(report.limit()), static_cast<double>(report.cycles()));
  json["bit_exact"] = report.bit_exact;
  return json;
}

std::string to_text(const Json& json) {
  Table table({{"", Align::Left}, {""}});
  const auto number = [&](const char* key) { return grouped(json[key].get<std::uint64_t>()); };
  table.add({"rows x columns", number("rows") + " x " + number("columns")});
  table.add({"non-zeros", number("nonzeros")});
  table.add({"density", percent(json["density"].get<double>())});
  table.add({"quantised rows", number("quantised_rows")});
  table.add({"columns of the operand", number("operand_columns")});
  table.add({"pieces", number("pieces")});
  table.add({"predicted cycles", number("predicted_cycles")});
  table.add({"measured cycles", json["measured_cycles"].is_null() ? "-" : number("measured_cycles")});
  table.add({"non-zero products of the array", percent(json["nonzero_utilisation"].get<double>())});
  table.add({"bytes read", number("dram_read_bytes")});
  table.add({"bytes written", number("dram_write_bytes")});
  table.add({"cycles, limit of the multipliers", number("mac_limit_cycles")});
  table.add({"cycles, limit of the memory", number("memory_limit_cycles")});
  table.add({"tighter limit / cycles", percent(json["limit_share"].get<double>())});
  table.add({"results", json["exact_sums"].get<bool>() ? "exact sums" : "int8, a scale per row"});
  table.add({"bits", json["bit_exact"].get<bool>() ? "exact" : "DIFFERENT"});
  return fmt::format("{} on {} {}\n{}", json["file"].get<std::string>(), json["device"].get<std::string>(),
                     json["array"].get<std::string>(), table.text());
}

void bench_spmm(const SpmmOptions& options, Console& console) {
  const CompileSettings settings = parse_compile_settings(options.model);
  parse_device(options.device);
  const SpmmReport report = measure(options, settings, console);
  const Json json = to_json(options, settings, report);
  console.report(json, to_text(json));
  if (!report.bit_exact)
    throw Error(ErrorCode::Mismatch, "results differ from the CPU reference", options.file,
                "seed " + std::to_string(options.seed), "report this with the command used");
}

}  // namespace

void add_bench_spmm(CLI::App& bench, Console& console) {
  CLI::App* command = bench.add_subcommand(
      "spmm", "a sparse matrix times random int8 columns: cycles, bytes and their limits, equality with the CPU");
  const auto options = std::make_shared<SpmmOptions>();
  command->add_option("FILE", options->file, "Matrix Market file: coordinate or array; integer, real or pattern")
      ->required();
  command->add_option("--columns", options->columns, "of the operand; 1 is a matrix times a vector")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  command->add_flag("--quantise", options->quantise,
                    "rows with values that are no int8 become int8, symmetric, their largest magnitude 127");
  command->add_option("-d,--device", options->device, "functional, rtl, xrt or xrt:N")->capture_default_str();
  command->add_option("--seed", options->seed, "of the operand")->check(CLI::NonNegativeNumber)->capture_default_str();
  add_array_options(*command, options->model);
  add_console_options(*command, console);
  command->footer(
      "The array sums in exact int32 and writes int8: a result is round(sum * scale of its row). Rows whose sums stay\n"
      "within 127 have the scale 1. The memory limit counts the bytes as moved, the MAC limit the non-zero products.\n"
      "Examples:\n"
      "  espalier bench spmm pruned.mtx --device rtl --array 16x16 --memory bytes=64,latency=40 --json\n"
      "  espalier bench spmm graph.mtx --columns 16 --device functional\n"
      "  espalier bench spmm real.mtx --quantise");
  command->callback([options, &console] { bench_spmm(*options, console); });
}

}  // namespace espalier::tools
