// Simple dual-port RAM: one write port, one read port with one cycle of latency; the output holds while read_i is low.
// One address is never written and read in the same cycle.
//
// Large memories lie in UltraRAM if the device has it, all others in block RAM.
module esp_ram #(
    parameter int unsigned Width = 32,
    parameter int unsigned Depth = 1024,
    parameter int unsigned Large = 0
) (
    input  logic                     clk_i,
    input  logic                     write_i,
    input  logic [$clog2(Depth)-1:0] write_addr_i,
    input  logic [Width-1:0]         write_data_i,
    input  logic                     read_i,
    input  logic [$clog2(Depth)-1:0] read_addr_i,
    output logic [Width-1:0]         read_data_o
);
  // The read comes first and the write is blocking, so that simulation needs no delayed copy of the row.
  if (Large != 0) begin : gen_large
`ifdef ESP_DSP48E2
    (* no_rw_check, ram_style = "ultra" *)
`else
    (* no_rw_check, ram_style = "block" *)
`endif
    logic [Width-1:0] memory[Depth];
    always_ff @(posedge clk_i) begin
      if (read_i) read_data_o <= memory[read_addr_i];
      if (write_i) memory[write_addr_i] = write_data_i;
    end
  end else begin : gen_block
    (* no_rw_check, ram_style = "block" *)
    logic [Width-1:0] memory[Depth];
    always_ff @(posedge clk_i) begin
      if (read_i) read_data_o <= memory[read_addr_i];
      if (write_i) memory[write_addr_i] = write_data_i;
    end
  end
endmodule
