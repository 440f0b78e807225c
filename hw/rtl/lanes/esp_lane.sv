// One lane: P int8 multiply-accumulates and the rows it has finished. Without split the pixels share a weight; with s
// segments each segment has its own, and may be given the pixels of one of them.
//
// A row is announced when its last entry is issued (announce_i, with its tag); five cycles later it may be popped.
// ready_o says that another row may be announced. Finished rows leave oldest first. The accumulators of the row popped
// last are at result_o from the cycle after pop_i on; they are written in the first cycle in which they can be popped.
`include "esp_assert.svh"

module esp_lane #(
    parameter int unsigned Pixels  = 16,
    parameter int unsigned TagBits = 17,
    parameter int unsigned RowBits = 11,
    parameter int unsigned LineWeights = 4,
    parameter int unsigned PackProducts = 1
) (
    input  logic                      clk_i,
    input  logic                      rst_ni,
    // Issue: bookkeeping of rows
    input  logic                      announce_i,
    input  logic                      restart_i,  // the position ends with this slot: rows count from 0 again
    input  logic [TagBits-1:0]        tag_i,
    output logic                      ready_o,
    // Crossbar: entry and its word
    input  logic                      valid_i,
    input  logic                      last_i,
    input  logic                      maximum_i,
    input  logic [1:0]                split_i,      // log2 of s
    input  logic                      broadcast_i,
    input  logic [LineWeights*8-1:0]  weight_i,     // of segment 0 first
    input  logic [2:0]                segment_i,
    input  logic [Pixels*8-1:0]       word_i,
    // Finished rows
    input  logic                      pop_i,
    output logic                      result_valid_o,
    output logic [TagBits+RowBits-1:0] result_tag_o,  // {row, tag}
    output logic [Pixels*32-1:0]      result_o
);
  localparam int unsigned Depth = esp_abi_pkg::ResultDepth;
  localparam int unsigned PtrBits = $clog2(Depth);
  localparam int unsigned MaxSplit = LineWeights < Pixels ? LineWeights : Pixels;
  localparam int unsigned SplitBits = $clog2(MaxSplit);
  localparam int unsigned Granule = Pixels / MaxSplit;  // pixels that share a weight in every split

  // Row bookkeeping: announced_q counts rows announced and not yet popped, arrived_q those that may be popped. The memory
  // of results has twice the places, so that the row popped last stays while Depth rows follow it.
  logic [TagBits+RowBits-1:0] tags[Depth];
  logic [Pixels*32-1:0] results[2*Depth];
  logic [PtrBits-1:0] tag_write_q;
  logic [PtrBits:0] result_write_q, read_q, shown_q, announced_q, arrived_q;
  logic [RowBits-1:0] row_q;

  assign ready_o = !announced_q[PtrBits];
  assign result_valid_o = arrived_q != 0;
  assign result_tag_o = tags[read_q[PtrBits-1:0]];
  assign result_o = results[shown_q];

  logic operand_step_q, operand_last_q, operand_first_q;  // an entry, or the end of a row without one
  logic product_last_q, sum_last_q;
  logic fresh_q;  // the next entry starts a row

  always_ff @(posedge clk_i) begin
    if (announce_i) tags[tag_write_q] = {row_q, tag_i};
    if (!rst_ni) begin
      tag_write_q       <= '0;
      result_write_q    <= '0;
      read_q            <= '0;
      announced_q       <= '0;
      arrived_q         <= '0;
      row_q             <= '0;
      operand_step_q    <= 1'b0;
      operand_last_q    <= 1'b0;
      product_last_q    <= 1'b0;
      sum_last_q        <= 1'b0;
      fresh_q           <= 1'b1;
    end else begin
      operand_step_q <= valid_i || last_i;
      operand_last_q <= last_i;
      product_last_q <= operand_last_q;
      sum_last_q     <= product_last_q;
      if (valid_i || last_i) fresh_q <= last_i;
      if (sum_last_q) result_write_q <= result_write_q + 1'b1;

      if (announce_i || product_last_q || pop_i) begin
        if (announce_i) tag_write_q <= tag_write_q + 1'b1;
        if (pop_i) read_q <= read_q + 1'b1;
        announced_q <= announced_q + {{PtrBits{1'b0}}, announce_i} - {{PtrBits{1'b0}}, pop_i};
        arrived_q   <= arrived_q + {{PtrBits{1'b0}}, product_last_q} - {{PtrBits{1'b0}}, pop_i};
      end
      if (restart_i) row_q <= '0;
      else if (announce_i) row_q <= row_q + 1'b1;
    end
    operand_first_q <= fresh_q || maximum_i;
    if (pop_i) shown_q <= read_q;
  end

  // Operands. Modes are decided once for all pixels, which is what makes simulation fast.
  //
  // Sums: an end of row without an entry counts as an entry of weight 0, so that a row without any is 0.
  // Maxima: the operand register keeps the greatest pixel of the row so far, or -128 if there is none, and passes as its
  // own product; the weight is 1.
  logic [Pixels*8-1:0]   operand_q;
  logic [MaxSplit*8-1:0] weight_q;
  logic [Pixels*32-1:0]  sum;
  logic [Pixels*8-1:0]   word;
  logic [Pixels-1:0]     holds;  // the pixel of the row so far is the maximum

  // Segment g of s given to all: granule q takes the granule whose high log2 s bits are g and whose low bits are its own.
  always_comb begin
    word = word_i;
    if (valid_i && broadcast_i) begin
      for (int unsigned q = 0; q < MaxSplit; q++) begin
        word[q*Granule*8+:Granule*8] = word_i[source(q, split_i, segment_i)*Granule*8+:Granule*8];
      end
    end
  end

  function automatic logic [31:0] source(input int unsigned granule, input logic [1:0] split, input logic [2:0] segment);
    logic [31:0] own;  // bits of a granule within its segment
    own    = SplitBits - 32'(split);
    source = ((32'(segment) << own) | (granule & ((32'd1 << own) - 32'd1))) % MaxSplit;
  endfunction

  always_comb begin
    holds = '0;
    if (maximum_i && !fresh_q) begin
      for (int p = 0; p < Pixels; p++) holds[p] = $signed(word[p*8+:8]) <= $signed(operand_q[p*8+:8]);
    end
  end

  always_ff @(posedge clk_i) begin
    if (sum_last_q) results[result_write_q] = sum;
    if (maximum_i && fresh_q && last_i && !valid_i) begin
      operand_q <= {Pixels{8'h80}};
    end else if (valid_i) begin
      if (holds == '0) operand_q <= word;
      else begin
        for (int p = 0; p < Pixels; p++) if (!holds[p]) operand_q[p*8+:8] <= word[p*8+:8];
      end
    end
    if (maximum_i) begin
      weight_q <= {MaxSplit{8'd1}};
    end else if (!valid_i) begin
      weight_q <= '0;
    end else begin
      if (split_i == '0) weight_q <= {MaxSplit{weight_i[7:0]}};
      for (int unsigned s = 1; s <= SplitBits; s++) begin
        if (split_i == 2'(s)) begin
          for (int unsigned q = 0; q < MaxSplit; q++) weight_q[q*8+:8] <= weight_i[(q/(MaxSplit>>s))*8+:8];
        end
      end
    end
  end

  esp_products #(
      .Pixels(Pixels),
      .Granule(Granule),
      .PackProducts(PackProducts != 0 && Granule > 1 ? 1 : 0)
  ) u_products (
      .clk_i,
      .step_i(operand_step_q),
      .first_i(operand_first_q),
      .operand_i(operand_q),
      .weight_i(weight_q),
      .sum_o(sum)
  );

  // Assertions
  // No row is announced or arrives without room, none leaves before it arrived.
  `ESP_ASSERT(AnnounceHasRoom, !(announce_i && !ready_o))
  `ESP_ASSERT(ArrivalWasAnnounced, arrived_q <= announced_q)
  `ESP_ASSERT(PopHasResult, !(pop_i && !result_valid_o))
endmodule
