#include "plan/placement/cpu_costs.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "compile/packer.hpp"
#include "cpu/choice/choose_executor.hpp"
#include "esp_error.hpp"
#include "model/layer_text.hpp"
#include "model/random.hpp"
#include "plan/placement/segments.hpp"

namespace espalier::plan {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t OtherBytes = std::size_t{32} << 20, CacheLine = 64;
constexpr std::chrono::milliseconds Wait{1};
constexpr int Format = 3;
constexpr int MostRuns = 11, LeastRuns = 3;
constexpr Nanoseconds EnoughTime = 200'000'000;  // of one layer

std::size_t at(int index) { return static_cast<std::size_t>(index); }

/// What lies between two segments of a frame on the CPU: other work takes the caches, then the CPU waits for the
/// accelerator and goes to sleep.
void leave_cpu() {
  static std::vector<std::uint8_t> others(OtherBytes);
  for (std::size_t i = 0; i < others.size(); i += CacheLine) ++others[i];
  std::this_thread::sleep_for(Wait);
}

/// Runs until the median is of MostRuns, or enough time has gone; the first run warms up. `prepare` is called before
/// each run and takes no time of it.
CpuTime measure(const std::function<void()>& prepare, const std::function<void()>& work) {
  std::vector<Nanoseconds> times;
  Nanoseconds spent = 0;
  prepare();
  work();
  while (times.size() < MostRuns && (times.size() < LeastRuns || spent < EnoughTime)) {
    leave_cpu();
    prepare();
    const Nanoseconds start = thread_time();
    work();
    times.push_back(thread_time() - start);
    spent += times.back();
  }
  std::sort(times.begin(), times.end());
  const std::size_t last = times.size() - 1;
  return {times[(last + 1) / 2], times[last / 4], times[last - last / 4], static_cast<int>(times.size())};
}

std::vector<cpu::Tensor> random_inputs(const model::Network& network) {
  model::Random random(1);
  std::vector<cpu::Tensor> inputs;
  for (const int input : network.inputs) {
    cpu::Tensor& tensor = inputs.emplace_back(network.features[at(input)].elements());
    for (std::int8_t& value : tensor) value = static_cast<std::int8_t>(random.between(-128, 127));
  }
  return inputs;
}

/// Medians for one tensor.
struct Conversions {
  double elements;
  Nanoseconds pack, unpack, enter, leave;
};

/// Of the input and the output of a network of one layer, which are alike.
Conversions measure_conversions(const std::string& layer, const abi::Configuration& configuration) {
  const model::Network network = model::parse_layer(layer);
  compile::Options options;
  options.timing = false;
  const compile::Compiled compiled = compile::compile(network, configuration, options);
  const compile::Packer packer(compiled);
  const std::vector<cpu::Tensor> inputs = random_inputs(network);
  const std::vector<std::uint8_t> output(compiled.program.output_bytes);
  const auto executor = cpu::choose_executor(network);
  const auto nothing = [] {};
  const auto compute = [&] {
    executor->enter(inputs);
    executor->compute();
  };
  return {static_cast<double>(inputs[0].size()), measure(nothing, [&] { packer.pack(inputs); }).median,
          measure(nothing, [&] { packer.unpack(output); }).median,
          measure(nothing, [&] { executor->enter(inputs); }).median,
          measure(compute, [&] { executor->leave(); }).median};
}

double number(const Json& json, const char* key, const std::string& path) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_number() || !(found->get<double>() >= 0) ||
      !(found->get<double>() <= static_cast<double>(LargestStep)))
    throw Error(ErrorCode::Input, "a time of the CPU is missing or out of range", path, key,
                "give numbers of nanoseconds from 0");
  return found->get<double>();
}

StepTime read_step(const Json& conversion, const char* name, const std::string& path) {
  const auto found = conversion.find(name);
  if (found == conversion.end()) return {};
  if (!found->is_object())
    throw Error(ErrorCode::Input, "a time of the CPU is missing or out of range", path, name,
                "give an object with tensor_ns and element_ns");
  return {number(*found, "tensor_ns", path), number(*found, "element_ns", path)};
}

Json step_json(const StepTime& step) { return {{"tensor_ns", step.tensor_ns}, {"element_ns", step.element_ns}}; }

CpuTime read_time(const Json& json, const std::string& path) {
  const auto whole = [&](const char* key) { return static_cast<Nanoseconds>(std::llround(number(json, key, path))); };
  CpuTime time;
  time.median = whole("median_ns");
  time.low = json.contains("low_ns") ? whole("low_ns") : time.median;
  time.high = json.contains("high_ns") ? whole("high_ns") : time.median;
  time.runs = json.contains("runs") ? static_cast<int>(std::min<Nanoseconds>(whole("runs"), 1'000'000)) : 1;
  return time;
}

std::string key_of(const model::Network& network, int index) {
  const model::Layer& layer = network.layers[at(index)];
  std::string key = model::to_text(network, layer);
  if (layer.kind == model::LayerKind::Real)
    key = layer.op + key + " to " + std::to_string(network.features[at(layer.output)].elements());
  for (std::size_t i = 1; i < layer.inputs.size(); ++i)
    key += " +" + std::to_string(network.features[at(layer.inputs[i])].channels);
  return key;
}

}  // namespace

