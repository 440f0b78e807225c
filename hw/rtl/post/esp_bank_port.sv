// Port B of one bank: lanes first, then queued results, then store reads, then load writes.
//
// Results wait in a queue for a cycle in which the lanes leave the port idle. Stores and loads see the bank only while
// the queue is empty, so they never overtake a result.
`include "esp_assert.svh"

module esp_bank_port #(
    parameter int unsigned Bytes   = 16,
    parameter int unsigned RowBits = 12,
    parameter int unsigned Writers = 2
) (
    input  logic               clk_i,
    input  logic               rst_ni,
    // Lanes of the second group
    input  logic               lane_read_i,
    input  logic [RowBits-1:0] lane_row_i,
    // Results of the writers; one word a cycle, that of the first writer that offers one
    input  logic [Writers-1:0]         push_i,
    input  logic [Writers*RowBits-1:0] push_row_i,
    input  logic [Writers*Bytes-1:0]   push_enable_i,
    input  logic [Writers*Bytes*8-1:0] push_data_i,
    output logic                       full_o,     // no result is taken
    output logic                       queue_empty_o,
    // Store and load units
    input  logic               store_i,
    input  logic [RowBits-1:0] store_row_i,
    output logic               store_grant_o,
    input  logic               load_i,
    input  logic [RowBits-1:0] load_row_i,
    input  logic [Bytes*8-1:0] load_data_i,
    output logic               load_grant_o,
    // Bank
    output logic               read_o,
    output logic               write_o,
    output logic [RowBits-1:0] row_o,
    output logic [Bytes-1:0]   enable_o,
    output logic [Bytes*8-1:0] data_o
);
  localparam int unsigned Depth   = esp_abi_pkg::QueueDepth;
  localparam int unsigned PtrBits = $clog2(Depth);
  localparam int unsigned WriterBits = Writers > 1 ? $clog2(Writers) : 1;

  logic [RowBits+Bytes*9-1:0] entries[Depth];  // {row, enable, data}
  logic [PtrBits-1:0] write_q, read_q;
  logic [PtrBits:0]   count_q;
  logic push, pop, free;
  logic [WriterBits-1:0] first;  // of the writers that offer a word; used where it is computed

  assign full_o        = count_q[PtrBits];
  assign push          = push_i != '0 && !full_o;
  assign queue_empty_o = count_q == 0;

  // Who has the port. One block with an early way out: in most cycles most banks serve nobody but the lanes, and the
  // simulation then evaluates next to nothing.
  assign free = !lane_read_i && (store_i || load_i || !queue_empty_o);
  always_comb begin
    pop           = 1'b0;
    store_grant_o = 1'b0;
    load_grant_o  = 1'b0;
    row_o         = lane_row_i;
    enable_o      = '1;
    data_o        = 'x;
    if (free) begin
      if (!queue_empty_o) begin
        pop = 1'b1;
        {row_o, enable_o, data_o} = entries[read_q];
      end else if (store_i) begin
        store_grant_o = 1'b1;
        row_o         = store_row_i;
      end else begin
        load_grant_o = 1'b1;
        row_o        = load_row_i;
        data_o       = load_data_i;
      end
    end
  end
  assign read_o  = lane_read_i || store_grant_o;
  assign write_o = pop || load_grant_o;

  // Entries are written blocking, which spares the simulation delayed copies: nobody reads the entry that is being
  // written, since it is at the head only once the queue is not empty.
  always_ff @(posedge clk_i) begin
    if (push) begin
      first = '0;
      for (int w = Writers - 1; w >= 0; w--) if (push_i[w]) first = WriterBits'(w);
      entries[write_q] = {
        push_row_i[32'(first)*RowBits+:RowBits],
        push_enable_i[32'(first)*Bytes+:Bytes],
        push_data_i[32'(first)*Bytes*8+:Bytes*8]
      };
    end
    if (!rst_ni) begin
      write_q <= '0;
      read_q  <= '0;
      count_q <= '0;
    end else if (push || pop) begin
      if (push) write_q <= write_q + 1'b1;
      if (pop) read_q <= read_q + 1'b1;
      count_q <= count_q + {{PtrBits{1'b0}}, push} - {{PtrBits{1'b0}}, pop};
    end
  end

  // Assertions
  // The queue neither overflows nor loses a word.
  `ESP_ASSERT(QueueBounded, 32'(count_q) <= Depth)
  `ESP_COVER(QueueIsFull, 32'(count_q) == Depth)
  `ESP_COVER(WritersMeet, (push_i & (push_i - 1'b1)) != '0)
endmodule
