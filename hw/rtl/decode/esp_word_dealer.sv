// Deals the words of a coded stream to the lanes: the oldest staged beat and the one held before it are a window of up to
// 32 words, of which each cycle hands out up to 16. Lanes that want a word get theirs in order of their number.
`include "esp_assert.svh"

module esp_word_dealer #(
    parameter int unsigned Lanes = 16
) (
    input  logic                clk_i,
    input  logic                rst_ni,
    input  logic                start_i,       // a stream starts: what is held is dropped
    input  logic                run_i,
    // Beats
    input  logic                more_i,        // beats of the run are still to be popped
    input  logic                beat_valid_i,
    input  logic [511:0]        beat_i,
    output logic                beat_pop_o,
    // Lanes
    input  logic [Lanes-1:0]    want_i,
    output logic [Lanes-1:0]    take_o,
    output logic [Lanes*32-1:0] word_o,        // with take_o
    output logic                served_o,      // every lane that wants a word gets one now, or there are none left
    output logic                dry_o          // no words are left in the run
);
  localparam int unsigned RankBits = $clog2(Lanes) + 1;

  logic         held_q;
  logic [511:0] words_q;
  logic [3:0]   next_q;       // first word of words_q that was not dealt
  logic         behind;       // the staged beat follows
  logic [5:0]   available;
  logic [4:0]   given;
  logic [RankBits-1:0] wanted;
  logic [4:0]   end_word;     // of the window, behind those dealt

  assign behind    = more_i && beat_valid_i;
  assign available = held_q ? 6'd16 - 6'(next_q) + (behind ? 6'd16 : 6'd0) : 6'd0;
  assign dry_o     = !held_q && !more_i;
  assign end_word  = 5'(next_q) + given;
  assign served_o  = RankBits'(given) == wanted || (!more_i && 6'(given) == available);

  // Rank of each lane among those that want a word.
  logic [RankBits-1:0] rank[Lanes];
  always_comb begin
    wanted = '0;
    for (int k = 0; k < Lanes; k++) begin
      rank[k] = wanted;
      wanted  = wanted + RankBits'(want_i[k]);
    end
  end

  always_comb begin
    given = 5'd16;
    if (32'(wanted) < 32'd16) given = 5'(wanted);
    if (available < 6'(given)) given = 5'(available);
  end

  // The words to deal, from the first one on.
  logic [511:0] aligned;
  always_comb begin
    aligned = '0;
    take_o  = '0;
    word_o  = 'x;
    if (run_i) begin
      aligned = 512'({beat_i, words_q} >> {next_q, 5'd0});
      for (int k = 0; k < Lanes; k++) begin
        take_o[k] = want_i[k] && 32'(rank[k]) < 32'(given);
        // No lane has a rank above its number.
        word_o[k*32+:32] = aligned[(32'(rank[k])&((1<<$clog2(k < 16 ? k + 1 : 16))-1))*32+:32];
      end
    end
  end

  assign beat_pop_o = run_i && behind && (!held_q || end_word[4]);

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      held_q <= 1'b0;
      next_q <= '0;
    end else if (run_i) begin
      next_q <= end_word[3:0];
      if (beat_pop_o) begin
        held_q  <= 1'b1;
        words_q <= beat_i;
      end else if (end_word[4]) begin
        held_q <= 1'b0;
      end
    end
  end

  // Assertions
  `ESP_ASSERT(DealsWhatIsThere, !run_i || 6'(given) <= available)
  `ESP_COVER(DealsFromTwoBeats, run_i && end_word[4] && end_word[3:0] != '0)
endmodule
