// One lane: P int8 multiply-accumulates and the rows it has finished. Without split the pixels share a weight; with s
// segments each segment has its own, and may be given the pixels of one of them.
//
// A row is announced when its last entry is issued (announce_i, with its tag) and its accumulators arrive five cycles
// later; ready_o says that another row may be announced. Finished rows leave oldest first.
`include "esp_assert.svh"

module esp_lane #(
    parameter int unsigned Pixels  = 16,
    parameter int unsigned TagBits = 17,
    parameter int unsigned RowBits = 11,
    parameter int unsigned LineWeights = 4
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
  localparam int unsigned SplitBits = $clog2(LineWeights < Pixels ? LineWeights : Pixels);  // of the largest split

  // Row bookkeeping: announced_q counts rows announced and not yet popped, arrived_q those whose accumulators are there.
  logic [TagBits+RowBits-1:0] tags[Depth];
  logic [Pixels*32-1:0] results[Depth];
  logic [PtrBits-1:0] tag_write_q, result_write_q, read_q;
  logic [PtrBits:0] announced_q, arrived_q;
  logic [RowBits-1:0] row_q;

  assign ready_o = !announced_q[PtrBits];
  assign result_valid_o = arrived_q != 0;
  assign result_tag_o = tags[read_q];
  assign result_o = results[read_q];

  logic operand_valid_q, operand_last_q, operand_maximum_q;
  logic product_valid_q, product_last_q, product_maximum_q;
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
      operand_valid_q   <= 1'b0;
      operand_last_q    <= 1'b0;
      product_valid_q   <= 1'b0;
      product_last_q    <= 1'b0;
      fresh_q           <= 1'b1;
    end else begin
      operand_valid_q <= valid_i;
      operand_last_q  <= last_i;
      product_valid_q <= operand_valid_q;
      product_last_q  <= operand_last_q;
      if (product_valid_q || product_last_q) fresh_q <= product_last_q;

      if (announce_i || product_last_q || pop_i) begin
        if (announce_i) tag_write_q <= tag_write_q + 1'b1;
        if (product_last_q) result_write_q <= result_write_q + 1'b1;
        if (pop_i) read_q <= read_q + 1'b1;
        announced_q <= announced_q + {{PtrBits{1'b0}}, announce_i} - {{PtrBits{1'b0}}, pop_i};
        arrived_q   <= arrived_q + {{PtrBits{1'b0}}, product_last_q} - {{PtrBits{1'b0}}, pop_i};
      end
      if (restart_i) row_q <= '0;
      else if (announce_i) row_q <= row_q + 1'b1;
    end
    operand_maximum_q <= maximum_i;
    product_maximum_q <= operand_maximum_q;
  end

  // Datapath: operand, product, accumulator. One block in reverse order of the pipeline with blocking assignments: every
  // stage sees what the stage before it held before the edge. Modes are decided once for all pixels, which is what
  // makes simulation fast. Each pixel has its weight in a register of its own, so that it has one multiplier; pixels of
  // the smallest segment always share a weight, and synthesis merges their registers.
  logic signed [7:0]   weight_q[Pixels];
  logic signed [7:0]   operand_q[Pixels];
  logic signed [15:0]  product_q[Pixels];
  logic signed [31:0]  accumulator_q[Pixels];
  logic signed [31:0]  next[Pixels];
  logic [Pixels-1:0]   wins;
  logic [Pixels*8-1:0] broadcast_word;

  // Segment g of s given to all: pixel p takes the pixel whose high log2 s bits are g and whose low bits are those of p.
  always_comb begin
    broadcast_word = '0;
    if (valid_i && broadcast_i) begin
      broadcast_word = word_i;
      for (int unsigned s = 1; s <= SplitBits; s++) begin
        if (32'(split_i) >= s) broadcast_word = half_to_both(broadcast_word, s, segment_i[2'(split_i-2'(s))]);
      end
    end
  end

  // Of every block of P >> (s - 1) pixels, one half in the place of both.
  function automatic logic [Pixels*8-1:0] half_to_both(input logic [Pixels*8-1:0] word, input int unsigned s,
                                                       input logic upper);
    for (int unsigned p = 0; p < Pixels; p++) begin
      half_to_both[p*8+:8] = upper ? word[(p|(Pixels>>s))*8+:8] : word[(p&~(Pixels>>s))*8+:8];
    end
  endfunction

  // Behind the accumulator. A maximum starts from -128; between products 16 bits tell everything.
  always_comb begin
    if (product_maximum_q) begin
      for (int p = 0; p < Pixels; p++) begin
        wins[p] = product_valid_q &&
                  (fresh_q ? product_q[p] > -16'sd128 : product_q[p] > $signed(accumulator_q[p][15:0]));
        next[p] = wins[p] ? 32'(product_q[p]) : fresh_q ? -32'sd128 : accumulator_q[p];
      end
    end else begin
      wins = '0;
      for (int p = 0; p < Pixels; p++) next[p] = accumulator_q[p] + (product_valid_q ? 32'(product_q[p]) : 32'sd0);
    end
  end

  always_ff @(posedge clk_i) begin
    if (product_last_q) begin
      for (int p = 0; p < Pixels; p++) results[result_write_q][p*32+:32] = next[p];
    end
    // Every row starts from 0.
    if (product_last_q || !rst_ni) begin
      for (int p = 0; p < Pixels; p++) accumulator_q[p] = 32'sd0;
    end else if (product_valid_q) begin
      for (int p = 0; p < Pixels; p++) accumulator_q[p] = next[p];
    end
    if (operand_valid_q) begin
      for (int p = 0; p < Pixels; p++) product_q[p] = operand_q[p] * weight_q[p];
    end
    if (valid_i) begin
      if (split_i == '0) begin
        for (int p = 0; p < Pixels; p++) weight_q[p] = weight_i[7:0];
      end
      for (int unsigned s = 1; s <= SplitBits; s++) begin
        if (split_i == 2'(s)) begin
          for (int p = 0; p < Pixels; p++) weight_q[p] = weight_i[(p/(Pixels>>s))*8+:8];
        end
      end
      if (broadcast_i) begin
        for (int p = 0; p < Pixels; p++) operand_q[p] = broadcast_word[p*8+:8];
      end else begin
        for (int p = 0; p < Pixels; p++) operand_q[p] = word_i[p*8+:8];
      end
    end
  end

  // Assertions
  // No row is announced or arrives without room, none leaves before it arrived.
  `ESP_ASSERT(AnnounceHasRoom, !(announce_i && !ready_o))
  `ESP_ASSERT(ArrivalWasAnnounced, arrived_q <= announced_q)
  `ESP_ASSERT(PopHasResult, !(pop_i && !result_valid_o))
endmodule
