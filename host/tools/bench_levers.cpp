#include "bench_levers.hpp"

#include <fmt/format.h>

#include <map>
#include <memory>

#include "commands.hpp"
#include "esp_error.hpp"
#include "executable_path.hpp"
#include "lever_rows.hpp"
#include "model_loader.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

constexpr double Megahertz = 300;

struct LeverOptions {
  ModelOptions model;
  std::string folder = shipped_file("digits").string();
  std::string images, labels;  // empty: those of the folder
  int requests = 1000;
  std::uint64_t seed = 1;
};

plan::Nanoseconds nanoseconds(std::uint64_t cycles) {
  return static_cast<plan::Nanoseconds>(static_cast<double>(cycles) * 1000 / Megahertz);
}

void execute(const LeverOptions& options, Console& console) {
  const CompileSettings settings = parse_compile_settings(options.model);
  std::map<std::string, QuantisedModel> models;
  std::map<std::string, plan::Nanoseconds> bounds;
  for (const char* name : {"digits_pruned_int8.onnx", "digits_dense_int8.onnx"}) {
    ModelOptions source;
    source.path = (std::filesystem::path(options.folder) / name).string();
    models[name] = import_model(source, {}, console);
    bounds[name] =
        nanoseconds(static_cast<std::uint64_t>(compile_model(models[name], settings, console).compiled.total_cycles));
  }
  console.progress("answering");
  const auto file = [&](const std::string& chosen, const char* name) {
    return chosen.empty() ? std::filesystem::path(options.folder) / name : std::filesystem::path(chosen);
  };
  const std::vector<LeverRow> rows =
      lever_rows({file(options.images, "images.idx3-ubyte"), file(options.labels, "labels.idx1-ubyte"),
                  &models["digits_pruned_int8.onnx"], &models["digits_dense_int8.onnx"],
                  bounds["digits_pruned_int8.onnx"], bounds["digits_dense_int8.onnx"], options.requests, options.seed});

  Json json = document("bench levers");
  json["rows"] = Json::array();
  Table table({{"lever", Align::Left},
               {"setting", Align::Left},
               {"frames"},
               {"computed"},
               {"as if all"},
               {"right"},
               {"us per frame"},
               {"note", Align::Left}});
  for (const LeverRow& row : rows) {
    const double all = row.frames;
    json["rows"].push_back({{"lever", row.lever},
                            {"setting", row.setting},
                            {"frames", row.frames},
                            {"computed", row.computed},
                            {"same", row.same},
                            {"right", row.right},
                            {"microseconds_per_frame", row.microseconds_per_frame()},
                            {"note", row.note}});
    table.add({row.lever, row.setting, std::to_string(row.frames), percent(row.computed / all), percent(row.same / all),
               percent(row.right / all), fmt::format("{:.1f}", row.microseconds_per_frame()), row.note});
  }
  console.report(json, table.text());
}

}  // namespace

void add_bench_levers(CLI::App& bench, Console& console) {
  CLI::App* command = bench.add_subcommand("levers", "what cache, filter, model choice and rate adaptation save");
  const auto options = std::make_shared<LeverOptions>();
  command->add_option("--digits", options->folder, "folder of the shipped digits")->capture_default_str();
  command->add_option("--images", options->images, "IDX file of other images, 28x28, with --labels");
  command->add_option("--labels", options->labels, "IDX file of their labels");
  command->add_option("--requests", options->requests, "to cache, filter and choice")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--seed", options->seed, "of the streams")->capture_default_str();
  add_array_options(*command, options->model);
  add_console_options(*command, console);
  command->footer(
      "Examples:\n  espalier bench levers\n  espalier bench levers --array 8x8 --json\n"
      "  espalier bench levers --images t10k-images-idx3-ubyte --labels t10k-labels-idx1-ubyte --requests 10000");
  command->callback([options, &console] { execute(*options, console); });
}

}  // namespace espalier::tools
