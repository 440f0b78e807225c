// What a lane reads of a stream of FormatVector in one step: as many symbols as its window holds, as its multipliers
// take, and as have their bytes in two words of the vector.
module esp_vector_symbols #(
    parameter int unsigned Pixels   = 16,
    parameter int unsigned Products = 4,
    localparam int unsigned ByteBits    = $clog2(Pixels),
    localparam int unsigned AddrBits    = 16 - ByteBits,       // of a word of the vector
    localparam int unsigned ProductBits = 8 + ByteBits + 1,    // {word, byte, weight}
    localparam int unsigned SlotBits    = Products * ProductBits + 2 * AddrBits + 3
) (
    input  logic [63:0]         window_i,      // what the lane holds, first bit most significant
    input  logic [6:0]          held_i,        // bits of it that there are
    input  logic [3:0]          gap_bits_i,
    input  logic [3:0]          value_bits_i,
    input  logic [16:0]         columns_i,
    input  logic [16:0]         column_i,      // to read next
    input  logic [127:0]        weights_i,     // of values of less than 8 bits
    output logic                reads_o,       // there is a symbol
    output logic [6:0]          used_o,        // bits
    output logic [16:0]         column_o,
    output logic                over_o,        // the lane reads no more
    output logic [SlotBits-1:0] slot_o         // {last, words used, second and first word, products}
);
  logic [4:0]          width;
  logic                going, valid, ends, passes, fits, second;
  logic [6:0]          end_bit;    // of the window, behind the symbol
  logic [15:0]         symbol;
  logic [7:0]          gap, value, all_ones, weight;
  logic [10:0]         ahead;      // columns from column_i to where the gap counts from
  logic [16:0]         column;
  logic [AddrBits-1:0] word;
  logic [1:0]          words_used;
  logic [AddrBits-1:0] words[2];
  logic                last;

  assign width    = 5'(gap_bits_i) + 5'(value_bits_i);
  assign all_ones = 8'((9'd1 << gap_bits_i) - 9'd1);
  assign reads_o  = held_i >= 7'(width);

  always_comb begin
    slot_o     = '0;
    going      = 1'b1;
    end_bit    = '0;
    used_o     = '0;
    column_o   = column_i;
    over_o     = 1'b0;
    ahead      = '0;
    words_used = '0;
    words[0]   = '0;
    words[1]   = '0;
    last       = 1'b0;
    for (int i = 0; i < Products; i++) begin
      symbol  = 16'(window_i << (7'(i) * 7'(width)) >> 48);
      end_bit = end_bit + 7'(width);
      gap     = symbol[15:8] >> (4'd8 - gap_bits_i);
      value   = 8'((symbol << gap_bits_i) >> 8) >> (4'd8 - value_bits_i);
      column  = column_i + 17'(ahead) + 17'(gap);
      passes  = gap == all_ones;
      ahead   = ahead + 11'(gap) + (passes ? 11'd0 : 11'd1);
      ends    = column >= columns_i;
      valid   = !ends && !passes;
      word    = AddrBits'(column >> ByteBits);
      second  = words_used[0] && word != words[0];
      fits    = !valid || !second || !words_used[1] || word == words[1];
      weight  = value_bits_i[3] ? value : weights_i[32'(value[3:0])*8+:8];
      going   = going && held_i >= end_bit && fits;
      if (going) begin
        used_o   = end_bit;
        column_o = passes ? column : column + 17'd1;
        if (valid) begin
          words[second]      = word;
          words_used[second] = 1'b1;
          slot_o[i*ProductBits+:ProductBits] = {second, column[ByteBits-1:0], weight};
        end
        if (ends) begin
          column_o = '0;
          last     = !value[1];
          over_o   = value[1:0] != '0;
          going    = 1'b0;
        end
      end
    end
    slot_o[Products*ProductBits+:2*AddrBits+3] = {last, words_used, words[1], words[0]};
  end
endmodule
