#include "esp_machine_core.hpp"

#include "esp_core.hpp"
#include "esp_machine.hpp"

// The registers in front of it are those of the RTL (hw/rtl/control/esp_registers.sv): a vendor's AXI4-Lite adapter
// keeps a word free behind every argument, which the register map does not have. So arguments and results are plain
// ports, held for the run by the block protocol.
extern "C" void esp_machine_core(std::uint64_t program_address, std::uint64_t program_bytes,
                                 std::uint64_t input_address, std::uint64_t input_bytes, std::uint64_t output_address,
                                 std::uint64_t output_bytes, std::uint64_t arena_address, std::uint64_t arena_bytes,
                                 std::uint32_t command_offset, std::uint32_t command_count, std::uint32_t timeout,
                                 const espalier::kernel::Beat* command, const espalier::kernel::Beat* weight,
                                 const espalier::kernel::Beat* data_read, espalier::kernel::Beat* data_write,
                                 hls::stream<std::uint32_t>& marks, std::uint32_t* error, std::uint32_t* error_position,
                                 std::uint32_t* error_detail, std::uint32_t* read_beats, std::uint32_t* write_beats,
                                 std::uint32_t* macs) {
#pragma HLS INTERFACE mode = ap_ctrl_hs port = return
#pragma HLS INTERFACE mode = ap_stable port = program_address
#pragma HLS INTERFACE mode = ap_stable port = program_bytes
#pragma HLS INTERFACE mode = ap_stable port = input_address
#pragma HLS INTERFACE mode = ap_stable port = input_bytes
#pragma HLS INTERFACE mode = ap_stable port = output_address
#pragma HLS INTERFACE mode = ap_stable port = output_bytes
#pragma HLS INTERFACE mode = ap_stable port = arena_address
#pragma HLS INTERFACE mode = ap_stable port = arena_bytes
#pragma HLS INTERFACE mode = ap_stable port = command_offset
#pragma HLS INTERFACE mode = ap_stable port = command_count
#pragma HLS INTERFACE mode = ap_stable port = timeout
#pragma HLS INTERFACE mode = m_axi port = command bundle = command offset = off depth = 1024 max_read_burst_length = 16
#pragma HLS INTERFACE mode = m_axi port = weight bundle = weight offset = off depth = 1024 max_read_burst_length = 16
#pragma HLS INTERFACE mode = m_axi port = data_read bundle = data offset = off depth = 1024 max_read_burst_length = 16
#pragma HLS INTERFACE mode = m_axi port = data_write bundle = data offset = off depth = 1024 max_write_burst_length = 16
#pragma HLS INTERFACE mode = axis port = marks
#pragma HLS INTERFACE mode = ap_vld port = error
#pragma HLS INTERFACE mode = ap_vld port = error_position
#pragma HLS INTERFACE mode = ap_vld port = error_detail
#pragma HLS INTERFACE mode = ap_vld port = read_beats
#pragma HLS INTERFACE mode = ap_vld port = write_beats
#pragma HLS INTERFACE mode = ap_vld port = macs
  using espalier::kernel::Core;
  using espalier::kernel::Machine;
  // Zero at power-on. A RAM for every copy, bank and pixel of the scratchpad, so that bytes have enables of their own;
  // a RAM for every weight and entry of a line; a copy of the tables for every writer.
  static Core<Machine> core;
#pragma HLS ARRAY_PARTITION variable = core.array.scratch.copies complete dim = 1
#pragma HLS ARRAY_PARTITION variable = core.array.scratch.copies complete dim = 3
#pragma HLS ARRAY_PARTITION variable = core.array.scratch.copies complete dim = 4
#pragma HLS AGGREGATE variable = core.array.store.ring
#pragma HLS ARRAY_PARTITION variable = core.array.tables.rows complete dim = 1
#pragma HLS ARRAY_PARTITION variable = core.array.tables.scales complete dim = 1
#pragma HLS ARRAY_PARTITION variable = core.array.tables.scales cyclic factor = 8 dim = 2
#pragma HLS ARRAY_PARTITION variable = core.array.tables.program complete dim = 1
#pragma HLS ARRAY_PARTITION variable = core.array.tables.permutations complete dim = 1
#pragma HLS ARRAY_PARTITION variable = core.array.tables.permutations complete dim = 3
#pragma HLS ARRAY_PARTITION variable = core.weight.buffer cyclic factor = 2 dim = 1
#pragma HLS ARRAY_PARTITION variable = core.weight.line.weights complete
#pragma HLS ARRAY_PARTITION variable = core.weight.line.entries complete
#pragma HLS ARRAY_PARTITION variable = core.weight.codes.symbols complete
#pragma HLS ARRAY_PARTITION variable = core.weight.codes.steps complete
#pragma HLS ARRAY_PARTITION variable = core.weight.decoder.lanes complete
#pragma HLS ARRAY_PARTITION variable = core.weight.vector.lanes complete
#pragma HLS AGGREGATE variable = core.array.queue.ring
  const espalier::kernel::Arguments arguments = {{program_address, input_address, output_address, arena_address},
                                                 {program_bytes, input_bytes, output_bytes, arena_bytes},
                                                 command_offset,
                                                 command_count,
                                                 timeout};
  const espalier::kernel::RunResult result =
      espalier::kernel::run_list<Machine>(arguments, command, weight, data_read, data_write, marks, core);
  *error = result.error;
  *error_position = result.position;
  *error_detail = result.detail;
  *read_beats = result.read_beats;
  *write_beats = result.write_beats;
  *macs = result.macs;
}
