// One of many words. Four bits fit a LUT; with ESP_DSP48E2 defined, as for synthesis, the multiplexers that a slice of
// UltraScale+ has behind its LUTs choose among those, so that one of 8 costs two LUTs a bit and one of 16 four.
// Simulation indexes.
module esp_wide_mux #(
    parameter int unsigned Width   = 8,
    parameter int unsigned Choices = 16  // a power of two
) (
    input  logic [Choices*Width-1:0]   words_i,
    input  logic [$clog2(Choices)-1:0] select_i,
    output logic [Width-1:0]           word_o
);
`ifdef ESP_DSP48E2
  localparam int unsigned Half = Choices / 2;

  if (Choices == 2) begin : gen_two
    assign word_o = select_i[0] ? words_i[Width+:Width] : words_i[0+:Width];
  end else if (Choices == 4) begin : gen_four
    assign word_o = select_i[1] ? (select_i[0] ? words_i[3*Width+:Width] : words_i[2*Width+:Width]) :
                                  (select_i[0] ? words_i[Width+:Width] : words_i[0+:Width]);
  end else begin : gen_halves
    logic [Width-1:0] low, high;

    esp_wide_mux #(
        .Width(Width),
        .Choices(Half)
    ) u_low (
        .words_i(words_i[Half*Width-1:0]),
        .select_i(select_i[$clog2(Half)-1:0]),
        .word_o(low)
    );
    esp_wide_mux #(
        .Width(Width),
        .Choices(Half)
    ) u_high (
        .words_i(words_i[Half*Width+:Half*Width]),
        .select_i(select_i[$clog2(Half)-1:0]),
        .word_o(high)
    );

    for (genvar i = 0; i < Width; i++) begin : gen_bit
      if (Choices == 8) begin : gen_seventh
        MUXF7 u_mux (.I0(low[i]), .I1(high[i]), .S(select_i[2]), .O(word_o[i]));
      end else if (Choices == 16) begin : gen_eighth
        MUXF8 u_mux (.I0(low[i]), .I1(high[i]), .S(select_i[3]), .O(word_o[i]));
      end else begin : gen_behind
        assign word_o[i] = select_i[$clog2(Choices)-1] ? high[i] : low[i];
      end
    end
  end
`else
  assign word_o = words_i[32'(select_i)*Width+:Width];
`endif
endmodule