Nanoseconds thread_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return Nanoseconds{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos && (line.starts_with("model name") || line.starts_with("Model")))
      return line.substr(colon + 2);
  }
  return {};
}

CpuCosts CpuCosts::modelled(const CpuModel& model, const ConversionTime& conversion) {
  CpuCosts costs;
  costs.model_ = model;
  costs.conversion_ = conversion;
  return costs;
}

CpuCosts CpuCosts::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw Error(ErrorCode::Input, "the file of CPU times cannot be read", path, {}, "check the path");
  const Json json = Json::parse(file, nullptr, false);
  if (!json.is_object() || !json.contains("format") || json["format"] != Format)
    throw Error(ErrorCode::Input, "this is no file of CPU times", path, {}, "remove it, or name another");
  CpuCosts costs;
  if (json.contains("machine") && json["machine"].is_string()) costs.machine_ = json["machine"];
  if (json.contains("executor") && json["executor"].is_string()) costs.executor_ = json["executor"];
  const auto object = [&](const char* key) {
    const auto found = json.find(key);
    if (found == json.end()) return std::optional<Json>();
    if (!found->is_object())
      throw Error(ErrorCode::Input, "this is no file of CPU times", path, key, "remove it, or name another");
    return std::optional<Json>(*found);
  };
  if (const auto model = object("model"))
    costs.model_ = {number(*model, "layer_ns", path), number(*model, "mac_ns", path),
                    number(*model, "element_ns", path)};
  if (const auto conversion = object("conversion"))
    costs.conversion_ = {read_step(*conversion, "pack", path), read_step(*conversion, "unpack", path),
                         read_step(*conversion, "enter", path), read_step(*conversion, "leave", path)};
  if (const auto layers = object("layers"))
    for (const auto& [key, time] : layers->items()) costs.layers_[key] = read_time(time, path);
  return costs;
}

void CpuCosts::write(const std::string& path) const {
  Json json{{"format", Format}, {"machine", machine_}, {"executor", executor_}};
  if (model_)
    json["model"] = {{"layer_ns", model_->layer_ns}, {"mac_ns", model_->mac_ns}, {"element_ns", model_->element_ns}};
  if (conversion_)
    json["conversion"] = {{"pack", step_json(conversion_->pack)},
                          {"unpack", step_json(conversion_->unpack)},
                          {"enter", step_json(conversion_->enter)},
                          {"leave", step_json(conversion_->leave)}};
  json["layers"] = Json::object();
  for (const auto& [key, time] : layers_)
    json["layers"][key] = {
        {"median_ns", time.median}, {"low_ns", time.low}, {"high_ns", time.high}, {"runs", time.runs}};
  std::ofstream file(path, std::ios::binary);
  file << json.dump(2) << "\n";
  if (!file.flush())
    throw Error(ErrorCode::Usage, "the file of CPU times cannot be written", path, {}, "name another file");
}

CpuTime CpuCosts::layer(const model::Network& network, int index) {
  const std::string key = key_of(network, index);
  if (const auto found = layers_.find(key); found != layers_.end()) return found->second;
  const model::Layer& layer = network.layers[at(index)];
  if (model_) {
    auto elements = static_cast<double>(network.features[at(layer.output)].elements());
    for (const int input : layer.inputs) elements += static_cast<double>(network.features[at(input)].elements());
    const double time = model_->layer_ns + model_->element_ns * elements +
                        model_->mac_ns * static_cast<double>(model::count_macs(network, layer).nonzero);
    const auto whole = static_cast<Nanoseconds>(std::llround(std::min(time, static_cast<double>(LargestStep))));
    return {whole, whole, whole, 0};
  }
  const Piece piece = cut_out(network, {index}, layer.name);
  const auto executor = cpu::choose_executor(piece.network, cpu::Edges::Apart);
  const std::vector<cpu::Tensor> inputs = random_inputs(piece.network);
  layers_[key] = measure([&] { executor->enter(inputs); }, [&] { executor->compute(); });
  note_origin();
  return layers_[key];
}

ConversionTime CpuCosts::conversion(const abi::Configuration& configuration) {
  if (conversion_) return *conversion_;
  const Conversions small = measure_conversions("requantise ic1 ih4 iw4", configuration);
  const Conversions large = measure_conversions("requantise ic64 ih32 iw32", configuration);
  const auto line = [&](Nanoseconds Conversions::*step) {
    const double slope = static_cast<double>(large.*step - small.*step) / (large.elements - small.elements);
    StepTime time;
    time.element_ns = std::max(slope, 0.0);
    time.tensor_ns = std::max(static_cast<double>(small.*step) - time.element_ns * small.elements, 0.0);
    return time;
  };
  conversion_ = {line(&Conversions::pack), line(&Conversions::unpack), line(&Conversions::enter),
                 line(&Conversions::leave)};
  note_origin();
  return *conversion_;
}

bool CpuCosts::measured_here() const { return machine_ == processor_name() && executor_ == cpu::chosen_executor(); }

void CpuCosts::note_origin() {
  machine_ = processor_name();
  executor_ = cpu::chosen_executor();
  changed_ = true;
}

}  // namespace espalier::plan
