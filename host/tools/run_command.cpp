#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "backends.hpp"
#include "box_results.hpp"
#include "commands.hpp"
#include "esp_error.hpp"
#include "files.hpp"
#include "html_report.hpp"
#include "labels.hpp"
#include "model_loader.hpp"
#include "place_options.hpp"
#include "placement_report.hpp"
#include "plan/policy/frame_filter.hpp"
#include "run/mixed_session.hpp"
#include "run_exits.hpp"
#include "run_float.hpp"
#include "run_inputs.hpp"
#include "run_plan.hpp"
#include "run_remote.hpp"
#include "soc_backend.hpp"
#include "table.hpp"
#include "traffic_report.hpp"

namespace espalier::tools {
namespace {

struct RunOptions {
  ModelOptions model;
  InputTexts input_texts;
  std::vector<std::string> inputs;
  std::string device = "functional";
  std::string report;
  double stall = 0;
  std::string waves;
  std::string trace;
  std::string xclbin;
  std::uint32_t timeout = 1000000;
  PlaceTexts place;
  std::string timeline;
  std::size_t in_flight = 4;
  std::string labels;
  ResultTexts results;
  RemoteOptions remote;
  PlanRunOptions plan;
  std::optional<float> skip_unchanged;  // threshold
  ExitTexts exits;
  std::string answers;
};

std::string output_text(const run::Output& output, const std::vector<std::string>& labels) {
  constexpr std::size_t Shown = 5;
  std::string text = fmt::format("output {} {} {}:", output.name, output.type, model::to_string(output.shape));
  for (const std::size_t index : largest(output.values, Shown)) {
    const std::string name = index < labels.size() ? " " + labels[index] : "";
    text += fmt::format("  [{}]{} {:.6g}", index, name, output.values[index]);
  }
  return text + (output.values.size() > Shown ? "  ...\n" : "\n");
}

/// What is run: a program that was compiled before, or the plan of a model.
struct Subject {
  std::optional<run::Executable> executable;
  plan::MixedPlan plan;
  run::Ports ports;

