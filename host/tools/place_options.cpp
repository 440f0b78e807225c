#include "place_options.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "esp_error.hpp"

namespace espalier::tools {
namespace {

[[noreturn]] void refuse_link(const std::string& text) {
  throw Error(ErrorCode::Usage, "the link is not understood", "--link", text,
              "write for example start=10000,latency=2000,bandwidth=8 (nanoseconds, bytes per nanosecond)");
}

double positive_number(const std::string& text, const std::string& whole) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !(value >= 0) || value > 1e9) refuse_link(whole);
  return value;
}

plan::LinkModel parse_link(const std::string& text) {
  plan::LinkModel link;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t sign = part.find('=');
    if (sign == std::string::npos) refuse_link(text);
    const double value = positive_number(part.substr(sign + 1), text);
    const std::string key = part.substr(0, sign);
    if (key == "start") {
      link.start = std::llround(value);
    } else if (key == "latency") {
      link.latency = std::llround(value);
    } else if (key == "bandwidth" && value >= 1e-6) {
      link.bytes_per_ns = value;
    } else {
      refuse_link(text);
    }
  }
  return link;
}

std::pair<std::string, plan::Place> parse_pin(const std::string& text) {
  const std::size_t sign = text.rfind('=');
  const std::string place = sign == std::string::npos ? "" : text.substr(sign + 1);
  if (place == "cpu") return {text.substr(0, sign), plan::Place::Host};
  if (place == "accelerator") return {text.substr(0, sign), plan::Place::Accelerator};
  throw Error(ErrorCode::Usage, "the pin is not understood", "--pin", text,
              "write LAYER=cpu or LAYER=accelerator, with the name that espalier inspect prints");
}

/// Where CPU times of this machine are kept between runs; empty if the user has no such place.
std::filesystem::path cache_file() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0')
    return std::filesystem::path(cache) / "espalier" / "cpu_costs_3.json";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return std::filesystem::path(home) / ".cache" / "espalier" / "cpu_costs_3.json";
  return {};
}

/// Times of the cache that are unreadable, of another processor or another executor are measured again.
plan::CpuCosts read_cache(const std::filesystem::path& path, Console& console) {
  if (path.empty() || !std::filesystem::exists(path)) return {};
  try {
    plan::CpuCosts costs = plan::CpuCosts::read(path.string());
    if (costs.measured_here()) return costs;
  } catch (const Error& error) {
    console.progress(error.what());
  }
  return {};
}

void keep(const plan::CpuCosts& costs, const std::filesystem::path& path, bool required, Console& console) {
  if (!costs.changed() || path.empty()) return;
  try {
    std::error_code ignored;
    if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), ignored);
    costs.write(path.string());
    console.progress("CPU times kept in " + path.string());
  } catch (const Error& error) {
    if (required) throw;
    console.progress(error.what());
  }
}

}  // namespace

void add_place_options(CLI::App& command, PlaceTexts& texts) {
  command
      .add_option("--place", texts.place,
                  "where layers run: accelerator (all that can), auto (least time of a frame), cpu")
      ->check(CLI::IsMember({"accelerator", "auto", "cpu"}))
      ->capture_default_str();
  command.add_option("--pin", texts.pins, "LAYER=cpu or LAYER=accelerator: this layer runs there");
  command.add_flag("--forbid-cpu", texts.forbid_cpu, "refuse, naming the layers, instead of running any on the CPU");
  command.add_option("--cpu-costs", texts.cpu_costs,
                     "file of CPU times; what it lacks is measured and added; default: kept in the user's cache");
  command.add_option("--link", texts.link,
                     "of the cost model: start=10000,latency=2000,bandwidth=8: nanoseconds per program start and per "
                     "tensor, bytes per nanosecond");
  command
      .add_option("--clock", texts.clock,
                  "of the accelerator in MHz, for costs and time bounds; default that of --memory, or 300")
      ->check(CLI::Range(1.0, 10000.0));
  command
      .add_option("--group-trials", texts.group_trials, "groups of layers that --place auto compiles beyond the first")
      ->capture_default_str();
}

plan::PlaceOptions parse_place_options(const PlaceTexts& texts, const CompileSettings& settings, Console& console) {
  plan::PlaceOptions options;
  if (texts.place == "auto") options.policy = plan::Policy::Latency;
  if (texts.place == "cpu") options.policy = plan::Policy::HostOnly;
  for (const std::string& pin : texts.pins) options.pins.insert(parse_pin(pin));
  options.forbid_host = texts.forbid_cpu;
  if (options.forbid_host && options.policy == plan::Policy::HostOnly)
    throw Error(ErrorCode::Usage, "everything is to run on the CPU, which is forbidden", "--forbid-cpu", "--place cpu",
                "leave one of the two");
  options.mhz = machine_clock(texts.clock, settings);
  options.link = parse_link(texts.link);
  options.group_trials = texts.group_trials;
  options.compile = compile_options(settings);
  options.progress = [&console](const std::string& line) { console.progress(line); };
  return options;
}

plan::MixedPlan place_model(const QuantisedModel& model, const PlaceTexts& texts, const CompileSettings& settings,
                            bool costs, Console& console) {
  plan::PlaceOptions options = parse_place_options(texts, settings, console);
  options.costs = costs;
  const bool named = !texts.cpu_costs.empty();
  const std::filesystem::path path = named ? std::filesystem::path(texts.cpu_costs) : cache_file();
  const bool needed = costs || options.policy == plan::Policy::Latency;
  plan::CpuCosts times;
  if (needed && named && std::filesystem::exists(path)) times = plan::CpuCosts::read(path.string());
  if (needed && !named) times = read_cache(path, console);
  plan::MixedPlan plan = plan::place(model.network, settings.array.value_or(abi::Array16x16), times, options);
  keep(times, path, named, console);
  return plan;
}

}  // namespace espalier::tools
