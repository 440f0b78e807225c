#include "traffic_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "esp_abi.hpp"
#include "table.hpp"

namespace espalier::tools {
namespace {

std::uint64_t bytes_of(const soc::DirectionTraffic& traffic) { return traffic.beats * abi::BeatBytes; }

/// Bytes per microsecond are megabytes per second.
double megabytes_per_second(const soc::DirectionTraffic& traffic, const soc::Report& report) {
  if (report.cycles == 0) return 0;
  return static_cast<double>(bytes_of(traffic)) * report.mhz / static_cast<double>(report.cycles);
}

Json direction_json(const soc::DirectionTraffic& traffic, const soc::Report& report) {
  return {{"bursts", traffic.bursts},
          {"bytes", bytes_of(traffic)},
          {"megabytes_per_second", megabytes_per_second(traffic, report)},
          {"mean_wait_cycles", traffic.mean_wait()},
          {"mean_latency_cycles", traffic.mean_latency()},
          {"longest_latency_cycles", traffic.longest},
          {"mean_cycles", traffic.mean_under_way()}};
}

double share(std::uint64_t part, std::uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all);
}

/// An access finds its row open unless the row was opened for it.
double hit_share(const dram::ChannelCounters& dram) { return share(dram.row_hits, dram.reads + dram.writes); }

}  // namespace

Json traffic_json(const soc::Report& report) {
  Json json;
  json["cycles"] = report.cycles;
  json["clock_mhz"] = report.mhz;
  json["memory"] = report.memory;
  json["masters"] = Json::array();
  for (const soc::MasterTraffic& master : report.masters) {
    json["masters"].push_back({{"core", master.core},
                               {"master", master.master},
                               {"read", direction_json(master.reads, report)},
                               {"write", direction_json(master.writes, report)}});
  }
  if (!report.dram) {
    json["dram"] = nullptr;
    return json;
  }
  const dram::ChannelCounters& dram = *report.dram;
  json["dram"] = {{"reads", dram.reads},
                  {"writes", dram.writes},
                  {"row_hit_share", hit_share(dram)},
                  {"rows_opened", dram.row_closed},
                  {"row_conflicts", dram.row_conflicts},
                  {"turnarounds", dram.turnarounds},
                  {"refreshes", dram.refreshes}};
  return json;
}

std::string traffic_table(const soc::Report& report) {
  Table table({{"core"},
               {"master", Align::Left},
               {"direction", Align::Left},
               {"bursts"},
               {"bytes"},
               {"MB/s"},
               {"wait"},
               {"latency"},
               {"longest"},
               {"burst cycles"}});
  const auto add = [&](const soc::MasterTraffic& master, const char* direction, const soc::DirectionTraffic& traffic) {
    if (traffic.bursts == 0) return;
    table.add({std::to_string(master.core), master.master, direction, grouped(traffic.bursts),
               grouped(bytes_of(traffic)), fmt::format("{:.1f}", megabytes_per_second(traffic, report)),
               fmt::format("{:.1f}", traffic.mean_wait()), fmt::format("{:.1f}", traffic.mean_latency()),
               grouped(traffic.longest), fmt::format("{:.1f}", traffic.mean_under_way())});
  };
  for (const soc::MasterTraffic& master : report.masters) {
    add(master, "read", master.reads);
    add(master, "write", master.writes);
  }
  std::string text = fmt::format("Memory traffic ({}, {} MHz), cycles from request to acceptance and on to data:\n{}",
                                 report.memory, report.mhz, table.text());
  if (report.dram) {
    const dram::ChannelCounters& dram = *report.dram;
    text += fmt::format(
        "DRAM: {} reads, {} writes, {} of them to open rows; {} rows opened, {} closed for another, "
        "{} times from reads to writes, {} refreshes\n",
        grouped(dram.reads), grouped(dram.writes), percent(hit_share(dram)), grouped(dram.row_closed),
        grouped(dram.row_conflicts), grouped(dram.turnarounds), grouped(dram.refreshes));
  }
  return text;
}

}  // namespace espalier::tools