  const std::string& name() const { return executable ? executable->name : plan.name; }
  const abi::Configuration& configuration() const {
    return executable ? executable->compiled.configuration : plan.configuration;
  }
  bool needs_device() const {
    return executable || std::any_of(plan.segments.begin(), plan.segments.end(), [](const plan::Segment& segment) {
             return segment.place == plan::Place::Accelerator;
           });
  }
};

Subject make_subject(const RunOptions& options, const CompileSettings& settings, const InputOptions& inputs,
                     Console& console) {
  Subject subject;
  if (is_compiled_file(options.model.path)) {
    if (options.place.given() || !options.timeline.empty())
      throw Error(ErrorCode::Usage, "a compiled file is one program: it is placed already and nothing overlaps",
                  options.model.path, {}, "give the model file");
    subject.executable = load_model(options.model, inputs, console).executable;
    subject.ports = subject.executable->ports;
    return subject;
  }
  QuantisedModel model = import_model(options.model, inputs, console);
  subject.plan = place_model(model, options.place, settings, false, console);
  subject.ports = std::move(model.ports);
  return subject;
}

BackendOptions backend_options(const RunOptions& options, const CompileSettings& settings,
                               const abi::Configuration& configuration, Console& console) {
  BackendOptions backend;
  backend.device = parse_device(options.device);
  backend.configuration = configuration;
  set_memory(backend, settings);
  backend.stall = options.stall;
  backend.waves = options.waves;
  backend.trace = options.trace;
  backend.progress = [&console](std::uint64_t cycles) { console.progress(grouped(cycles) + " cycles"); };
  backend.xclbin = options.xclbin;
  return backend;
}

/// The inputs of which nothing else has the answer, and for every input the index of the one in there that answers it.
struct FilteredInputs {
  std::vector<RunInput> computed;
  std::vector<std::size_t> answer;
};

FilteredInputs filter_inputs(const std::vector<RunInput>& inputs, const std::optional<float>& threshold) {
  FilteredInputs result;
  plan::FrameFilter state;
  for (const RunInput& input : inputs) {
    bool computed = true;
    if (threshold) {
      std::vector<float> frame;
      for (const std::vector<float>& values : input.values) frame.insert(frame.end(), values.begin(), values.end());
      plan::FrameDecision decision = plan::filter_frame({.threshold = *threshold}, std::move(state), frame);
      state = std::move(decision.state);
      computed = decision.action == plan::FrameAction::Infer;
    }
    if (computed) result.computed.push_back(input);
    result.answer.push_back(result.computed.size() - 1);
  }
  return result;
}

/// One report per input. Inputs of a plan overlap; a compiled program runs them one after the other.
std::vector<run::RunReport> run_all(const RunOptions& options, const Subject& subject, driver::Device* device,
                                    const run::Settings& settings, const std::vector<RunInput>& inputs,
                                    Console& console) {
  std::vector<run::RunReport> reports;
  if (subject.executable) {
    run::Session session(*device, *subject.executable, settings);
    for (const RunInput& input : inputs) {
      console.progress("running " + input.name);
      reports.push_back(session.run(input.values));
    }
    return reports;
  }
  run::MixedSettings mixed{settings, options.in_flight, [&](std::size_t done, std::size_t all) {
                             if (all > 1) console.progress(fmt::format("{} of {} frames", done, all));
                           }};
  run::MixedSession session(device, subject.plan, subject.ports, mixed);
  std::vector<std::vector<std::vector<float>>> frames;
  for (const RunInput& input : inputs) frames.push_back(input.values);
  console.progress(fmt::format("running {} frames", frames.size()));
  reports = session.run(frames);
  if (!options.timeline.empty()) {
    write_file(options.timeline, run::chrome_trace(session.timeline()));
    console.progress("wrote " + options.timeline);
  }
  return reports;
}

void add_outputs(Json& json, std::string& text, const std::vector<run::RunReport>& all, const FilteredInputs& filtered,
                 const std::vector<RunInput>& inputs, const RunOptions& options) {
  const std::vector<std::string> labels =
      options.labels.empty() ? std::vector<std::string>() : read_labels(options.labels);
  const bool largest = !options.labels.empty() || options.results.kind == "labels";
  json["outputs"] = Json::array();
  json["samples"] = Json::array();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const run::RunReport& report = all[filtered.answer[i]];
    const bool repeated = i > 0 && filtered.answer[i] == filtered.answer[i - 1];
    for (const run::Output& output : report.outputs) {
      Json& entry = json["outputs"].emplace_back(output_json(output));
      entry["sample"] = i;
      if (largest) entry["labels"] = labels_json(output, labels, 5);
      text += (inputs.size() > 1 ? inputs[i].name + ": " : "") + (repeated ? "unchanged, " : "") +
              output_text(output, labels);
    }
    json["samples"].push_back({{"name", inputs[i].name},
                               {"predicted_cycles", report.totals.predicted_cycles},
                               {"measured_cycles", cycles_json(report.totals.measured_cycles)}});
    if (repeated) json["samples"].back()["repeated"] = true;
  }
  if (filtered.computed.size() < inputs.size())
    text += fmt::format("{} of {} frames computed\n", filtered.computed.size(), inputs.size());
}

/// On a server, and with a deadline also on the device here.
void execute_remotely(const RunOptions& options, Console& console) {
  if (options.place.given() || !options.timeline.empty())
    throw Error(ErrorCode::Usage, "a server runs whole networks: nothing is placed", "--remote", options.remote.address,
                "leave out the options of placement");
  const InputOptions input_options = parse_input_options(options.input_texts);
  const CompileSettings settings = parse_compile_settings(options.model);
  RemoteOptions remote = options.remote;
  remote.clock = options.place.clock;
  const LoadedModel model = load_model(options.model, input_options, console);
  const std::vector<RunInput> inputs =
      read_run_inputs(options.inputs, input_shapes(model.executable.ports), input_options, "--input");
  if (options.remote.deadline.empty())
    return run_on_server(remote, {model.executable, inputs, nullptr, settings}, console);
  console.progress("opening " + options.device);
  const std::unique_ptr<driver::Bus> bus =
      open_bus(backend_options(options, settings, model.executable.compiled.configuration, console));
  driver::Device device(*bus);
  driver::Limits limits;
  limits.timeout_cycles = options.timeout;
  run::Session session(device, model.executable, {device_text(parse_device(options.device)), settings.memory, limits});
  run_on_server(remote, {model.executable, inputs, &session, settings}, console);
}

void execute_placed(const RunOptions& options, Console& console);

/// A network in float32 as it is; one that carries a quantisation with the bits of the accelerator.
void execute_on_cpu(RunOptions options, Console& console) {
  if (is_compiled_file(options.model.path))
    throw Error(ErrorCode::Usage, "a compiled file runs on a machine", options.model.path, "--device cpu",
                "give the model file, or --device functional");
  const InputOptions input_options = parse_input_options(options.input_texts);
  const std::optional<FloatResults> results = run_in_float(options.model, options.inputs, input_options, console);
  if (!results) {
    options.device = "functional";
    options.place.place = "cpu";
    return execute_placed(options, console);
  }
  Json json = document("run");
  json["device"] = "cpu";
  json["executor"] = results->executor;
  std::string text;
  add_outputs(json, text, results->reports, filter_inputs(results->inputs, {}), results->inputs, options);
  add_boxes(json, text, options.results,
            {results->reports, results->inputs, results->shapes, input_options, options.labels}, console);
  console.report(json, text);
}

/// The plan of espalier plan, on this device, the CPU and servers.
void execute_plan(const RunOptions& options, Console& console) {
  if (options.place.given())
    throw Error(ErrorCode::Usage, "the plan says where layers run", "--plan", options.plan.file,
                "leave out the options of placement");
  const InputOptions input_options = parse_input_options(options.input_texts);
  const CompileSettings settings = parse_compile_settings(options.model);
  if (is_compiled_file(options.model.path))
    throw Error(ErrorCode::Usage, "a compiled file has no layers to share", "--plan", options.model.path,
                "give the model file");
  const QuantisedModel model = import_model(options.model, input_options, console);
  const std::vector<RunInput> inputs =
      read_run_inputs(options.inputs, input_shapes(model.ports), input_options, "--input");
  driver::Limits limits;
  limits.timeout_cycles = options.timeout;
  RemoteOptions remote = options.remote;
  remote.clock = options.place.clock;
  PlanRunOptions plan = options.plan;
  plan.in_flight = options.in_flight;
  plan.timeline = options.timeline;
  run_plan(
      plan, remote,
      {model,
       inputs,
       settings,
       {device_text(parse_device(options.device)), settings.memory, limits},
       [&] { return open_bus(backend_options(options, settings, settings.array.value_or(abi::Array16x16), console)); }},
      console);
}

/// Exit by exit on the device here.
void execute_with_exits(const RunOptions& options, Console& console) {
  if (options.place.given() || !options.timeline.empty() || !options.remote.address.empty())
    throw Error(ErrorCode::Usage, "a network with exits runs on the accelerator alone", "--exits", options.exits.exits,
                "leave out the options of placement and servers");
  const InputOptions input_options = parse_input_options(options.input_texts);
  ModelOptions model_options = options.model;
  model_options.exits = true;
  const CompileSettings settings = parse_compile_settings(model_options);
  const LoadedModel model = load_model(model_options, input_options, console);
  const std::vector<RunInput> inputs =
      read_run_inputs(options.inputs, input_shapes(model.executable.ports), input_options, "--input");
  std::vector<std::int64_t> answers;
  if (!options.answers.empty()) answers = read_answers(options.answers, input_options.index.value_or(0), inputs.size());
  console.progress("opening " + options.device);
  const std::unique_ptr<driver::Bus> bus =
      open_bus(backend_options(options, settings, model.executable.compiled.configuration, console));
  driver::Device device(*bus);
  driver::Limits limits;
  limits.timeout_cycles = options.timeout;
  run_with_exits(options.exits,
                 {model.executable,
                  inputs,
                  std::move(answers),
                  device,
                  {device_text(parse_device(options.device)), settings.memory, limits}},
                 console);
}

void execute(const RunOptions& options, Console& console) {
  check_result_options(options.results);
  if (!options.plan.file.empty() && !options.exits.exits.empty())
    throw Error(ErrorCode::Usage, "a plan that runs has one exit", "--plan", options.plan.file, "leave out --exits");
  const bool elsewhere = !options.plan.file.empty() || !options.exits.exits.empty() ||
                         !options.remote.address.empty() || options.device == "cpu";
  if (options.skip_unchanged && elsewhere)
    throw Error(ErrorCode::Usage, "frames are filtered for the device here", "--skip-unchanged", options.device,
                "leave it out; a server keeps answers with espalier serve --cache-megabytes");
  if (!options.exits.exits.empty()) return execute_with_exits(options, console);
  if (!options.answers.empty() || !options.exits.policy.empty())
    throw Error(ErrorCode::Usage, "answers and policies belong to exits", "--exits", {}, "add --exits");
  if (!options.plan.file.empty()) return execute_plan(options, console);
  if (!options.remote.address.empty()) return execute_remotely(options, console);
  if (options.device == "cpu") return execute_on_cpu(options, console);
  execute_placed(options, console);
}

void execute_placed(const RunOptions& options, Console& console) {
  if (!options.remote.deadline.empty())
    throw Error(ErrorCode::Usage, "a deadline is kept between a server and this device", "--deadline",
                options.remote.deadline, "add --remote HOST:PORT");
  const DeviceChoice device_choice = parse_device(options.device, DeviceNames::MachinesAndCpu);
  const InputOptions input_options = parse_input_options(options.input_texts);
  const CompileSettings settings = parse_compile_settings(options.model);
  const Subject subject = make_subject(options, settings, input_options, console);
  const std::vector<RunInput> inputs =
      read_run_inputs(options.inputs, input_shapes(subject.ports), input_options, "--input");
  std::unique_ptr<driver::Bus> bus;
  std::optional<driver::Device> device;
  if (subject.needs_device()) {
    console.progress("opening " + device_text(device_choice));
    bus = open_bus(backend_options(options, settings, subject.configuration(), console));
    device.emplace(*bus);
  }
  driver::Limits limits;
  limits.timeout_cycles = options.timeout;
  const FilteredInputs filtered = filter_inputs(inputs, options.skip_unchanged);
  const std::vector<run::RunReport> reports =
      run_all(options, subject, device ? &*device : nullptr, {device_text(device_choice), settings.memory, limits},
              filtered.computed, console);

  Json json = document("run");
  add_report(json, reports.front());
  std::string text;
  add_outputs(json, text, reports, filtered, inputs, options);
  std::vector<run::RunReport> answers;  // one per input
  for (const std::size_t answer : filtered.answer) answers.push_back(reports[answer]);
  add_boxes(json, text, options.results, {answers, inputs, input_shapes(subject.ports), input_options, options.labels},
            console);
  if (!options.report.empty()) {
    write_file(options.report, html_report({"Espalier: " + subject.name(), reports.front(), {}, {}, settings.memory}));
    console.progress("wrote " + options.report);
  }
  text += "\n" + layer_table(reports.front());
  if (!subject.executable) json["placement"] = placement_json(subject.plan);
  if (!subject.executable && subject.plan.mixed())
    text += fallback_text(subject.plan) + "\n" + placement_table(subject.plan);
  if (const std::optional<soc::Report> traffic = bus ? traffic_of(*bus) : std::nullopt) {
    json["traffic"] = traffic_json(*traffic);
    text += "\n" + traffic_table(*traffic);
  }
  console.report(json, text);
}

}  // namespace

