// A lane of a coded stream: it holds up to three words of the stream, reads what a step takes from them, and keeps its
// place from step to step. Of FormatFixed and FormatHuffman it reads an entry, of the first two words; of FormatVector as many
// symbols as esp_vector_symbols takes.
module esp_code_lane #(
    parameter int unsigned Pixels   = 16,
    parameter int unsigned Products = 4,
    localparam int unsigned MaxLength  = esp_abi_pkg::CodeMaxLength,
    localparam int unsigned StepBits   = $clog2(esp_abi_pkg::CodeSteps),
    localparam int unsigned StoredBits = esp_abi_pkg::EntryLastLsb + 1,
    localparam int unsigned SlotBits   = Products * (9 + $clog2(Pixels)) + 2 * (16 - $clog2(Pixels)) + 3
) (
    input  logic                clk_i,
    // Stream
    input  logic                start_i,       // of a new one: no word is held
    input  logic                run_i,
    input  logic                step_i,        // what the lane reads counts
    input  logic                fresh_i,       // the word held last is not seen by the step
    input  logic                huffman_i,     // the symbol at hand is a code
    input  logic                second_i,      // it is the value of a slot of two steps
    input  logic                vector_i,
    input  logic [3:0]          gap_bits_i,
    input  logic [3:0]          value_bits_i,
    input  logic [Products*7-1:0] end_i,       // FormatVector: bits of a symbol, of two, ..
    input  logic [16:0]         columns_i,
    // Code table: symbols, steps, and the lengths of the codes of the symbol at hand
    input  logic                symbol_write_i,
    input  logic [7:0]          symbol_addr_i,
    input  logic                gap_step_write_i,
    input  logic [StepBits-1:0] gap_step_addr_i,
    input  logic [23:0]         gap_i,         // {step, extra, last, valid, gap}
    input  logic [7:0]          weight_i,
    input  logic [MaxLength*13-1:0] limit_i,
    input  logic [MaxLength*8-1:0]  base_i,
    // Words
    input  logic                take_i,
    input  logic [31:0]         word_i,
    output logic [1:0]          count_o,       // words held
    output logic                readable_o,    // FormatVector: there is a symbol
    output logic                over_o,        // FormatVector: the lane reads no more
    // What it reads
    output logic [StoredBits-1:0] entry_o,     // {last, valid, offset, weight}
    output logic [SlotBits-1:0]   symbols_o    // FormatVector: see esp_vector_symbols
);
  /* verilator inline_module */  // or simulation copies the ports of every instance

  // ---- Code table ----
  logic [23:0] gap_table[256];
  logic [7:0]  weight_table[256];
  logic [15:0] step_table[esp_abi_pkg::CodeSteps];

  always_ff @(posedge clk_i) begin
    if (symbol_write_i) begin
      gap_table[symbol_addr_i]    <= gap_i;
      weight_table[symbol_addr_i] <= weight_i;
    end
    if (gap_step_write_i) step_table[gap_step_addr_i] <= gap_i[15:0];
  end

  // ---- Words ----
  // Shifts of several digits are written as a selection per digit, from the coarse one to the fine one and no wider than
  // later digits need: synthesis has a LUT for each bit of a digit of four values.
  logic [95:0] words_q;          // held, the oldest first; 0 behind the last
  logic [1:0]  count_q;
  logic [4:0]  bit_q;            // of the oldest word, that is read next
  logic [63:0] window;           // from the bit that is read next

  assign count_o = count_q;

  // What is read is computed by functions, which the simulation calls only while a stream runs.
  function automatic logic [31:0] word_at(input logic [63:0] words, input logic [4:0] first);
    logic [38:0] coarse;
    logic [32:0] middle;
    coarse  = words[32'({~first[4:3], 3'd1})+:39];
    middle  = coarse[32'({~first[2:1], 1'b0})+:33];
    word_at = first[0] ? middle[31:0] : middle[32:1];
  endfunction

  // ---- An entry ----
  logic [15:0] address_q, address;
  logic        valid_q, last_q, valid, last;  // between the two steps of a slot
  logic [6:0]  entry_used;

  // The first bits of a byte as a number.
  function automatic logic [7:0] leading(input logic [7:0] bits, input logic [3:0] number_of);
    leading = number_of[3] ? bits : 8'({8'd0, bits[7:1]} >> (~number_of[2:0]));
  endfunction

  // {bits read, last, valid, offset, weight}
  function automatic logic [6+StoredBits:0] entry_of(input logic [31:0] bits);
    logic [11:0] code;
    logic [10:0] code_coarse;
    logic [7:0]  code_number;
    logic [MaxLength-1:0] below;  // the limits of the lengths
    logic [3:0]  place;   // of the shortest one
    logic [3:0]  length;
    logic [7:0]  index;
    logic [23:0] symbol;
    logic [26:0] behind_coarse;
    logic [23:0] behind;  // the gap symbol
    logic [4:0]  extra;
    logic [18:0] number_coarse;
    logic [15:0] number;  // in the extra bits
    logic [10:0] tail_coarse;
    logic [7:0]  tail;    // that begins with the value symbol
    logic [15:0] offset;
    logic [6:0]  size;    // of what is read
    logic        has_value, ends;
    length = gap_bits_i;
    index  = leading(bits[31:24], gap_bits_i);
    if (huffman_i) begin
      code  = bits[31:20];
      place = 4'(MaxLength - 1);
      for (int l = MaxLength - 1; l >= 0; l--) begin
        below[l] = 13'(code) < limit_i[l*13+:13];
        if (below[l]) place = 4'(l);
      end
      length      = place + 4'd1;
      // Of the code, as many bits as the place says and one.
      code_coarse = 11'({7'd0, code, 4'd0} >> {~place[3:2], 2'd0});
      code_number = 8'(code_coarse >> (~place[1:0]));
      index       = below == '0 ? 8'd0 : base_i[32'(place)*8+:8] + code_number;
    end
    if (second_i) begin
      has_value = valid_q;
      ends      = last_q;
      offset    = address_q;
      size      = valid_q ? 7'(length) : 7'd0;
    end else begin
      symbol        = gap_table[index];
      behind_coarse = 27'({bits, 7'd0} >> {~length[3:2], 2'd0});
      behind        = 24'(behind_coarse >> (~length[1:0]));
      extra         = symbol[22] ? 5'd16 : symbol[22:18];
      number_coarse = 19'({16'd0, behind[23:9]} >> {~extra[3:2], 2'd0});
      number        = extra[4] ? behind[23:8] : 16'(number_coarse >> (~extra[1:0]));
      tail_coarse   = 11'(behind[23:1] >> {~extra[3:2], 2'd0});
      tail          = extra[4] ? behind[7:0] : 8'(tail_coarse >> (~extra[1:0]));
      has_value     = symbol[16];
      ends          = symbol[17];
      offset        = address_q + symbol[15:0] + (symbol[23] ? step_table[number[StepBits-1:0]] : number);
      index         = leading(tail, value_bits_i);
      size          = 7'(length) + 7'(extra) + (symbol[16] ? 7'(value_bits_i) : 7'd0);
    end
    entry_of = {size, ends, has_value, offset, weight_table[index] & {8{has_value}}};
  endfunction

  always_comb begin
    window     = 'x;
    entry_used = 'x;
    entry_o    = 'x;
    if (run_i) begin
      window = {word_at(words_q[95:32], bit_q), word_at(words_q[63:0], bit_q)};
      if (!vector_i) {entry_used, entry_o} = entry_of(window[63:32]);
    end
  end
  assign {last, valid, address} = entry_o[StoredBits-1:8];

  // ---- FormatVector: symbols ----
  logic [16:0] column_q, column;  // of the symbol read last
  logic        steps_q, steps;    // the next one is behind it
  logic        over_q, over, row_ends;
  logic [6:0]  held, symbols_used;  // bits
  logic [6:0]  all;                 // used where it is computed

  assign over_o = over_q;

  always_comb begin
    all  = '0;
    held = '0;
    if (vector_i && !over_q) begin
      all  = {count_q - 2'(fresh_i), 5'd0} - 7'(bit_q);
      held = all[6] ? 7'd64 : all;
    end
  end

  esp_vector_symbols #(
      .Pixels(Pixels),
      .Products(Products)
  ) u_symbols (
      .clk_i,
      .code_write_i(symbol_write_i && symbol_addr_i[7:4] == '0),
      .code_addr_i(symbol_addr_i[3:0]),
      .code_data_i(weight_i),
      .gap_bits_i,
      .value_bits_i,
      .end_i,
      .columns_i,
      .window_i(window),
      .held_i(held),
      .column_i(column_q),
      .steps_i(steps_q),
      .reads_o(readable_o),
      .used_o(symbols_used),
      .column_o(column),
      .steps_o(steps),
      .ends_o(row_ends),
      .over_o(over),
      .slot_o(symbols_o)
  );

  // ---- After the step ----
  logic [1:0] gone, left;  // words of which all bits were read, and words that remain; used where they are computed
  logic [4:0] next_bit;

  // A word is taken only if there is a place for it without the step, and lies behind those that remain.
  always_ff @(posedge clk_i) begin
    if (start_i) begin
      words_q   <= '0;
      count_q   <= '0;
      bit_q     <= '0;
      address_q <= '0;
      column_q  <= '0;
      steps_q   <= 1'b0;
      over_q    <= 1'b0;
    end else if (run_i) begin
      {gone, next_bit} = 7'(bit_q) + (!step_i ? 7'd0 : vector_i ? symbols_used : entry_used);
      left    = count_q > gone ? count_q - gone : 2'd0;
      bit_q   <= next_bit;
      count_q <= left + 2'(take_i);
      if (gone != 2'd0) words_q[95:64] <= gone[1] ? words_q[31:0] : words_q[63:32];
      if (gone != 2'd0) words_q[63:32] <= gone[1] ? 32'd0 : words_q[31:0];
      if (gone != 2'd0) words_q[31:0] <= '0;
      if (take_i) begin
        if (left == 2'd0) words_q[95:64] <= word_i;
        if (left == 2'd1) words_q[63:32] <= word_i;
        if (left == 2'd2) words_q[31:0] <= word_i;
      end
      if (step_i && vector_i) begin
        if (row_ends) {column_q, steps_q} <= '0;
        else if (readable_o) {column_q, steps_q} <= {column, steps};
        over_q <= over_q || over;
      end
      if (step_i && !vector_i) begin
        address_q <= address;
        valid_q   <= valid;
        last_q    <= last;
      end
    end
  end
endmodule
