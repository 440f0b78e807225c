// What lanes read of a stream of FormatVector in one step: each as many symbols as its window holds, as its multipliers
// take, and as have their bytes in two words of the vector. Combinational but for the weights of short values.
module esp_vector_symbols #(
    parameter int unsigned Lanes    = 1,
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
    // Each lane
    input  logic [Lanes*64-1:0]       window_i,      // what it holds, first bit most significant
    input  logic [Lanes*7-1:0]        held_i,        // bits of it that there are
    input  logic [3:0]                gap_bits_i,
    input  logic [3:0]                value_bits_i,
    input  logic [16:0]               columns_i,
    input  logic [Lanes*17-1:0]       column_i,      // to read next
    output logic [Lanes-1:0]          reads_o,       // there is a symbol
    output logic [Lanes*7-1:0]        used_o,        // bits
    output logic [Lanes*17-1:0]       column_o,
    output logic [Lanes-1:0]          over_o,        // the lane reads no more
    output logic [Lanes*SlotBits-1:0] slot_o         // {last, words used, second and first word, products}
);
  logic [4:0]            width;
  logic                  going, ends, passes, fits, last, valid, second;
  logic [6:0]            end_bit;    // of the window, behind the symbol
  logic [63:0]           rest;       // of the window, from the symbol on
  logic [7:0]            gap, value, all_ones;
  logic [10:0]           ahead;      // columns from column_i to where the gap counts from
  logic [16:0]           column;
  logic [AddrBits-1:0]   word;
  logic [1:0]            words_used;
  logic [2*AddrBits-1:0] words;      // second and first
  logic [7:0]            weights[16];

  assign width    = 5'(gap_bits_i) + 5'(value_bits_i);
  assign all_ones = 8'((9'd1 << gap_bits_i) - 9'd1);

  always_ff @(posedge clk_i) begin
    if (code_write_i) weights[code_addr_i] <= code_data_i;
  end

  always_comb begin
    reads_o    = '0;
    used_o     = '0;
    column_o   = column_i;
    over_o     = '0;
    slot_o     = '0;
    {going, ends, passes, fits, last, valid, second} = '0;
    end_bit    = '0;
    rest       = '0;
    gap        = '0;
    value      = '0;
    ahead      = '0;
    column     = '0;
    word       = '0;
    words_used = '0;
    words      = '0;
    if (held_i != '0) begin
      for (int k = 0; k < Lanes; k++) begin
        going      = 1'b1;
        last       = 1'b0;
        end_bit    = '0;
        rest       = window_i[k*64+:64];
        ahead      = '0;
        words_used = '0;
        words      = '0;
        for (int i = 0; i < Products; i++) begin
          end_bit = end_bit + 7'(width);
          gap     = rest[63:56] >> (4'd8 - gap_bits_i);
          value   = 8'((rest[63:48] << gap_bits_i) >> 8) >> (4'd8 - value_bits_i);
          rest    = rest << width;
          column  = column_i[k*17+:17] + 17'(ahead) + 17'(gap);
          passes  = gap == all_ones;
          ahead   = ahead + 11'(gap) + (passes ? 11'd0 : 11'd1);
          ends    = column >= columns_i;
          word    = AddrBits'(column >> ByteBits);
          second  = words_used[0] && word != words[0+:AddrBits];
          fits    = ends || passes || !second || !words_used[1] || word == words[AddrBits+:AddrBits];
          going   = going && held_i[k*7+:7] >= end_bit && fits;
          valid   = going && !ends && !passes;
          if (valid) begin
            words[32'(second)*AddrBits+:AddrBits] = word;
            words_used[second] = 1'b1;
            slot_o[k*SlotBits+i*ProductBits+:ProductBits] =
                {second, column[ByteBits-1:0], value_bits_i[3] ? value : weights[value[3:0]]};
          end
          if (going) begin
            used_o[k*7+:7]     = end_bit;
            column_o[k*17+:17] = ends ? '0 : passes ? column : column + 17'd1;
            last               = ends && !value[1];
            over_o[k]          = ends && value[1:0] != '0;
          end
          if (ends) going = 1'b0;
        end
        reads_o[k] = held_i[k*7+:7] >= 7'(width);
        slot_o[k*SlotBits+Products*ProductBits+:2*AddrBits+3] = {last, words_used, words};
      end
    end
  end
endmodule
