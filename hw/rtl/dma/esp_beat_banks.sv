// Which banks the words of a beat belong to: word i of a beat at word address a lies in bank (a + i) mod 16, so bank b
// holds word (b - a) mod 16 if the beat has that word.
module esp_beat_banks #(
    parameter int unsigned Pixels  = 16,
    parameter int unsigned RowBits = 12,
    localparam int unsigned Words  = esp_abi_pkg::BeatBytes / Pixels
) (
    input  logic [15:0]           address_i,  // of word 0
    input  logic [Words-1:0]      pending_i,  // words that still want their bank
    // Banks
    output logic [15:0]           want_o,
    output logic [16*RowBits-1:0] row_o,
    output logic [16*4-1:0]       word_o,     // of the beat, where wanted
    input  logic [15:0]           grant_i,
    // Words of pending_i that were granted
    output logic [Words-1:0]      granted_o
);
  localparam int unsigned IndexBits = Words > 1 ? $clog2(Words) : 1;

  logic [3:0] word;
  always_comb begin
    want_o = '0;
    row_o  = '0;
    word_o = '0;
    word   = '0;
    if (pending_i != '0) begin
      for (int b = 0; b < 16; b++) begin
        word = 4'(b) - address_i[3:0];
        if (32'(word) < Words && pending_i[IndexBits'(word)]) begin
          want_o[b] = 1'b1;
          row_o[b*RowBits+:RowBits] = RowBits'((address_i + 16'(word)) >> 4);
          word_o[b*4+:4] = word;
        end
      end
    end
  end

  for (genvar i = 0; i < Words; i++) begin : gen_granted
    assign granted_o[i] = pending_i[i] && grant_i[address_i[3:0]+4'(i)];
  end
endmodule
