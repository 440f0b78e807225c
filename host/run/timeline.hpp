// What ran where and when, as a file for trace viewers (Chrome trace event format).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace espalier::run {

/// A stretch of work of one frame on one worker. Times are nanoseconds since the session's first frame.
struct TimelineEvent {
  std::string name;
  std::string worker;  // "cpu" or the name of the device
  std::size_t frame = 0;
  std::int64_t start = 0;
  std::int64_t end = 0;
  std::int64_t cpu_time = 0;                      // nanoseconds of the processor
  std::int64_t conversion_time = 0;               // of these: packing for the device and unpacking
  std::optional<std::uint64_t> predicted_cycles;  // of work on the device
  std::optional<std::uint64_t> measured_cycles;
};

/// The JSON text: one row per worker, events with their frame and cycles as arguments.
std::string chrome_trace(const std::vector<TimelineEvent>& events);

}  // namespace espalier::run
