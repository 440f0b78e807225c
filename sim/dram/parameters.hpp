// The DRAMs that a platform can have: organisation and timing from their data sheets, and what a compiler assumes of
// them.
//
//   const dram::Parameters& ddr4 = dram::find("ddr4-2400");
//   abi::MemoryParameters memory = dram::effective(ddr4, 300);  // bytes per cycle and latency of a machine at 300 MHz
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "esp_memory_model.hpp"

namespace espalier::dram {

/// Times are clocks of the DRAM unless they are said to be ns. Names in parentheses are those of JEDEC.
struct Parameters {
  const char* name;
  const char* source;                                  // of organisation and timing
  const char* latency_source;                          // of controller_ns
  unsigned clock_mhz;                                  // CK; data move at both edges
  unsigned channels;                                   // independent, 1 KiB of addresses in turn
  unsigned access_bytes;                               // of one read or write command
  unsigned access_clocks;                              // that it occupies the data bus (BL / 2)
  unsigned groups, banks;                              // bank groups; banks of a group
  unsigned row_bytes;                                  // of one bank of one channel
  unsigned read_latency;                               // (CL)
  unsigned write_latency;                              // (CWL)
  unsigned activate_to_access;                         // (tRCD)
  unsigned precharge;                                  // (tRP)
  unsigned row_active;                                 // (tRAS)
  unsigned access_same_group, access_other_group;      // (tCCD_L, tCCD_S)
  unsigned activate_same_group, activate_other_group;  // (tRRD_L, tRRD_S)
  unsigned four_activates;                             // window in which four banks may be activated (tFAW)
  unsigned write_recovery;                             // (tWR)
  unsigned write_to_read_same, write_to_read_other;    // (tWTR_L, tWTR_S)
  unsigned read_to_precharge;                          // (tRTP)
  unsigned refresh_interval, refresh;                  // (tREFI, tRFC)
  unsigned controller_ns;                              // of controller and interconnect, both ways
  unsigned read_queue, write_queue;                    // bursts that a channel holds

  /// Bytes per second that all channels can move at most.
  double peak_bandwidth() const { return 1e6 * clock_mhz * channels * access_bytes / access_clocks; }
};

/// All sets.
std::span<const Parameters> all();

/// By name: "ddr4-2400" or "hbm2". Throws Error(Usage) naming the known ones.
const Parameters& find(std::string_view name);

/// What the memory of the contract must be like so that cycle counts of a machine at `mhz` come near: the latency of a
/// read that finds its bank closed; the peak bandwidth, at most a beat per cycle, less the share that refresh takes;
/// one bus for both directions if they could not both move a beat per cycle.
abi::MemoryParameters effective(const Parameters& parameters, unsigned mhz);

}  // namespace espalier::dram
