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
    // The lane
    input  logic [63:0]               window_i,      // what it holds, first bit most significant
    input  logic [6:0]                held_i,        // bits of it that there are
    input  logic [3:0]                gap_bits_i,
    input  logic [3:0]                value_bits_i,
    input  logic [16:0]               columns_i,
    input  logic [16:0]               column_i,      // to read next
    output logic                      reads_o,       // there is a symbol
    output logic [6:0]                used_o,        // bits
    output logic [16:0]               column_o,
    output logic                      over_o,        // the lane reads no more
    output logic [SlotBits-1:0]       slot_o         // {last, words used, second and first word, products}
);
  /* verilator inline_module */  // or simulation copies the ports of every instance

  localparam int unsigned FirstBits = Products > 1 ? $clog2(Products) : 1;

  (* ram_style = "distributed" *)
  logic [7:0]            weights[16];

  always_ff @(posedge clk_i) begin
    if (code_write_i) weights[code_addr_i] <= code_data_i;
  end

  // Columns of a lane only grow, by less than the vector is long, so whether a symbol lies in the first or the second word
  // follows from comparing each word with the one before it.
  function automatic logic [SlotBits+25:0] symbols_of(input logic [63:0] window, input logic [6:0] held,
                                                     input logic [16:0] first_column);
    logic [4:0]            width;
    logic [3:0]            spare;      // bits of a symbol of 16 bits that a symbol does not have
    logic                  going, ends, passes, steps, last, valid, second, fits, one_bit, moves, row_ends;
    logic [6:0]            end_bit;    // of the window, behind the symbol
    logic [63:0]           rest;       // its lowest bits are the symbol
    logic [7:0]            gap, weight;
    logic [3:0]            value;
    logic [7:0]            gap_mask;
    logic [3:0]            value_mask;
    logic [16:0]           column, next;
    logic [AddrBits-1:0]   word, previous;  // word of the symbol, and of the one before it
    logic [1:0]            words_used, same;  // the symbol's word is the first, the second one of the lane
    logic [FirstBits-1:0]  first_at, second_at;  // symbols whose words these are
    logic [2*AddrBits-1:0] words;      // second and first
    logic [Products*AddrBits-1:0] all_words;
    logic                  reads, over;
    logic [6:0]            used;
    logic [16:0]           end_column;
    logic [SlotBits-1:0]   slot;

    width      = 5'(gap_bits_i) + 5'(value_bits_i);
    spare      = 4'(5'd16 - width);
    gap_mask   = 8'((9'd1 << gap_bits_i) - 9'd1);
    value_mask = 4'((5'd1 << value_bits_i[2:0]) - 5'd1);
    one_bit    = value_bits_i == 4'd1;
    used       = '0;
    over       = 1'b0;
    {moves, row_ends} = '0;
    going      = 1'b1;
    last       = 1'b0;
    ends       = 1'b0;
    steps      = 1'b0;
    end_bit    = '0;
    column     = first_column;
    next       = column;
    word       = '0;
    words_used = '0;
    same       = '0;
    first_at   = '0;
    second_at  = '0;
    for (int i = 0; i < Products; i++) begin
      // The window from its first bit to the 16 * (i + 1)th, less the bits that i + 1 symbols do not have.
      rest = window >> (48 - 16 * i);
      for (int b = 3; b >= 0; b--) if (spare[b]) rest = rest >> ((i + 1) << b);
      case (value_bits_i[1:0])
        2'd0:    gap = value_bits_i[3] ? rest[15:8] : rest[11:4];
        2'd1:    gap = rest[8:1];
        2'd2:    gap = rest[9:2];
        default: gap = rest[10:3];
      endcase
      gap     = gap & gap_mask;
      value   = rest[3:0] & value_mask;
      // Masks and not choices, or synthesis would try to prove that two lanes never look up a weight at once.
      weight  = (rest[7:0] & {8{value_bits_i[3]}}) | (weights[value] & {8{!value_bits_i[3]}});
      // steps: the next column is behind this one. A sum with a carry in.
      column  = 17'(({column, 1'b1} + {9'd0, gap, steps}) >> 1);
      passes  = gap == gap_mask;
      steps   = !passes;
      ends    = column >= columns_i;
      end_bit = end_bit + 7'(width);
      previous = word;
      word    = AddrBits'(column >> ByteBits);
      same    = same & {2{word == previous}};
      second  = words_used[0] && !same[0];
      fits    = ends || passes || !second || !words_used[1] || same[1];
      going   = going && held >= end_bit && fits;
      valid   = going && !ends && !passes;
      all_words[i*AddrBits+:AddrBits] = word;
      if (!words_used[0]) first_at = FirstBits'(i);
      if (!words_used[1]) second_at = FirstBits'(i);
      if (valid) begin
        if (second) {words_used[1], same[1]} = 2'b11;
        else {words_used[0], same[0]} = 2'b11;
      end
      slot[i*ProductBits+:ProductBits] = {second, column[ByteBits-1:0], weight} & {ProductBits{valid}};
      if (going) begin
        used     = end_bit;
        next     = column;
        moves    = steps;
        row_ends = ends;
        last     = ends && (one_bit || !rest[1]);
        over     = ends && (rest[0] || (!one_bit && rest[1]));
      end
      if (ends) going = 1'b0;
    end
    reads      = held >= 7'(width);
    end_column = row_ends ? '0 : next + 17'(moves);
    words      = {all_words[32'(second_at)*AddrBits+:AddrBits], all_words[32'(first_at)*AddrBits+:AddrBits]};
    slot[Products*ProductBits+:2*AddrBits+3] = {last, words_used, words};
    symbols_of = {reads, used, end_column, over, slot};
  endfunction

  always_comb begin
    {reads_o, used_o, over_o, slot_o} = '0;
    column_o = column_i;
    if (held_i != '0) {reads_o, used_o, column_o, over_o, slot_o} = symbols_of(window_i, held_i, column_i);
  end
endmodule
