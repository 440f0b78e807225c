// What the masters of a platform moved in a run, and when: counts for the report, and a trace of every burst.
#pragma once

#include <cstdint>
#include <fstream>
#include <string>
#include <vector>

#include "esp_abi.hpp"

namespace espalier::soc {

/// A burst from its request to its end, in cycles.
struct BurstTimes {
  unsigned core = 0, master = 0;
  bool reads = true;
  std::uint64_t serial = 0, address = 0;
  unsigned beats = 0;
  std::uint64_t requested = 0, accepted = 0, first_data = 0, ended = 0;
};

/// One direction of one master.
struct DirectionTraffic {
  std::uint64_t bursts = 0, beats = 0;
  std::uint64_t waited = 0;     // cycles from request to acceptance, summed
  std::uint64_t latency = 0;    // from acceptance to the first data (reads) or from the last (writes), summed
  std::uint64_t longest = 0;    // such latency
  std::uint64_t under_way = 0;  // from request to end, summed

  double mean_wait() const { return bursts == 0 ? 0 : static_cast<double>(waited) / static_cast<double>(bursts); }
  double mean_latency() const { return bursts == 0 ? 0 : static_cast<double>(latency) / static_cast<double>(bursts); }
  double mean_under_way() const {
    return bursts == 0 ? 0 : static_cast<double>(under_way) / static_cast<double>(bursts);
  }
};

struct MasterTraffic {
  unsigned core = 0;
  const char* master = "";  // command, weight, data
  DirectionTraffic reads, writes;
};

const char* master_name(unsigned master);

/// Of the last run.
class Traffic {
 public:
  explicit Traffic(unsigned cores);

  void clear();
  void add(const BurstTimes& burst);
  const std::vector<MasterTraffic>& masters() const { return masters_; }

 private:
  std::vector<MasterTraffic> masters_;
};

/// Writes every burst as an event of a Chrome trace (JSON), which chrome://tracing and Perfetto open: a process per
/// core, a row per master, times in microseconds of the platform.
class TraceFile {
 public:
  /// Throws Error(Usage) if the file cannot be written.
  TraceFile(const std::string& path, unsigned cores, unsigned mhz);
  ~TraceFile();
  TraceFile(const TraceFile&) = delete;
  TraceFile& operator=(const TraceFile&) = delete;

  void add(const BurstTimes& burst);

 private:
  void event(const BurstTimes& burst, const char* name, std::uint64_t begin, std::uint64_t end);

  std::ofstream out_;
  double period_;  // in microseconds
};

}  // namespace espalier::soc
