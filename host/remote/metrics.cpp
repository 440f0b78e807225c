#include "remote/metrics.hpp"

#include <fmt/format.h>

namespace espalier::remote {
namespace {

constexpr double NanosecondsPerSecond = 1e9;

// Backslash, quote and line feed are escaped in label values.
std::string label(const std::string& value) {
  std::string text;
  for (const char letter : value) {
    if (letter == '\\' || letter == '"') text += '\\';
    text += letter == '\n' ? 'n' : letter;
    if (letter == '\n') text.insert(text.size() - 1, 1, '\\');
  }
  return text;
}

std::string head(const char* name, const char* kind, const char* help) {
  return fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, kind, help);
}

std::string gauge(const char* name, const char* help, double value) {
  return head(name, "gauge", help) + fmt::format("{} {}\n", name, value);
}

template <typename Value>
std::string per_model(const Counts& counts, const char* name, const char* kind, const char* help, const Value& value) {
  std::string text = head(name, kind, help);
  for (const auto& [model, of_model] : counts.models)
    if (!of_model.version.empty())
      text +=
          fmt::format("{}{{model=\"{}\",version=\"{}\"}} {}\n", name, label(model), of_model.version, value(of_model));
  return text;
}

}  // namespace

std::string metrics_text(const Counts& counts) {
  std::string text = head("espalier_requests_total", "counter", "Inference requests by outcome.");
  for (const auto& [model, of_model] : counts.models)
    for (const auto& [outcome, number] : of_model.outcomes)
      text += fmt::format("espalier_requests_total{{model=\"{}\",outcome=\"{}\"}} {}\n", label(model), outcome, number);
  std::string seconds = head("espalier_execution_seconds_total", "counter", "Time on devices.");
  std::string waits = head("espalier_wait_seconds_total", "counter", "Time in the queue.");
  for (const auto& [model, of_model] : counts.models) {
    seconds += fmt::format("espalier_execution_seconds_total{{model=\"{}\"}} {}\n", label(model),
                           static_cast<double>(of_model.executed) / NanosecondsPerSecond);
    waits += fmt::format("espalier_wait_seconds_total{{model=\"{}\"}} {}\n", label(model),
                         static_cast<double>(of_model.waited) / NanosecondsPerSecond);
  }
  text += seconds + waits;
  text +=
      per_model(counts, "espalier_model_bound_seconds", "gauge", "Bound of one execution of the version in service.",
                [](const ModelCounts& model) { return static_cast<double>(model.bound) / NanosecondsPerSecond; });
  text += per_model(counts, "espalier_cached_total", "counter", "Answers that a similar request got before.",
                    [](const ModelCounts& model) { return static_cast<double>(model.cached); });
  text += gauge("espalier_queue_length", "Requests that wait.", static_cast<double>(counts.queued));
  text += gauge("espalier_queue_capacity", "Requests that may wait.", static_cast<double>(counts.capacity));
  text += gauge("espalier_running", "Requests on devices.", static_cast<double>(counts.running));
  text += gauge("espalier_ready", "1 unless the server is ending.", counts.draining ? 0 : 1);
  return text;
}

}  // namespace espalier::remote
