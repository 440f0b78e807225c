#include "run/timeline.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace espalier::run {

std::string chrome_trace(const std::vector<TimelineEvent>& events) {
  using Json = nlohmann::ordered_json;
  std::vector<std::string> workers;
  for (const TimelineEvent& event : events)
    if (std::find(workers.begin(), workers.end(), event.worker) == workers.end()) workers.push_back(event.worker);
  Json list = Json::array();
  for (std::size_t i = 0; i < workers.size(); ++i)
    list.push_back(
        {{"ph", "M"}, {"pid", 1}, {"tid", i + 1}, {"name", "thread_name"}, {"args", {{"name", workers[i]}}}});
  for (const TimelineEvent& event : events) {
    Json args{{"frame", event.frame}, {"cpu_us", static_cast<double>(event.cpu_time) / 1000}};
    if (event.conversion_time > 0) args["conversion_us"] = static_cast<double>(event.conversion_time) / 1000;
    if (event.predicted_cycles) args["predicted_cycles"] = *event.predicted_cycles;
    if (event.measured_cycles) args["measured_cycles"] = *event.measured_cycles;
    const auto worker = std::find(workers.begin(), workers.end(), event.worker) - workers.begin();
    list.push_back({{"ph", "X"},
                    {"pid", 1},
                    {"tid", worker + 1},
                    {"name", event.name},
                    {"ts", static_cast<double>(event.start) / 1000},
                    {"dur", static_cast<double>(event.end - event.start) / 1000},
                    {"args", std::move(args)}});
  }
  return Json{{"displayTimeUnit", "ms"}, {"traceEvents", std::move(list)}}.dump(1, ' ', false,
                                                                                Json::error_handler_t::replace) +
         "\n";
}

}  // namespace espalier::run
