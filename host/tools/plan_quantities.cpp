#include "plan_quantities.hpp"

#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

#include "esp_error.hpp"

namespace espalier::tools {
namespace {

/// A number with one of the given units, times the unit.
double quantity(const std::string& text, const std::string& option,
                const std::vector<std::pair<std::string, double>>& units) {
  double number = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(end, text.data() + text.size());
  for (const auto& [name, factor] : units)
    if (failure == std::errc{} && unit == name && std::isfinite(number) && number >= 0) return number * factor;
  throw Error(ErrorCode::Usage, "not a quantity with a unit", option, text, "write for example 5ms, 400kbps or 10x");
}

}  // namespace

plan::Nanoseconds parse_nanoseconds(const std::string& text, const std::string& option) {
  const double value = quantity(text, option, {{"ms", 1e6}, {"us", 1e3}, {"s", 1e9}, {"ns", 1}});
  if (value > static_cast<double>(plan::LargestStep))
    throw Error(ErrorCode::Usage, "time too long", option, text, "give at most 1000s");
  return std::llround(value);
}

std::int64_t parse_rate(const std::string& text, const std::string& option) {
  constexpr double Byte = 8;
  const double value =
      quantity(text, option, {{"kbps", 1e3 / Byte}, {"Mbps", 1e6 / Byte}, {"Gbps", 1e9 / Byte}, {"bps", 1 / Byte}});
  if (value > static_cast<double>(plan::LargestStep))
    throw Error(ErrorCode::Usage, "bandwidth too high", option, text, "give at most 8000Gbps");
  return std::llround(value);
}

double parse_factor(const std::string& text, const std::string& option) {
  if (text == "none") return 0;
  return quantity(text, option, {{"x", 1}, {"", 1}});
}

plan::Objective parse_objective(const std::string& text) {
  for (const plan::Objective objective :
       {plan::Objective::Latency, plan::Objective::Energy, plan::Objective::Throughput})
    if (text == plan::to_string(objective)) return objective;
  throw Error(ErrorCode::Usage, "no such objective", "--objective", text, "choose latency, energy or throughput");
}

LinkChange parse_link(const std::string& text) {
  LinkChange change;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string part = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t equals = part.find('=');
    const std::string key = part.substr(0, equals);
    const std::string number = equals == std::string::npos ? std::string() : part.substr(equals + 1);
    if (key == "up")
      change.up = parse_rate(number, "--link");
    else if (key == "down")
      change.down = parse_rate(number, "--link");
    else if (key == "rtt")
      change.latency = parse_nanoseconds(number, "--link") / 2;
    else
      throw Error(ErrorCode::Usage, "no such property of a link", "--link", part,
                  "write up=400kbps,down=2Mbps,rtt=20ms");
  }
  return change;
}

void apply_link(const LinkChange& change, plan::Problem& problem) {
  for (plan::Link& link : problem.links) {
    const int other = link.from == problem.home ? link.to : link.to == problem.home ? link.from : -1;
    if (other < 0 || problem.devices[static_cast<std::size_t>(other)].kind != plan::DeviceKind::Remote) continue;
    if (change.latency) link.latency = *change.latency;
    if (change.up && link.from == problem.home) link.bytes_per_second = *change.up;
    if (change.down && link.to == problem.home) link.bytes_per_second = *change.down;
  }
}

}  // namespace espalier::tools
