#include "soc/traffic.hpp"

#include <algorithm>
#include <array>

#include "esp_error.hpp"

namespace espalier::soc {

const char* master_name(unsigned master) {
  constexpr std::array<const char*, abi::Masters> Names{"command", "weight", "data"};
  return Names[master];
}

Traffic::Traffic(unsigned cores) {
  for (unsigned c = 0; c < cores; ++c) {
    for (unsigned m = 0; m < abi::Masters; ++m) masters_.push_back({c, master_name(m), {}, {}});
  }
}

void Traffic::clear() {
  for (MasterTraffic& master : masters_) master.reads = master.writes = {};
}

void Traffic::add(const BurstTimes& burst) {
  MasterTraffic& master = masters_[std::size_t{burst.core} * abi::Masters + burst.master];
  DirectionTraffic& traffic = burst.reads ? master.reads : master.writes;
  const std::uint64_t latency = burst.reads ? burst.first_data - burst.accepted : burst.ended - burst.first_data;
  ++traffic.bursts;
  traffic.beats += burst.beats;
  traffic.waited += burst.accepted - burst.requested;
  traffic.latency += latency;
  traffic.longest = std::max(traffic.longest, latency);
  traffic.under_way += burst.ended - burst.requested;
}

TraceFile::TraceFile(const std::string& path, unsigned cores, unsigned mhz) : out_(path), period_(1.0 / mhz) {
  if (!out_) {
    throw Error(ErrorCode::Usage, "file cannot be written", path, {}, "give a path in a writable folder");
  }
  out_ << "{\"displayTimeUnit\":\"ns\",\"traceEvents\":[";
  const char* separator = "\n";
  for (unsigned c = 0; c < cores; ++c) {
    out_ << separator << R"({"ph":"M","name":"process_name","pid":)" << c << R"(,"args":{"name":"core )" << c << "\"}}";
    separator = ",\n";
    for (unsigned m = 0; m < abi::Masters; ++m) {
      out_ << separator << R"({"ph":"M","name":"thread_name","pid":)" << c << ",\"tid\":" << m << R"(,"args":{"name":")"
           << master_name(m) << "\"}}";
    }
  }
}

TraceFile::~TraceFile() { out_ << "\n]}\n"; }

// Bursts of a master overlap, so each is an asynchronous pair of events with an id of its own.
void TraceFile::event(const BurstTimes& burst, const char* name, std::uint64_t begin, std::uint64_t end) {
  const auto half = [&](char phase, std::uint64_t cycle) {
    out_ << ",\n{\"ph\":\"" << phase << R"(","cat":")" << master_name(burst.master) << R"(","name":")" << name
         << "\",\"id\":" << burst.serial << ",\"pid\":" << burst.core << ",\"tid\":" << burst.master
         << ",\"ts\":" << static_cast<double>(cycle) * period_;
    if (phase == 'b') {
      out_ << R"(,"args":{"address":)" << burst.address << ",\"beats\":" << burst.beats << ",\"cycle\":" << cycle
           << '}';
    }
    out_ << '}';
  };
  half('b', begin);
  half('e', end);
}

void TraceFile::add(const BurstTimes& burst) {
  event(burst, burst.reads ? "read" : "write", burst.requested, burst.ended);
  if (burst.accepted > burst.requested) event(burst, "waits", burst.requested, burst.accepted);
}

}  // namespace espalier::soc
