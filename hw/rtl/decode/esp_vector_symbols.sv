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
    input  logic                clk_i,
    // Weights of values of less than 8 bits
    input  logic                code_write_i,
    input  logic [3:0]          code_addr_i,
    input  logic [7:0]          code_data_i,
    // The lane
    input  logic [63:0]         window_i,      // what it holds, first bit most significant
    input  logic [6:0]          held_i,        // bits of it that there are
    input  logic [3:0]          gap_bits_i,
    input  logic [3:0]          value_bits_i,
    input  logic [16:0]         columns_i,
    input  logic [16:0]         column_i,      // to read next
    output logic                reads_o,       // there is a symbol
    output logic [6:0]          used_o,        // bits
    output logic [16:0]         column_o,
    output logic                over_o,        // the lane reads no more
    output logic [SlotBits-1:0] slot_o         // {last, words used, second and first word, products}
);
  logic [4:0]          width;
  logic                going, ends, passes, fits, last;
  logic [6:0]          end_bit;    // of the window, behind the symbol
  logic [63:0]         rest;       // of the window, from the symbol on
  logic [7:0]          gap, all_ones;
  logic [10:0]         ahead;      // columns from column_i to where the gap counts from
  logic [16:0]         column;
  logic [AddrBits-1:0] word;
  logic [1:0]          words_used;
  logic [AddrBits-1:0] words[2];
  logic [7:0]          value[Products];
  logic [ByteBits-1:0] bytes[Products];
  logic [Products-1:0] valid, second;

  assign width    = 5'(gap_bits_i) + 5'(value_bits_i);
  assign all_ones = 8'((9'd1 << gap_bits_i) - 9'd1);
  assign reads_o  = held_i >= 7'(width);

  always_comb begin
    going      = 1'b1;
    end_bit    = '0;
    rest       = window_i;
    used_o     = '0;
    column_o   = column_i;
    over_o     = 1'b0;
    ahead      = '0;
    words_used = '0;
    words[0]   = '0;
    words[1]   = '0;
    last       = 1'b0;
    for (int i = 0; i < Products; i++) begin
      end_bit   = end_bit + 7'(width);
      gap       = rest[63:56] >> (4'd8 - gap_bits_i);
      value[i]  = 8'((rest[63:48] << gap_bits_i) >> 8) >> (4'd8 - value_bits_i);
      rest      = rest << width;
      column    = column_i + 17'(ahead) + 17'(gap);
      passes    = gap == all_ones;
      ahead     = ahead + 11'(gap) + (passes ? 11'd0 : 11'd1);
      ends      = column >= columns_i;
      word      = AddrBits'(column >> ByteBits);
      bytes[i]  = column[ByteBits-1:0];
      second[i] = words_used[0] && word != words[0];
      fits      = ends || passes || !second[i] || !words_used[1] || word == words[1];
      going     = going && held_i >= end_bit && fits;
      valid[i]  = going && !ends && !passes;
      if (valid[i]) begin
        words[second[i]]      = word;
        words_used[second[i]] = 1'b1;
      end
      if (going) begin
        used_o   = end_bit;
        column_o = ends ? '0 : passes ? column : column + 17'd1;
        last     = ends && !value[i][1];
        over_o   = ends && value[i][1:0] != '0;
      end
      if (ends) going = 1'b0;
    end
  end

  assign slot_o[Products*ProductBits+:2*AddrBits+3] = {last, words_used, words[1], words[0]};
  for (genvar i = 0; i < Products; i++) begin : gen_product
    logic [7:0] weights[16];  // a copy of its own, so that it is a memory
    always_ff @(posedge clk_i) begin
      if (code_write_i) weights[code_addr_i] <= code_data_i;
    end
    assign slot_o[i*ProductBits+:ProductBits] =
        valid[i] ? {second[i], bytes[i], value_bits_i[3] ? value[i] : weights[value[i][3:0]]} : '0;
  end
endmodule
