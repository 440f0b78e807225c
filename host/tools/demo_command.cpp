// `espalier demo`: handwritten digits on the accelerator, with what was predicted and what was measured.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>

#include "backends.hpp"
#include "commands.hpp"
#include "digit_art.hpp"
#include "esp_error.hpp"
#include "executable_path.hpp"
#include "files.hpp"
#include "html_report.hpp"
#include "idx.hpp"
#include "model_loader.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

struct DemoOptions {
  ModelOptions model;
  std::string folder;
  std::string device = "xrt";
  std::string report;
  std::int64_t images = 10;
};

struct Digits {
  std::vector<Sample> samples;        // of the network's input
  std::vector<AnsweredImage> images;  // answers are filled in by the run
};

Digits read_digits(const std::filesystem::path& folder, const InputShape& shape, std::int64_t count) {
  const std::filesystem::path image_file = folder / "images.idx3-ubyte";
  const std::filesystem::path label_file = folder / "labels.idx1-ubyte";
  const model::Array pixels = parse_idx(read_file(image_file), image_file.string());
  const model::Array labels = parse_idx(read_file(label_file), label_file.string());
  if (pixels.shape.size() != 3 || labels.shape.size() != 1 || labels.shape[0] != pixels.shape[0])
    throw Error(ErrorCode::Input, "images and labels do not belong together", folder.string(),
                model::to_string(pixels.shape) + " and " + model::to_string(labels.shape),
                "give the folder of the shipped digits");
  const std::vector<std::int64_t> levels = pixels.as_integers(), answers = labels.as_integers();
  Digits digits;
  InputOptions options;
  options.count = std::min<std::int64_t>(count, pixels.shape[0]);
  digits.samples = read_samples(image_file, shape, options);
  const auto size = static_cast<std::size_t>(pixels.shape[1] * pixels.shape[2]);
  for (std::size_t i = 0; i < digits.samples.size(); ++i) {
    AnsweredImage image;
    image.height = static_cast<int>(pixels.shape[1]);
    image.width = static_cast<int>(pixels.shape[2]);
    for (std::size_t p = 0; p < size; ++p) image.pixels.push_back(static_cast<std::uint8_t>(levels[i * size + p]));
    image.truth = std::to_string(answers[i]);
    digits.images.push_back(std::move(image));
  }
  return digits;
}

std::string answer(const run::Output& output) {
  const auto most = std::max_element(output.values.begin(), output.values.end());
  return std::to_string(most - output.values.begin());
}

run::Executable prepare(const std::string& file, const DemoOptions& options, Console& console) {
  ModelOptions source;
  source.path = (std::filesystem::path(options.folder) / file).string();
  const QuantisedModel model = import_model(source, {}, console);
  run::Executable executable = compile_model(model, parse_compile_settings(options.model), console);
  executable.name = std::filesystem::path(file).stem().string();
  return executable;
}

// Runs the first `count` digits and fills in the answers; returns the report of the last run.
run::RunReport classify(run::Session& session, Digits& digits, std::size_t count, Console& console) {
  run::RunReport report;
  for (std::size_t i = 0; i < count; ++i) {
    report = session.run(std::vector<std::vector<float>>{digits.samples[i].values});
    digits.images[i].answer = answer(report.outputs.front());
    console.progress(fmt::format("image {:>2}: answer {}, label {}; predicted {} cycles, measured {}", i,
                                 digits.images[i].answer, digits.images[i].truth,
                                 grouped(report.totals.predicted_cycles), cycles_text(report.totals.measured_cycles)));
  }
  return report;
}

std::uint64_t cycles(const run::Totals& totals) { return totals.measured_cycles.value_or(totals.predicted_cycles); }

void execute(const DemoOptions& options, Console& console) {
  if (options.images < 1)
    throw Error(ErrorCode::Usage, "no image to classify", "--images", std::to_string(options.images),
                "give at least 1");
  const CompileSettings settings = parse_compile_settings(options.model);
  BackendOptions backend;
  backend.device = parse_device(options.device);
  backend.configuration = settings.array.value_or(abi::Array16x16);
  set_memory(backend, settings);
  const run::Executable pruned = prepare("digits_pruned_int8.onnx", options, console);
  const run::Executable dense = prepare("digits_dense_int8.onnx", options, console);
  Digits digits = read_digits(options.folder, input_shapes(pruned.ports).front(), options.images);

  const std::unique_ptr<driver::Bus> bus = open_bus(backend);
  driver::Device device(*bus);
  console.progress("opened " + device.name());
  const run::Settings run_settings{device_text(backend.device), settings.memory, {}};
  HtmlContents contents;
  contents.title = "Espalier: handwritten digits";
  contents.memory = settings.memory;
  run::Session session(device, pruned, run_settings);
  contents.report = classify(session, digits, digits.images.size(), console);
  contents.images = digits.images;
  console.progress("the dense network, for comparison");
  run::Session dense_session(device, dense, run_settings);
  Digits first = digits;
  contents.dense = DenseComparison{dense.name, classify(dense_session, first, 1, console).totals};

  const double speed_up = static_cast<double>(cycles(contents.dense->totals)) /
                          static_cast<double>(std::max<std::uint64_t>(cycles(contents.report.totals), 1));
  const auto right = std::count_if(digits.images.begin(), digits.images.end(),
                                   [](const AnsweredImage& image) { return image.right(); });
  Json json = document("demo");
  add_report(json, contents.report);
  json["answers"] = Json::array();
  for (const AnsweredImage& image : digits.images)
    json["answers"].push_back({{"answer", image.answer}, {"label", image.truth}});
  json["right"] = right;
  json["dense_cycles"] = cycles(contents.dense->totals);
  json["speed_up"] = speed_up;
  std::string text = "\n" + image_gallery(digits.images, 5) + layer_table(contents.report);
  text += fmt::format(
      "\n{} of {} answers right. Pruned {} cycles, dense {} cycles on the same {} array: {:.2f} times faster.\n", right,
      digits.images.size(), grouped(cycles(contents.report.totals)), grouped(cycles(contents.dense->totals)),
      array_text(backend.configuration), speed_up);
  if (contents.report.totals.measured_cycles)
    text += *contents.report.totals.measured_cycles == contents.report.totals.predicted_cycles
                ? "Measured cycles equal predicted cycles.\n"
                : "Measured cycles DIFFER from predicted cycles.\n";
  if (!options.report.empty()) {
    write_file(options.report, html_report(contents));
    text += "Report: " + options.report + "\n";
  }
  console.report(json, text);
}

}  // namespace

void add_demo(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("demo", "classify handwritten digits with the pruned network on the card");
  const auto options = std::make_shared<DemoOptions>();
  options->folder = shipped_file("digits").string();
  add_array_options(*command, options->model);
  command->add_option("--digits", options->folder, "folder with the networks, images and labels")
      ->capture_default_str();
  command->add_option("-d,--device", options->device, "functional, rtl, xrt or xrt:N")->capture_default_str();
  command->add_option("--images", options->images, "how many")->capture_default_str();
  command->add_option("--report", options->report, "write an HTML report to this file");
  add_console_options(*command, console);
  command->footer("Examples:\n  espalier demo --report demo.html\n  espalier demo --device functional --images 100");
  command->callback([options, &console] { execute(*options, console); });
}

}  // namespace espalier::tools
