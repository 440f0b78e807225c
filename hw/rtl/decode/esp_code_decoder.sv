// Decodes coded streams (FormatFixed, FormatHuffman, FormatVector) into slots of K entries, a step of all lanes per cycle.
//
// A lane (esp_code_lane) reads from the words it has, and takes another in the same cycle if it holds two; so no path
// leads from the words dealt to the bits decoded.
`include "esp_assert.svh"

module esp_code_decoder #(
    parameter int unsigned Lanes  = 16,
    parameter int unsigned Pixels = 16,
    localparam int unsigned StoredBits = esp_abi_pkg::EntryLastLsb + 1,
    localparam int unsigned VectorBits = esp_abi_pkg::vector_bits(Lanes, Pixels)
) (
    input  logic                clk_i,
    input  logic                rst_ni,
    // Command
    input  logic                start_i,      // its fields are taken
    input  logic [511:0]        command_i,
    input  logic                run_i,        // slots of it are left
    // Code table
    input  logic                code_write_i,
    input  logic [8:0]          code_addr_i,
    input  logic [31:0]         code_data_i,
    // Beats
    input  logic                more_i,       // beats of the run are still to be popped
    input  logic                beat_valid_i,
    input  logic [511:0]        beat_i,
    output logic                beat_pop_o,
    // Slots
    output logic                slot_valid_o,
    input  logic                slot_ready_i,
    output logic [Lanes*StoredBits-1:0] slot_o,  // {last, valid, offset, weight} of each lane
    output logic [Lanes*VectorBits-1:0] vector_o,  // FormatVector: see esp_vector_symbols
    output logic                ended_o       // the stream ends here: no lane reads on, and there are no more words
);
  localparam int unsigned MaxLength = esp_abi_pkg::CodeMaxLength;

  // ---- Code table ----
  logic [MaxLength*13-1:0] limit_q[2];  // of gap and value codes of index + 1 bits
  logic [MaxLength*8-1:0]  base_q[2];

  // Steps stand in falling order below the lengths.
  localparam int unsigned StepBits = $clog2(esp_abi_pkg::CodeSteps);
  logic       is_step;
  logic [8:0] step_index;

  assign step_index = 9'(esp_abi_pkg::CodeStepZero) - code_addr_i;
  assign is_step    = 32'(step_index) < esp_abi_pkg::CodeSteps;

  always_ff @(posedge clk_i) begin
    if (code_write_i && code_addr_i[8]) begin
      for (int l = 0; l < MaxLength; l++) begin
        if (32'(code_addr_i) == esp_abi_pkg::CodeGapLengths + l) begin
          limit_q[0][l*13+:13] <= code_data_i[esp_abi_pkg::CodeLimitLsb+:13];
          base_q[0][l*8+:8]  <= code_data_i[esp_abi_pkg::CodeBaseLsb+:8];
        end
        if (32'(code_addr_i) == esp_abi_pkg::CodeValueLengths + l) begin
          limit_q[1][l*13+:13] <= code_data_i[esp_abi_pkg::CodeLimitLsb+:13];
          base_q[1][l*8+:8]  <= code_data_i[esp_abi_pkg::CodeBaseLsb+:8];
        end
      end
    end
  end

  // ---- Command and rounds ----
  logic       huffman_q, two_steps_q, second_q, vector_q;
  logic [16:0] columns_q;
  logic [3:0] gap_bits_q, value_bits_q;
  logic [1:0] prime_q;  // rounds without a step so far
  logic       served, dry, round, step;
  logic [Lanes-1:0]    want, take;
  logic [Lanes*32-1:0] word;
  logic [Lanes*2-1:0]  count;     // words that each lane holds
  logic [Lanes-1:0] empty;
  logic [Lanes-1:0] over;         // FormatVector: the lane reads no more
  logic [Lanes-1:0] readable;     // FormatVector: it has a symbol
  logic [Lanes-1:0] fresh_q;        // the lane took its word of this round in a cycle before the last one

  for (genvar k = 0; k < Lanes; k++) begin : gen_want
    assign want[k]  = count[k*2+:2] <= prime_q && !over[k] && !fresh_q[k];
    assign empty[k] = vector_q ? over[k] || !readable[k] : count[k*2+:2] == '0;
  end

  // The words of a round are not seen by its step, nor do they end the stream before it.
  assign ended_o      = (dry || (vector_q && over == '1)) && fresh_q == '0 && prime_q == 2'd2 && !second_q &&
                        empty == '1;
  assign slot_valid_o = run_i && !ended_o && served && prime_q == 2'd2 && (second_q || !two_steps_q);
  assign round        = run_i && !ended_o && served && (!slot_valid_o || slot_ready_i);
  assign step         = round && prime_q == 2'd2;

  esp_word_dealer #(
      .Lanes(Lanes)
  ) u_dealer (
      .clk_i,
      .rst_ni,
      .start_i,
      .run_i,
      .more_i,
      .beat_valid_i,
      .beat_i,
      .beat_pop_o,
      .want_i(want),
      .take_o(take),
      .word_o(word),
      .served_o(served),
      .dry_o(dry)
  );

  // ---- Lanes ----
  localparam int unsigned Products = esp_abi_pkg::vector_products(Lanes, Pixels);
  logic [Products*7-1:0] symbol_end;  // bits of a symbol, of two, ..

  always_comb begin
    for (int unsigned i = 0; i < Products; i++) begin
      symbol_end[i*7+:7] = 7'((i + 1) * (32'(gap_bits_q) + 32'(value_bits_q)));
    end
  end

  for (genvar k = 0; k < Lanes; k++) begin : gen_lane
    esp_code_lane #(
        .Pixels(Pixels),
        .Products(Products)
    ) u_lane (
        .clk_i,
        .start_i,
        .run_i,
        .step_i(step),
        .fresh_i(fresh_q[k]),
        .huffman_i(huffman_q),
        .second_i(second_q),
        .vector_i(vector_q),
        .gap_bits_i(gap_bits_q),
        .value_bits_i(value_bits_q),
        .end_i(symbol_end),
        .columns_i(columns_q),
        .symbol_write_i(code_write_i && !code_addr_i[8]),
        .symbol_addr_i(code_addr_i[7:0]),
        .gap_step_write_i(code_write_i && code_addr_i[8] && is_step),
        .gap_step_addr_i(StepBits'(step_index)),
        .gap_i(code_data_i[esp_abi_pkg::CodeGapLsb+:24]),
        .weight_i(code_data_i[esp_abi_pkg::CodeWeightLsb+:8]),
        .limit_i(limit_q[second_q]),
        .base_i(base_q[second_q]),
        .take_i(take[k]),
        .word_i(word[k*32+:32]),
        .count_o(count[k*2+:2]),
        .readable_o(readable[k]),
        .over_o(over[k]),
        .entry_o(slot_o[k*StoredBits+:StoredBits]),
        .symbols_o(vector_o[k*VectorBits+:VectorBits])
    );
  end

  always_ff @(posedge clk_i) begin
    fresh_q <= start_i || round ? '0 : fresh_q | take;
    if (start_i) begin
      huffman_q    <= command_i[esp_abi_pkg::CmdFormatLsb+:8] == 8'(esp_abi_pkg::FormatHuffman);
      two_steps_q  <= command_i[esp_abi_pkg::CmdFormatLsb+:8] == 8'(esp_abi_pkg::FormatHuffman) &&
                      command_i[esp_abi_pkg::CmdValueBitsLsb+:8] == 8'(esp_abi_pkg::ValueHuffman);
      vector_q     <= command_i[esp_abi_pkg::CmdFormatLsb+:8] == 8'(esp_abi_pkg::FormatVector);
      columns_q    <= command_i[esp_abi_pkg::CmdColumnsLsb+:17];
      gap_bits_q   <= command_i[esp_abi_pkg::CmdGapBitsLsb+:4];
      value_bits_q <= command_i[esp_abi_pkg::CmdValueBitsLsb+:8] == 8'(esp_abi_pkg::ValueHuffman) ?
                      4'd0 : command_i[esp_abi_pkg::CmdValueBitsLsb+:4];
      prime_q      <= '0;
      second_q     <= 1'b0;
    end else if (round) begin
      if (prime_q != 2'd2) prime_q <= prime_q + 2'd1;
      if (step) second_q <= two_steps_q && !second_q;
    end
  end

  // Assertions
  // A lane that decodes holds two words unless the run has no more; of FormatVector, it may have read two in a step.
  logic [Lanes-1:0] provided, roomy;
  for (genvar k = 0; k < Lanes; k++) begin : gen_provided
    assign provided[k] = count[k*2+:2] >= 2'd2 || vector_q;
    assign roomy[k]    = !take[k] || count[k*2+:2] != 2'd3;
  end
  `ESP_ASSERT(LanesHoldTwoWords, !step || !more_i || provided == '1)
  `ESP_ASSERT(WordsHavePlaces, roomy == '1)
  `ESP_COVER(SlotWaits, slot_valid_o && !slot_ready_i)
endmodule
