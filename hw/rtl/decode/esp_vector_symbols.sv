// What a lane reads of a stream of FormatVector in one step: as many symbols as its window holds, as its multipliers
// take, and as have their bytes in two words of the vector. Combinational but for the weights of short values.
module esp_vector_symbols #(
    parameter int unsigned Pixels   = 16,
    parameter int unsigned Products = 4,
    localparam int unsigned ByteBits    = $clog2(Pixels),
    localparam int unsigned AddrBits    = 16 - ByteBits,       // of a word of the vector
    localparam int unsigned ProductBits = 8 + ByteBits + 1,    // {word, byte, weight}
    localparam int unsigned SlotBits    = Products * ProductBits + 2 * AddrBits + 3
) (
    input  logic                      clk_i,
    // Weights of values of less than 8 bits
    input  logic                      code_write_i,
    input  logic [3:0]                code_addr_i,
    input  logic [7:0]                code_data_i,
    // The stream
    input  logic [3:0]                gap_bits_i,
    input  logic [3:0]                value_bits_i,
    input  logic [Products*7-1:0]     end_i,         // bits of a symbol, of two, ..
    input  logic [16:0]               columns_i,
    // The lane
    input  logic [63:0]               window_i,      // what it holds, first bit most significant
    input  logic [6:0]                held_i,        // bits of it that there are
    input  logic [16:0]               column_i,      // of the symbol read last
    input  logic                      steps_i,       // the next one is behind it
    output logic                      reads_o,       // there is a symbol
    output logic [6:0]                used_o,        // bits
    output logic [16:0]               column_o,      // with reads_o, of the last symbol
    output logic                      steps_o,
    output logic                      ends_o,        // the row ends: the next one begins at column 0
    output logic                      over_o,        // the lane reads no more
    output logic [SlotBits-1:0]       slot_o         // {last, words used, second and first word, products}
);
  /* verilator inline_module */  // or simulation copies the ports of every instance

  localparam int unsigned IndexBits = Products > 1 ? $clog2(Products) : 1;
  // A symbol moves by 256 columns at most, so of two words that are not the same one these bits differ.
  localparam int unsigned NearBits  = 9 - ByteBits;

  (* ram_style = "distributed" *)
  logic [7:0]            weights[16];

  always_ff @(posedge clk_i) begin
    if (code_write_i) weights[code_addr_i] <= code_data_i;
  end

  // Shifted to the right by a digit times a unit.
  function automatic logic [63:0] shifted(input logic [63:0] bits, input logic [1:0] digit, input int unsigned unit);
    shifted = digit[1] ? (digit[0] ? bits >> (3 * unit) : bits >> (2 * unit)) : (digit[0] ? bits >> unit : bits);
  endfunction

  // The last 8 bits of the first symbols of the window, which have 16 - spare bits each.
  function automatic logic [7:0] tail_of(input logic [63:0] window, input logic [3:0] spare, input int unsigned symbols);
    tail_of = 8'(shifted(shifted(window >> (64 - 16 * symbols), spare[3:2], 4 * symbols), spare[1:0], symbols));
  endfunction

  // The 8 bits behind the first symbols of the window, of which there are less than four.
  function automatic logic [7:0] head_behind(input logic [63:0] window, input logic [3:0] spare, input int unsigned symbols);
    head_behind = 8'(shifted(shifted(window >> (56 - 16 * symbols), spare[3:2], 4 * symbols), spare[1:0], symbols));
  endfunction

  // Columns of a lane only grow, by less than the vector is long, so whether a symbol lies in the first or the second word
  // follows from comparing each word with the one before it.
  function automatic logic [SlotBits+27:0] symbols_of(input logic [63:0] window, input logic [6:0] held,
                                                     input logic [16:0] first_column, input logic first_steps);
    logic [3:0]            spare;      // bits of a symbol of 16 bits that a symbol does not have
    logic                  going, ends, passes, steps, last, valid, second, fits, one_bit, moves, row_ends;
    logic [7:0]            head, tail;  // the first and the last bits of the symbol
    logic [7:0]            gap, weight;
    logic [3:0]            value;
    logic [7:0]            gap_mask;
    logic [3:0]            value_mask;
    logic [16:0]           column;
    logic [AddrBits-1:0]   word;       // of the symbol
    logic [NearBits-1:0]   previous;   // of the word of the symbol before it
    logic [1:0]            words_used, same;  // the symbol's word is the first, the second one of the lane
    logic [IndexBits-1:0]  first_at, second_at;  // symbols whose words these are
    logic [IndexBits-1:0]  final_at;   // the symbol read last
    logic [2*AddrBits-1:0] words;      // second and first
    logic [Products*AddrBits-1:0] all_words;
    logic [Products*17-1:0] all_columns;
    logic                  reads, over;
    logic [6:0]            used;
    logic [SlotBits-1:0]   slot;

    spare      = 4'(-end_i[3:0]);
    gap_mask   = 8'((9'd1 << gap_bits_i) - 9'd1);
    value_mask = 4'((5'd1 << value_bits_i[2:0]) - 5'd1);
    one_bit    = value_bits_i == 4'd1;
    reads      = held >= end_i[6:0];
    over       = 1'b0;
    {moves, row_ends} = '0;
    going      = 1'b1;
    last       = 1'b0;
    ends       = 1'b0;
    steps      = first_steps;
    column     = first_column;
    word       = '0;
    words_used = '0;
    same       = '0;
    first_at   = '0;
    second_at  = '0;
    final_at   = '0;
    for (int unsigned i = 0; i < Products; i++) begin
      head    = i == 0 ? window[63:56] : head_behind(window, spare, i);
      tail    = tail_of(window, spare, i + 1);
      gap     = gap_bits_i[3] ? head : head >> 1 >> (~gap_bits_i[2:0]);
      value   = tail[3:0] & value_mask;
      // Masks and not choices, or synthesis would try to prove that two lanes never look up a weight at once.
      weight  = (tail & {8{value_bits_i[3]}}) | (weights[value] & {8{!value_bits_i[3]}});
      // steps: the next column is behind this one. A sum with a carry in.
      column  = 17'(({column, 1'b1} + {9'd0, gap, steps}) >> 1);
      passes  = gap == gap_mask;
      steps   = !passes;
      ends    = column >= columns_i;
      previous = word[NearBits-1:0];
      word    = AddrBits'(column >> ByteBits);
      same    = same & {2{word[NearBits-1:0] == previous}};
      second  = words_used[0] && !same[0];
      fits    = ends || passes || !second || !words_used[1] || same[1];
      going   = going && held >= end_i[i*7+:7] && fits;
      valid   = going && !ends && !passes;
      all_words[i*AddrBits+:AddrBits] = word;
      all_columns[i*17+:17] = column;
      if (!words_used[0]) first_at = IndexBits'(i);
      if (!words_used[1]) second_at = IndexBits'(i);
      if (valid) begin
        if (second) {words_used[1], same[1]} = 2'b11;
        else {words_used[0], same[0]} = 2'b11;
      end
      slot[i*ProductBits+:ProductBits] = {second, column[ByteBits-1:0], weight} & {ProductBits{valid}};
      if (going) begin
        final_at = IndexBits'(i);
        moves    = steps;
        row_ends = ends;
        last     = ends && (one_bit || !tail[1]);
        over     = ends && (tail[0] || (!one_bit && tail[1]));
      end
      if (ends) going = 1'b0;
    end
    used   = end_i[32'(final_at)*7+:7] & {7{reads}};
    column = all_columns[32'(final_at)*17+:17];
    words  = {all_words[32'(second_at)*AddrBits+:AddrBits], all_words[32'(first_at)*AddrBits+:AddrBits]};
    slot[Products*ProductBits+:2*AddrBits+3] = {last, words_used, words};
    symbols_of = {reads, used, column, moves, row_ends, over, slot};
  endfunction

  always_comb begin
    {reads_o, used_o, ends_o, over_o, slot_o} = '0;
    column_o = 'x;
    steps_o  = 'x;
    if (held_i != '0) begin
      {reads_o, used_o, column_o, steps_o, ends_o, over_o, slot_o} = symbols_of(window_i, held_i, column_i, steps_i);
    end
  end
endmodule
