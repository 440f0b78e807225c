// Brings every lane the word it addresses: two pipeline stages from entries to bank rows, the banks' read cycle, and the
// crossbar from the banks' outputs to the lanes. Lanes 8g..8g+7 share one read port of every bank; the schedule sees to
// it that lanes of a group which meet in a bank want the same row. Of WeightsVector every lane has two banks to itself;
// it is given a word of the bytes that it multiplies, each in the first pixel of a segment.
`include "esp_assert.svh"

module esp_lane_router #(
    parameter int unsigned Lanes    = 16,
    parameter int unsigned Pixels   = 16,
    parameter int unsigned LineBits = 53,
    parameter int unsigned BankRows = 4096,
    parameter int unsigned Coded    = 1,  // 0: there is no WeightsVector
    localparam int unsigned VectorBits = esp_abi_pkg::vector_bits(Lanes, Pixels)
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,
    // Issue: a slot of the line, see esp_sequencer
    input  logic                            issue_i,
    input  logic [Lanes*LineBits-1:0]       line_i,
    input  logic [Lanes*VectorBits-1:0]     vector_i,  // slot of WeightsVector, see esp_vector_symbols
    input  logic [2:0]                      slot_i,
    input  logic [Lanes-1:0]                valid_i,
    input  logic [Lanes-1:0]                last_i,
    input  logic [15:0]                     offset_i,
    input  logic [2:0]                      segment_i,
    input  logic [1:0]                      weights_i,
    input  logic [1:0]                      split_i,
    input  logic                            broadcast_i,
    input  logic                            maximum_i,
    input  logic [15:0]                     base_i,
    // Bank ports: row and enable per group and bank, in the cycle of the read; data in the next cycle
    output logic [Groups*16-1:0]            read_o,
    output logic [Groups*16*RowBits-1:0]    row_o,
    input  logic [Groups*16*Pixels*8-1:0]   data_i,
    // Lanes, one cycle after the read
    output logic [Lanes-1:0]                valid_o,
    output logic [Lanes-1:0]                last_o,
    output logic                            maximum_o,
    output logic [1:0]                      split_o,
    output logic                            broadcast_o,
    output logic [Lanes*LineWeights*8-1:0]  weight_o,
    output logic [Lanes*3-1:0]              segment_o,
    output logic [Lanes*Pixels*8-1:0]       word_o
);
  localparam int unsigned PortLanes   = esp_abi_pkg::LanesPerPort;
  localparam int unsigned Groups      = (Lanes + PortLanes - 1) / PortLanes;
  localparam int unsigned RowBits     = $clog2(BankRows);
  localparam int unsigned LineWeights = 64 / Lanes;
  localparam int unsigned WeightBits  = LineWeights * 8;
  localparam int unsigned SparseSlots = LineWeights > 2 ? 2 : 1;

  localparam int unsigned Products    = esp_abi_pkg::vector_products(Lanes, Pixels);
  localparam int unsigned ByteBits    = $clog2(Pixels);
  localparam int unsigned WordBits    = 16 - ByteBits;  // of the number of a word of the vector
  localparam int unsigned ProductBits = 9 + ByteBits;   // {word, byte, weight}
  localparam int unsigned SelectBits  = 1 + ByteBits;
  localparam int unsigned WordsLsb    = Products * ProductBits;

  // What is the same for all lanes travels in one vector: {WeightsVector, segment is given to all, log2 of s, maximum}.
  logic [4:0]                  address_mode_q, route_mode_q, word_mode_q;
  logic                        vector;
  // WeightsVector: the second word of a lane, and the bytes of its products.
  logic [Lanes-1:0]                     second_valid_q;
  logic [Lanes*RowBits-1:0]             second_row_q;
  logic [Lanes*Products*SelectBits-1:0] address_select_q, route_select_q, word_select_q;

  assign vector = Coded != 0 && weights_i == 2'(esp_abi_pkg::WeightsVector);
  // Entries with their addresses, then with their banks: fields that travel beside the read.
  logic [Lanes-1:0]            address_valid_q, address_last_q, route_valid_q, route_last_q, word_valid_q, word_last_q;
  logic [Lanes*16-1:0]         address_q;
  logic [Lanes*WeightBits-1:0] address_weight_q, route_weight_q, word_weight_q;
  logic [Lanes*3-1:0]          address_segment_q, route_segment_q, word_segment_q;
  logic [Lanes*4-1:0]          route_bank_q, word_bank_q;

  // Rows by group and bank.
  logic [Groups*16-1:0]         read;
  logic [Groups*16*RowBits-1:0] row;

  esp_bank_rows #(
      .Lanes(Lanes),
      .RowBits(RowBits),
      .Coded(Coded)
  ) u_rows (
      .valid_i(address_valid_q),
      .address_i(address_q),
      .vector_i(address_mode_q[4]),
      .second_valid_i(second_valid_q),
      .second_row_i(second_row_q),
      .read_o(read),
      .row_o(row)
  );

  // Where the slot is in the line, see esp_line_store: the byte of its first weight, and whether its offset is in weights.
  logic       sparse, first_of_two;
  logic [2:0] first_byte;

  assign sparse       = weights_i == 2'(esp_abi_pkg::WeightsSparse);
  assign first_of_two = SparseSlots > 1 && sparse && !slot_i[0];
  assign first_byte   = weights_i == 2'(esp_abi_pkg::WeightsDense) ? slot_i << split_i :
                        SparseSlots > 1 && sparse && slot_i[0] ? 3'(LineWeights - 1) : '0;

  // What is added to the address of the position, which of WeightsVector is a row.
  logic [15:0] base;
  logic [15:0] operand[Lanes];  // used where it is computed

  assign base = vector ? {base_i[15:4], 4'd0} : base_i;

  // The weights of a slot. Byte i is one of them only if s > i, and then the slot begins at a multiple of s.
  function automatic logic [WeightBits-1:0] slot_weights(input logic [WeightBits-1:0] weights, input logic [2:0] first);
    for (int i = 0; i < LineWeights; i++) begin
      slot_weights[i*8+:8] = weights[(32'(first)&(LineWeights-(1<<$clog2(i+1)))|i)*8+:8];
    end
  endfunction

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      address_valid_q <= '0;
      address_last_q  <= '0;
      route_valid_q   <= '0;
      route_last_q    <= '0;
      word_valid_q    <= '0;
      word_last_q     <= '0;
      read_o          <= '0;
    end else begin
      address_valid_q <= issue_i ? valid_i : '0;
      address_last_q  <= issue_i ? last_i : '0;
      route_valid_q   <= address_valid_q;
      route_last_q    <= address_last_q;
      word_valid_q    <= route_valid_q;
      word_last_q     <= route_last_q;
      read_o          <= read;
    end
    if (issue_i) begin
      address_mode_q <= vector ? {2'b10, 2'($clog2(Products)), maximum_i} : {1'b0, broadcast_i, split_i, maximum_i};
      if (vector) begin
        for (int k = 0; k < Lanes; k++) begin
          operand[k]      = {12'(vector_i[k*VectorBits+WordsLsb+:WordBits]), 4'(2 * (k % PortLanes))};
          second_row_q[k*RowBits+:RowBits] <= RowBits'(base_i[15:4] + 12'(vector_i[k*VectorBits+WordsLsb+WordBits+:WordBits]));
          for (int i = 0; i < Products; i++) begin
            address_weight_q[k*WeightBits+i*8+:8] <= vector_i[k*VectorBits+i*ProductBits+:8];
            address_select_q[(k*Products+i)*SelectBits+:SelectBits] <=
                vector_i[k*VectorBits+i*ProductBits+8+:SelectBits];
          end
        end
      end else begin
        for (int k = 0; k < Lanes; k++) begin
          operand[k] = weights_i == 2'(esp_abi_pkg::WeightsDense) ? offset_i :
                       first_of_two ? line_i[k*LineBits+8+:16] : line_i[k*LineBits+WeightBits+:16];
          address_weight_q[k*WeightBits+:WeightBits] <= slot_weights(line_i[k*LineBits+:WeightBits], first_byte);
          address_segment_q[k*3+:3] <= weights_i == 2'(esp_abi_pkg::WeightsDense) ? segment_i :
                                                                                  line_i[k*LineBits+WeightBits+18+:3];
        end
      end
      for (int k = 0; k < Lanes; k++) address_q[k*16+:16] <= base + operand[k];
    end
    row_o <= row;
    for (int k = 0; k < Lanes; k++) route_bank_q[k*4+:4] <= address_q[k*16+:4];
    route_weight_q  <= address_weight_q;
    route_segment_q <= address_segment_q;
    route_mode_q    <= address_mode_q;
    word_bank_q     <= route_bank_q;
    word_weight_q   <= route_weight_q;
    word_segment_q  <= route_segment_q;
    word_mode_q     <= route_mode_q;
    second_valid_q <= '0;
    if (issue_i && vector) begin
      for (int k = 0; k < Lanes; k++) second_valid_q[k] <= vector_i[k*VectorBits+VectorBits-2];
    end
    if (address_mode_q[4]) route_select_q <= address_select_q;
    if (route_mode_q[4]) word_select_q <= route_select_q;
  end

  assign valid_o     = word_valid_q;
  assign last_o      = word_last_q;
  assign weight_o    = word_weight_q;
  assign segment_o   = word_segment_q;
  assign maximum_o   = word_mode_q[0];
  assign split_o     = word_mode_q[2:1];
  assign broadcast_o = word_mode_q[3];

  // The crossbar. Simulation has a tree of decisions by the bits of the bank: it takes four branches and copies one word.
  for (genvar k = 0; k < Lanes; k++) begin : gen_crossbar
    localparam int unsigned Word   = Pixels * 8;
    localparam int unsigned Spread = Pixels / Products;  // pixels of a segment
    localparam int unsigned First  = k / PortLanes * 16;
    localparam int unsigned Pair   = First + 2 * (k % PortLanes);  // the first of its two banks of WeightsVector
    logic [3:0]      bank;
    logic [Word-1:0] word;
    assign bank = word_bank_q[k*4+:4];
`ifdef ESP_DSP48E2
    logic [Word-1:0] routed, gathered;

    esp_wide_mux #(
        .Width(Word),
        .Choices(16)
    ) u_bank (
        .words_i(data_i[First*Word+:16*Word]),
        .select_i(bank),
        .word_o(routed)
    );
    if (Coded != 0) begin : gen_gathered
      for (genvar i = 0; i < Products; i++) begin : gen_product
        logic [SelectBits-1:0] select;
        logic [7:0]            first, second;  // the byte of either word
        assign select = word_select_q[(k*Products+i)*SelectBits+:SelectBits];

        esp_wide_mux #(
            .Width(8),
            .Choices(Pixels)
        ) u_first (
            .words_i(data_i[Pair*Word+:Word]),
            .select_i(select[ByteBits-1:0]),
            .word_o(first)
        );
        esp_wide_mux #(
            .Width(8),
            .Choices(Pixels)
        ) u_second (
            .words_i(data_i[(Pair+1)*Word+:Word]),
            .select_i(select[ByteBits-1:0]),
            .word_o(second)
        );
        assign gathered[i*Spread*8+:8] = select[ByteBits] ? second : first;
        if (Spread > 1) begin : gen_rest
          assign gathered[i*Spread*8+8+:(Spread-1)*8] = '0;
        end
      end
    end else begin : gen_no_vector
      assign gathered = '0;
    end
    assign word = Coded != 0 && word_mode_q[4] ? gathered : routed;
