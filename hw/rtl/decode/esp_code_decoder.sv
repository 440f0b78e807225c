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
    if (code_write_i && code_addr_i[8]) begin
      if (is_step) step_table[StepBits'(step_index)] <= code_data_i[esp_abi_pkg::CodeGapLsb+:16];
      for (int l = 0; l < MaxLength; l++) begin
        if (32'(code_addr_i) == esp_abi_pkg::CodeGapLengths + l) begin
          limit_q[0][l] <= code_data_i[esp_abi_pkg::CodeLimitLsb+:13];
          base_q[0][l]  <= code_data_i[esp_abi_pkg::CodeBaseLsb+:8];
        end
        if (32'(code_addr_i) == esp_abi_pkg::CodeValueLengths + l) begin
          limit_q[1][l] <= code_data_i[esp_abi_pkg::CodeLimitLsb+:13];
          base_q[1][l]  <= code_data_i[esp_abi_pkg::CodeBaseLsb+:8];
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

  // Of each lane: the words it holds, the oldest first; how many there are; the bit of the first that is read next.
  logic [Lanes*96-1:0] words_q;
  logic [Lanes*2-1:0]  count_q;
  logic [Lanes*5-1:0]  bit_q;
  logic [Lanes*16-1:0] address_q;
  logic [Lanes-1:0] valid_q, last_q;  // between the two steps of a slot
  logic [Lanes-1:0] empty;
  logic [Lanes-1:0] over_q;         // FormatVector: the lane reads no more
  logic [Lanes-1:0] over, readable; // after this step; it has a symbol
  logic [Lanes-1:0] fresh_q;        // the lane took its word of this round in a cycle before the last one

  for (genvar k = 0; k < Lanes; k++) begin : gen_want
    assign want[k]  = count_q[k*2+:2] <= prime_q && !over_q[k] && !fresh_q[k];
    assign empty[k] = vector_q ? over_q[k] || !readable[k] : count_q[k*2+:2] == '0;
  end

  // The words of a round are not seen by its step, nor do they end the stream before it.
  assign ended_o      = (dry || (vector_q && over_q == '1)) && fresh_q == '0 && prime_q == 2'd2 && !second_q &&
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
  logic [Lanes*16-1:0] address;
  logic [Lanes*7-1:0]  used;
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
    address = address_q;
    used    = '0;
    if (run_i && vector_q) begin
      used = symbol_bits;
    end else if (run_i) begin
      for (int k = 0; k < Lanes; k++) begin
        bits   = 32'(words_q[k*96+32+:64] << bit_q[k*5+:5] >> 32);
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
          used[k*7+:7] = valid_q[k] ? 7'(length) : 7'd0;
        end else begin
          symbol     = gap_table[index];
          behind     = 24'((bits << length) >> 8);
          extra      = symbol[22] ? 5'd16 : symbol[22:18];
          number     = behind[23:8] >> (5'd16 - extra);
          tail       = 8'((behind << extra) >> 16);
          valid[k]   = symbol[16];
          last[k]    = symbol[17];
          address[k*16+:16] = address_q[k*16+:16] + symbol[15:0] +
                              (symbol[23] ? step_table[number[StepBits-1:0]] : number);
          index      = tail >> (4'd8 - value_bits_q);
          used[k*7+:7] = 7'(length) + 7'(extra) + (symbol[16] ? 7'(value_bits_q) : 7'd0);
        end
        slot_o[k*StoredBits+:StoredBits] = {last[k], valid[k], address[k*16+:16], valid[k] ? weight_table[index] : 8'd0};
      end
    end
  end

  // ---- FormatVector: the symbols of each lane ----
  logic [Lanes*17-1:0] column_q;
  logic [Lanes*17-1:0] column;
  logic [Lanes*7-1:0] symbol_bits;

  logic [Lanes*64-1:0] window;
  logic [Lanes*7-1:0]  held;
  logic [6:0]          all;
  always_comb begin
    window = '0;
    held   = '0;
    all    = '0;
    if (vector_q) begin
      for (int k = 0; k < Lanes; k++) begin
        all = {count_q[k*2+:2] - 2'(fresh_q[k]), 5'd0} - 7'(bit_q[k*5+:5]);
        held[k*7+:7] = over_q[k] ? 7'd0 : all[6] ? 7'd64 : all;
        window[k*64+:64] = 64'(words_q[k*96+:96] << bit_q[k*5+:5] >> 32);
      end
    end
  end

  esp_vector_symbols #(
      .Lanes(Lanes),
      .Pixels(Pixels),
      .Products(esp_abi_pkg::vector_products(Lanes, Pixels))
  ) u_symbols (
      .clk_i,
      .code_write_i(code_write_i && code_addr_i[8:4] == '0),
      .code_addr_i(code_addr_i[3:0]),
      .code_data_i(code_data_i[esp_abi_pkg::CodeWeightLsb+:8]),
      .window_i(window),
      .held_i(held),
      .gap_bits_i(gap_bits_q),
      .value_bits_i(value_bits_q),
      .columns_i(columns_q),
      .column_i(column_q),
      .reads_o(readable),
      .used_o(symbol_bits),
      .column_o(column),
      .over_o(over),
      .slot_o(vector_o)
  );

  // ---- Words of the lanes ----
  logic [Lanes*2-1:0]  gone;  // words of which all bits were read
  logic [Lanes*2-1:0]  left;  // words that remain
  logic [Lanes*5-1:0]  next_bit;
  logic [Lanes*96-1:0] next_words;
  always_comb begin
    gone       = '0;
    left       = '0;
    next_bit   = '0;
    next_words = words_q;
    if (run_i) begin
      for (int k = 0; k < Lanes; k++) begin
        {gone[k*2+:2], next_bit[k*5+:5]} = 7'(bit_q[k*5+:5]) + (step ? used[k*7+:7] : 7'd0);
        if (count_q[k*2+:2] > gone[k*2+:2]) left[k*2+:2] = count_q[k*2+:2] - gone[k*2+:2];
        if (gone[k*2+:2] == 2'd1) next_words[k*96+:96] = words_q[k*96+:96] << 32;
        if (gone[k*2+:2] == 2'd2) next_words[k*96+:96] = words_q[k*96+:96] << 64;
        if (take[k]) begin
          next_words[k*96+:96] = next_words[k*96+:96] | ({word[k*32+:32], 64'd0} >> {left[k*2+:2], 5'd0});
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      count_q   <= '0;
      bit_q     <= '0;
      address_q <= '0;
      column_q  <= '0;
      over_q    <= '0;
      words_q   <= '0;
    end else if (run_i) begin
      words_q <= next_words;
      bit_q   <= next_bit;
      for (int k = 0; k < Lanes; k++) count_q[k*2+:2] <= left[k*2+:2] + 2'(take[k]);
      if (step && vector_q) begin
        column_q <= column;
        over_q   <= over_q | over;
      end
      if (step) begin
        address_q <= address;
        valid_q   <= valid;
        last_q    <= last;
      end
    end
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
  logic [Lanes-1:0] provided;
  for (genvar k = 0; k < Lanes; k++) begin : gen_provided
    assign provided[k] = count_q[k*2+:2] >= 2'd2 || vector_q;
  end
  `ESP_ASSERT(LanesHoldTwoWords, !step || !more_i || provided == '1)
  `ESP_COVER(SlotWaits, slot_valid_o && !slot_ready_i)
endmodule
