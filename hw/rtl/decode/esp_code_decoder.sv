// Decodes coded streams (FormatFixed, FormatHuffman, FormatVector) into slots of K entries, a step of all lanes per cycle.
//
// A lane holds up to three words. It reads from those it has, of the first two formats always the first two, and takes
// another in the same cycle if it holds two; so no path leads from the words dealt to the bits decoded.
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
  logic [23:0] gap_table[256];     // {step, extra, last, valid, gap}
  logic [7:0]  weight_table[256];
  logic [15:0] step_table[esp_abi_pkg::CodeSteps];
  logic [12:0] limit_q[2][MaxLength];  // of gap and value codes of index + 1 bits
  logic [7:0]  base_q[2][MaxLength];

  // Steps stand in falling order below the lengths.
  localparam int unsigned StepBits = $clog2(esp_abi_pkg::CodeSteps);
  logic       is_step;
  logic [8:0] step_index;

  assign step_index = 9'(esp_abi_pkg::CodeStepZero) - code_addr_i;
  assign is_step    = 32'(step_index) < esp_abi_pkg::CodeSteps;

  always_ff @(posedge clk_i) begin
    if (code_write_i && !code_addr_i[8]) begin
      gap_table[code_addr_i[7:0]]    <= code_data_i[esp_abi_pkg::CodeGapLsb+:24];
      weight_table[code_addr_i[7:0]] <= code_data_i[esp_abi_pkg::CodeWeightLsb+:8];
    end
    if (code_write_i && is_step) step_table[StepBits'(step_index)] <= code_data_i[esp_abi_pkg::CodeGapLsb+:16];
    for (int l = 0; l < MaxLength; l++) begin
      if (code_write_i && 32'(code_addr_i) == esp_abi_pkg::CodeGapLengths + l) begin
        limit_q[0][l] <= code_data_i[esp_abi_pkg::CodeLimitLsb+:13];
        base_q[0][l]  <= code_data_i[esp_abi_pkg::CodeBaseLsb+:8];
      end
      if (code_write_i && 32'(code_addr_i) == esp_abi_pkg::CodeValueLengths + l) begin
        limit_q[1][l] <= code_data_i[esp_abi_pkg::CodeLimitLsb+:13];
        base_q[1][l]  <= code_data_i[esp_abi_pkg::CodeBaseLsb+:8];
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

  logic [31:0] words_q[Lanes][3];
  logic [1:0]  count_q[Lanes];
  logic [4:0]  bit_q[Lanes];
  logic [15:0] address_q[Lanes];
  logic [Lanes-1:0] valid_q, last_q;  // between the two steps of a slot
  logic [Lanes-1:0] empty;
  logic [Lanes-1:0] over_q;         // FormatVector: the lane reads no more
  logic [Lanes-1:0] over, readable; // after this step; it has a symbol

  for (genvar k = 0; k < Lanes; k++) begin : gen_want
    assign want[k]  = count_q[k] <= prime_q && !over_q[k];
    assign empty[k] = vector_q ? over_q[k] || !readable[k] : count_q[k] == '0;
  end

  assign ended_o      = (dry || (vector_q && over_q == '1)) && prime_q == 2'd2 && !second_q && empty == '1;
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

  // ---- What the lanes read ----
  logic [31:0] bits;
  logic [23:0] behind;  // the gap symbol
  logic [11:0] code;
  logic [3:0]  length;
  logic [7:0]  index;
  logic [23:0] symbol;
  logic [4:0]  extra;
  logic [15:0] number;  // in the extra bits
  logic [7:0]  tail;    // that begins with the value symbol
  logic [15:0] address[Lanes];
  logic [6:0]  used[Lanes];
  logic [Lanes-1:0] valid, last;

  always_comb begin
    slot_o  = '0;
    valid   = '0;
    last    = '0;
    bits    = '0;
    behind  = '0;
    code    = '0;
    length  = '0;
    index   = '0;
    symbol  = '0;
    extra   = '0;
    number  = '0;
    tail    = '0;
    for (int k = 0; k < Lanes; k++) address[k] = address_q[k];
    for (int k = 0; k < Lanes; k++) used[k] = '0;
    if (run_i && vector_q) begin
      for (int k = 0; k < Lanes; k++) used[k] = symbol_bits[k*7+:7];
    end else if (run_i) begin
      for (int k = 0; k < Lanes; k++) begin
        bits   = 32'({words_q[k][0], words_q[k][1]} << bit_q[k] >> 32);
        code   = bits[31:20];
        length = gap_bits_q;
        index  = bits[31:24] >> (4'd8 - gap_bits_q);
        if (huffman_q) begin
          length = 4'(MaxLength);
          index  = '0;
          for (int l = MaxLength - 1; l >= 0; l--) begin
            if (13'(code) < limit_q[second_q][l]) begin
              length = 4'(l + 1);
              index  = base_q[second_q][l] + 8'(code >> (MaxLength - 1 - l));
            end
          end
        end
        if (second_q) begin
          valid[k] = valid_q[k];
          last[k]  = last_q[k];
          used[k]  = valid_q[k] ? 7'(length) : 7'd0;
        end else begin
          symbol     = gap_table[index];
          behind     = 24'((bits << length) >> 8);
          extra      = symbol[22] ? 5'd16 : symbol[22:18];
          number     = behind[23:8] >> (5'd16 - extra);
          tail       = 8'((behind << extra) >> 16);
          valid[k]   = symbol[16];
          last[k]    = symbol[17];
          address[k] = address_q[k] + symbol[15:0] +
                       (symbol[23] ? step_table[number[StepBits-1:0]] : number);
          index      = tail >> (4'd8 - value_bits_q);
          used[k]    = 7'(length) + 7'(extra) + (symbol[16] ? 7'(value_bits_q) : 7'd0);
        end
        slot_o[k*StoredBits+:StoredBits] = {last[k], valid[k], address[k], valid[k] ? weight_table[index] : 8'd0};
      end
    end
  end

  // ---- FormatVector: the symbols of each lane ----
  logic [16:0]        column_q[Lanes];
  logic [Lanes*17-1:0] column;
  logic [Lanes*7-1:0] symbol_bits;

  for (genvar k = 0; k < Lanes; k++) begin : gen_vector
    logic [63:0] window;
    logic [6:0]  held, all;
    assign all    = {count_q[k], 5'd0} - 7'(bit_q[k]);
    assign held   = all[6] ? 7'd64 : all;
    assign window = vector_q ? 64'({words_q[k][0], words_q[k][1], words_q[k][2]} << bit_q[k] >> 32) : '0;

    esp_vector_symbols #(
        .Pixels(Pixels),
        .Products(esp_abi_pkg::vector_products(Lanes, Pixels))
    ) u_symbols (
        .clk_i,
        .code_write_i(code_write_i && code_addr_i[8:4] == '0),
        .code_addr_i(code_addr_i[3:0]),
        .code_data_i(code_data_i[esp_abi_pkg::CodeWeightLsb+:8]),
        .window_i(window),
        .held_i(vector_q && !over_q[k] ? held : 7'd0),
        .gap_bits_i(gap_bits_q),
        .value_bits_i(value_bits_q),
        .columns_i(columns_q),
        .column_i(column_q[k]),
        .reads_o(readable[k]),
        .used_o(symbol_bits[k*7+:7]),
        .column_o(column[k*17+:17]),
        .over_o(over[k]),
        .slot_o(vector_o[k*VectorBits+:VectorBits])
    );
  end

  // ---- Words of the lanes ----
  logic [1:0] gone[Lanes];  // words of which all bits were read
  logic [1:0] left[Lanes];
  logic [4:0] next_bit[Lanes];
  always_comb begin
    for (int k = 0; k < Lanes; k++) begin
      {gone[k], next_bit[k]} = 7'(bit_q[k]) + (step ? used[k] : 7'd0);
      left[k] = count_q[k] < gone[k] ? '0 : count_q[k] - gone[k];
    end
  end

  always_ff @(posedge clk_i) begin
    for (int k = 0; k < Lanes; k++) begin
      if (start_i) begin
        count_q[k]   <= '0;
        bit_q[k]     <= '0;
        address_q[k] <= '0;
        column_q[k]  <= '0;
        over_q[k]    <= 1'b0;
        for (int w = 0; w < 3; w++) words_q[k][w] <= '0;
      end else if (run_i) begin
        if (gone[k] == 2'd1) begin
          words_q[k][0] <= words_q[k][1];
          words_q[k][1] <= words_q[k][2];
          words_q[k][2] <= '0;
        end else if (gone[k] == 2'd2) begin
          words_q[k][0] <= words_q[k][2];
          words_q[k][1] <= '0;
          words_q[k][2] <= '0;
        end
        if (take[k]) words_q[k][left[k]] <= word[k*32+:32];
        count_q[k] <= left[k] + 2'(take[k]);
        bit_q[k]   <= next_bit[k];
        if (step && vector_q) begin
          column_q[k] <= column[k*17+:17];
          over_q[k]   <= over_q[k] || over[k];
        end
        if (step) begin
          address_q[k] <= address[k];
          valid_q[k]   <= valid[k];
          last_q[k]    <= last[k];
        end
      end
    end
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
  logic [Lanes-1:0] provided;
  for (genvar k = 0; k < Lanes; k++) begin : gen_provided
    assign provided[k] = count_q[k] >= 2'd2 || vector_q;
  end
  `ESP_ASSERT(LanesHoldTwoWords, !step || !more_i || provided == '1)
  `ESP_COVER(SlotWaits, slot_valid_o && !slot_ready_i)
endmodule
