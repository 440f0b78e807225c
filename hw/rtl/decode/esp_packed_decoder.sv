// Lines of FormatPacked: 64 symbols of 1, 2 or 4 bits, each looked up in the first entries of the code table.
module esp_packed_decoder (
    input  logic         clk_i,
    // Code table
    input  logic         code_write_i,
    input  logic [8:0]   code_addr_i,
    input  logic [7:0]   code_data_i,  // weight of the symbol
    // A line
    input  logic         run_i,
    input  logic [511:0] beat_i,
    input  logic [2:0]   line_i,   // of the beat
    input  logic         two_i,    // bits of a symbol; otherwise 1
    input  logic         four_i,
    output logic [511:0] weights_o  // with run_i
);
  (* ram_style = "distributed" *)
  logic [7:0] weight_q[16];

  always_ff @(posedge clk_i) begin
    if (code_write_i && code_addr_i[8:4] == '0) weight_q[code_addr_i[3:0]] <= code_data_i;
  end

  logic [255:0] line4;
  logic [127:0] line2;
  logic [63:0]  line1;
  logic [3:0]   symbol;
  always_comb begin
    line4     = '0;
    line2     = '0;
    line1     = '0;
    symbol    = '0;
    weights_o = 'x;
    if (run_i) begin
      line4 = beat_i[32'(line_i[0])*256+:256];
      line2 = beat_i[32'(line_i[1:0])*128+:128];
      line1 = beat_i[32'(line_i)*64+:64];
      for (int i = 0; i < 64; i++) begin
        symbol = four_i ? line4[i*4+:4] : two_i ? 4'(line2[i*2+:2]) : 4'(line1[i]);
        weights_o[i*8+:8] = weight_q[symbol];
      end
    end
  end
endmodule
