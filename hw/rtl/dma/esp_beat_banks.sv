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
    output logic [16*RowBits-1:0] row_o,      // where wanted
    input  logic [15:0]           grant_i,
    // Words of pending_i that were granted
    output logic [Words-1:0]      granted_o
);
  localparam int unsigned IndexBits = Words > 1 ? $clog2(Words) : 1;

  logic [3:0]         word;
  logic [RowBits-1:0] first_row, second_row;  // of the words up to bank 15, and of those from bank 0 on

  assign first_row  = RowBits'(address_i >> 4);
  assign second_row = first_row + 1'b1;

  always_comb begin
    want_o = '0;
    row_o  = 'x;
    word   = '0;
    if (pending_i != '0) begin
      for (int b = 0; b < 16; b++) begin
        word      = 4'(b) - address_i[3:0];
        want_o[b] = 32'(word) < Words && pending_i[IndexBits'(word)];
        // No more than the first banks hold words of the second row, and those only if the beat begins in the upper half or
        // has 16 words.
        row_o[b*RowBits+:RowBits] = b < Words - 1 && (Words > 8 ? 4'(b) < address_i[3:0] : address_i[3]) ? second_row :
                                                                                                         first_row;
      end
    end
  end

  for (genvar i = 0; i < Words; i++) begin : gen_granted
    assign granted_o[i] = pending_i[i] && grant_i[address_i[3:0]+4'(i)];
  end
endmodule