`else
    always_comb begin
      if (Coded != 0 && word_mode_q[4]) begin
        word = '0;
        for (int i = 0; i < Products; i++) begin
          word[i*Spread*8+:8] = data_i[Pair*Word+32'(word_select_q[(k*Products+i)*SelectBits+:SelectBits])*8+:8];
        end
      end else begin
        if (bank[3]) begin
          if (bank[2]) begin
            if (bank[1]) word = bank[0] ? data_i[(First+15)*Word+:Word] : data_i[(First+14)*Word+:Word];
            else word = bank[0] ? data_i[(First+13)*Word+:Word] : data_i[(First+12)*Word+:Word];
          end else begin
            if (bank[1]) word = bank[0] ? data_i[(First+11)*Word+:Word] : data_i[(First+10)*Word+:Word];
            else word = bank[0] ? data_i[(First+9)*Word+:Word] : data_i[(First+8)*Word+:Word];
          end
        end else begin
          if (bank[2]) begin
            if (bank[1]) word = bank[0] ? data_i[(First+7)*Word+:Word] : data_i[(First+6)*Word+:Word];
            else word = bank[0] ? data_i[(First+5)*Word+:Word] : data_i[(First+4)*Word+:Word];
          end else begin
            if (bank[1]) word = bank[0] ? data_i[(First+3)*Word+:Word] : data_i[(First+2)*Word+:Word];
            else word = bank[0] ? data_i[(First+1)*Word+:Word] : data_i[(First+0)*Word+:Word];
          end
        end
      end
    end
`endif
    assign word_o[k*Word+:Word] = word;
  end
endmodule
