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

  always_comb begin
    take_o = '0;
    if (run_i) begin
      for (int k = 0; k < Lanes; k++) take_o[k] = want_i[k] && 32'(rank[k]) < 32'(given);
    end
  end

`ifdef ESP_DSP48E2
  // Form for synthesis. The words to deal are shifted to the front of the window, word r to place r; then they spread to
  // the lanes, digit by digit of the distance between rank and lane, the coarse one first. Distances of lanes that want a
  // word never fall from lane to lane, so no two words meet in a place. A LUT has four words to choose from.
  localparam int unsigned Digits = ($clog2(Lanes) + 1) / 2;

  localparam int unsigned Places = (Digits + 1) * Lanes;  // by level; level 0 are the lanes

  logic [16*32-1:0]         aligned;
  logic [19*32-1:0]         shifted;
  logic [Places-1:0]        there;     // a lane gets the word that is here
  logic [Places*Digits*2-1:0] distance;  // that it goes from its rank to the lane
  logic [Places*32-1:0]     spread;    // the words
  logic                     hits;      // the word here goes on by j units; used where it is computed

  function automatic logic [31:0] chosen(input logic [1:0] digit, input logic [31:0] none, input logic [31:0] one,
                                         input logic [31:0] two, input logic [31:0] three);
    chosen = digit[1] ? (digit[0] ? three : two) : (digit[0] ? one : none);
  endfunction

  always_comb begin
    for (int i = 0; i < 19; i++) begin
      shifted[i*32+:32] = chosen(next_q[3:2], window_word(i), window_word(i + 4), window_word(i + 8), window_word(i + 12));
    end
    for (int i = 0; i < 16; i++) begin
      aligned[i*32+:32] = chosen(next_q[1:0], shifted[i*32+:32], shifted[(i+1)*32+:32], shifted[(i+2)*32+:32],
                                 shifted[(i+3)*32+:32]);
    end
  end

  function automatic logic [31:0] window_word(input int unsigned i);
    window_word = i < 16 ? words_q[(i%16)*32+:32] : beat_i[(i%16)*32+:32];
  endfunction

  localparam int unsigned Far = 2 * Digits;  // bits of a distance

  always_comb begin
    there    = '0;
    distance = '0;
    for (int unsigned k = 0; k < Lanes; k++) begin
      there[k]              = want_i[k];
      distance[k*Far+:Far] = Far'(k) - Far'(rank[k]);
    end
    for (int unsigned level = 0; level < Digits; level++) begin
      for (int unsigned k = 0; k < Lanes; k++) begin
        for (int unsigned j = 0; j < 4; j++) begin
          if (k + (j << (2 * level)) < Lanes) begin
            hits = there[level*Lanes+k+(j<<(2*level))] &&
                   distance[(level*Lanes+k+(j<<(2*level)))*Far+2*level+:2] == 2'(j);
            there[(level+1)*Lanes+k] |= hits;
            distance[((level+1)*Lanes+k)*Far+:Far] |= distance[(level*Lanes+k+(j<<(2*level)))*Far+:Far] & {Far{hits}};
          end
        end
      end
    end
  end

  always_comb begin
    spread = 'x;
    // No more than 16 words are dealt.
    for (int unsigned k = 0; k < Lanes && k < 16; k++) spread[(Digits*Lanes+k)*32+:32] = aligned[k*32+:32];
    for (int level = Digits - 1; level >= 0; level--) begin
      for (int unsigned k = 0; k < Lanes; k++) begin
        for (int unsigned j = 0; j < 4; j++) begin
          if (k >= (j << (2 * level)) && distance[(32'(level)*Lanes+k)*Far+2*level+:2] == 2'(j)) begin
            spread[(32'(level)*Lanes+k)*32+:32] = spread[((32'(level)+1)*Lanes+k-(j<<(2*level)))*32+:32];
          end
        end
      end
    end
    word_o = spread[Lanes*32-1:0];
  end
`else
  logic [511:0] aligned;  // the words to deal, from the first one on
  always_comb begin
    aligned = '0;
    word_o  = 'x;
    if (run_i) begin
      aligned = 512'({beat_i, words_q} >> {next_q, 5'd0});
      for (int k = 0; k < Lanes; k++) begin
        // No lane has a rank above its number.
        word_o[k*32+:32] = aligned[(32'(rank[k])&((1<<$clog2(k < 16 ? k + 1 : 16))-1))*32+:32];
      end
    end
  end
`endif

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
