`include "esp_assert.svh"

// First-word-fall-through FIFO: data_o is the oldest entry whenever empty_o is low.
module esp_fifo #(
    parameter int unsigned Width = 32,
    parameter int unsigned Depth = 8  // a power of two
) (
    input  logic                   clk_i,
    input  logic                   rst_ni,
    input  logic                   push_i,
    input  logic [Width-1:0]       data_i,
    output logic                   full_o,
    input  logic                   pop_i,
    output logic [Width-1:0]       data_o,
    output logic                   empty_o,
    output logic [$clog2(Depth):0] count_o
);
  localparam int unsigned PtrBits = $clog2(Depth);

  logic [Width-1:0] memory[Depth];
  logic [PtrBits-1:0] write_q, read_q;
  logic [PtrBits:0] count_q;

  assign data_o  = memory[read_q];
  assign empty_o = count_q == 0;
  assign full_o  = count_q[PtrBits];
  assign count_o = count_q;

  // The write is blocking, which spares the simulation a delayed copy: nobody reads the entry that is being written,
  // since it is at the head only once the FIFO is not empty.
  always_ff @(posedge clk_i) begin
    if (push_i) memory[write_q] = data_i;
    if (!rst_ni) begin
      write_q <= '0;
      read_q  <= '0;
      count_q <= '0;
    end else if (push_i || pop_i) begin
      if (push_i) write_q <= write_q + 1'b1;
      if (pop_i) read_q <= read_q + 1'b1;
      if (push_i && !pop_i) count_q <= count_q + 1'b1;
      if (!push_i && pop_i) count_q <= count_q - 1'b1;
    end
  end

  // Assertions
  // A full FIFO is not pushed, an empty one is not popped.
  `ESP_ASSERT(NoOverflow, !(push_i && full_o))
  `ESP_ASSERT(NoUnderflow, !(pop_i && empty_o))
endmodule
