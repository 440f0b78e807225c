// The core as a vendor's tool synthesises it: its pins.
#pragma once

#include <hls_stream.h>

#include <cstdint>

#include "esp_beat.hpp"

/// One run of a command list. Arguments and results have the names and widths of the contract's registers; addresses
/// and sizes are in bytes. `command`, `weight` and `data_*` are the masters of the contract, indexed by beats from
/// address 0; `marks` takes the layer of every OpMark. Scratchpad and tables last from run to run.
extern "C" void esp_machine_core(std::uint64_t program_address, std::uint64_t program_bytes,
                                 std::uint64_t input_address, std::uint64_t input_bytes, std::uint64_t output_address,
                                 std::uint64_t output_bytes, std::uint64_t arena_address, std::uint64_t arena_bytes,
                                 std::uint32_t command_offset, std::uint32_t command_count, std::uint32_t timeout,
                                 const espalier::kernel::Beat* command, const espalier::kernel::Beat* weight,
                                 const espalier::kernel::Beat* data_read, espalier::kernel::Beat* data_write,
                                 hls::stream<std::uint32_t>& marks, std::uint32_t* error, std::uint32_t* error_position,
                                 std::uint32_t* error_detail, std::uint32_t* read_beats, std::uint32_t* write_beats,
                                 std::uint32_t* macs);
