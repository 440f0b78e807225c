// One scratchpad bank: port A reads for the first lane group; port B reads, or writes with byte enables, for the second
// lane group and all services (results, stores, loads), and never does both at once. A row is never written and read in
// the same cycle by design of the command lists; if it is, the read gives the old row.
//
// Banks lie in UltraRAM if the device has it: two ports, each of which reads or writes, with byte enables. It serves port A first, so
// there, too, a read gives the old row.
module esp_scratch_bank #(
    parameter int unsigned Bytes = 16,
    parameter int unsigned Rows  = 4096
) (
    input  logic                    clk_i,
    input  logic                    a_read_i,
    input  logic [$clog2(Rows)-1:0] a_row_i,
    output logic [Bytes*8-1:0]      a_data_o,
    input  logic                    b_read_i,
    input  logic                    b_write_i,
    input  logic [$clog2(Rows)-1:0] b_row_i,
    input  logic [Bytes-1:0]        b_enable_i,
    input  logic [Bytes*8-1:0]      b_data_i,
    output logic [Bytes*8-1:0]      b_data_o
);
`ifdef ESP_DSP48E2
  (* no_rw_check, ram_style = "ultra" *)
`else
  (* no_rw_check *)
`endif
  logic [Bytes*8-1:0] memory[Rows];

  // Reads come first and writes are blocking, so that a read gives the old row and simulation needs no delayed copies.
  always_ff @(posedge clk_i) begin
    if (a_read_i) a_data_o <= memory[a_row_i];
    if (b_read_i && !b_write_i) b_data_o <= memory[b_row_i];
    if (b_write_i) begin
      for (int i = 0; i < Bytes; i++) begin
        if (b_enable_i[i]) memory[b_row_i][i*8+:8] = b_data_i[i*8+:8];
      end
    end
  end
endmodule