void add_run(CLI::App& app, Console& console) {
  CLI::App* command = app.add_subcommand("run", "run a network on a device");
  const auto options = std::make_shared<RunOptions>();
  add_model_options(*command, options->model);
  add_place_options(*command, options->place);
  command->add_option("--timeline", options->timeline,
                      "write what CPU and accelerator did, frame by frame, as a Chrome trace to this file");
  command->add_option("--in-flight", options->in_flight, "frames that are worked on at the same time")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command
      ->add_option(
          "--skip-unchanged", options->skip_unchanged,
          "repeat the last answer for inputs of which no stretch differs by more than this in the mean from the "
          "last one that was computed; 0: only equal inputs")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--labels", options->labels, "file of class names, one a line: names the largest values");
  add_result_options(*command, options->results);
  command->add_option("-i,--input", options->inputs, "files: .npy, .pb (TensorProto), IDX, PNG or JPEG")->required();
  add_input_options(*command, options->input_texts);
  command
      ->add_option("-d,--device", options->device,
                   "functional, rtl, soc, soc-rtl, xrt or xrt:N; cpu: no machine, networks in float32 as they are")
      ->capture_default_str();
  command->add_option("--report", options->report, "write an HTML report to this file");
  command->add_option("--stall", options->stall,
                      "probability per cycle that the memory of the RTL pauses: same bits, more cycles than predicted");
  command->add_option("--waves", options->waves, "write waveforms (FST) of the RTL to this file");
  command->add_option("--trace", options->trace, "write a Chrome trace of the bursts of soc or soc-rtl to this file");
  command->add_option("--xclbin", options->xclbin, "image for XRT; default: the one built for the array");
  command
      ->add_option("--timeout", options->timeout, "cycles without progress after which the device gives up; 0: never")
      ->capture_default_str();
  add_remote_options(*command, options->remote);
  CLI::Option* plan = command->add_option(
      "--plan", options->plan.file,
      "a document of espalier plan: its parts run here and on the servers of --remote; frames overlap");
  command->add_option("--planner", options->plan.planner, "which plan of the document")->needs(plan);
  add_exit_options(*command, options->exits);
  command->add_option("--answers", options->answers,
                      "with --exits: the classes of the samples (IDX or .npy), for the accuracy of every exit");
  add_console_options(*command, console);
  command->footer(
      "Examples:\n"
      "  espalier run network.onnx --calibrate samples.npy --input x.npy --device functional --json\n"
      "  espalier run network.onnx --input x.npy --device cpu\n"
      "  espalier run network.esp --input cat.jpg --resize --mean 123.7,116.3,103.5 --scale 0.0171,0.0175,0.0174\n"
      "  espalier run digits.esp --input images.idx3-ubyte --index 5 --count 3 --device xrt:0 --report report.html\n"
      "  espalier run network.esp --input x.npy --device rtl --waves run.fst\n"
      "  espalier run blazeface.onnx --device cpu --input photo.png --resize --fit letterbox --mean 127.5 --scale "
      "0.00784 "
      "--results boxes --draw faces.png\n"
      "  espalier run digits.esp --input images.idx3-ubyte --remote 127.0.0.1:8001 --deadline 20ms\n"
      "  espalier run digits.onnx --input images.idx3-ubyte --plan plan.json --remote 127.0.0.1:8001\n"
      "  espalier run digits_exits.onnx --exits 0.3,0.1 --input images.idx3-ubyte --count 10 --answers "
      "labels.idx1-ubyte\n\n"
      "--device xrt uses the card that XILINX_XRT points to; without it, the simulated card of the build.");
  command->callback([options, &console] { execute(*options, console); });
}

}  // namespace espalier::tools
