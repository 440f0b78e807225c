// Simple dual-port RAM: one write port, one read port with one cycle of latency; the output holds while read_i is low.
// One address is never written and read in the same cycle.
module esp_ram #(
    parameter int unsigned Width = 32,
    parameter int unsigned Depth = 1024
) (
    input  logic                     clk_i,
    input  logic                     write_i,
    input  logic [$clog2(Depth)-1:0] write_addr_i,
    input  logic [Width-1:0]         write_data_i,
    input  logic                     read_i,
    input  logic [$clog2(Depth)-1:0] read_addr_i,
    output logic [Width-1:0]         read_data_o
);
  (* no_rw_check, ram_style = "block" *)
  logic [Width-1:0] memory[Depth];

  // The read comes first and the write is blocking, so that simulation needs no delayed copy of the row.
  always_ff @(posedge clk_i) begin
    if (read_i) read_data_o <= memory[read_addr_i];
    if (write_i) memory[write_addr_i] = write_data_i;
  end
endmodule
