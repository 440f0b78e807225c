// Gathers words from the scratchpad into beats through idle port cycles, and buffers the beats until they are sent.
`include "esp_assert.svh"

module esp_gather_unit #(
    parameter int unsigned Pixels  = 16,
    parameter int unsigned RowBits = 12,
    parameter int unsigned Depth   = esp_abi_pkg::StoreBeats  // beats
) (
    input  logic                   clk_i,
    input  logic                   rst_ni,      // drops the transfer and all beats
    input  logic                   halt_i,      // no new beats
    // Transfer: planes of runs of beats, see esp_plane_walk
    input  logic                   start_i,
    output logic                   ready_o,
    input  logic [15:0]            address_i,   // words
    input  logic [31:0]            run_i,
    input  logic [15:0]            pitch_i,     // words
    input  logic [15:0]            planes_i,
    // Banks: row wanted of each bank; data in the cycle after the grant
    output logic [15:0]            store_o,
    output logic [16*RowBits-1:0]  row_o,
    input  logic [15:0]            grant_i,
    input  logic [16*Pixels*8-1:0] data_i,
    // Beats in order: one more is complete after this cycle; the oldest, and its end
    output logic                   complete_o,
    output logic [511:0]           beat_o,
    input  logic                   pop_i
);
  localparam int unsigned Words   = esp_abi_pkg::BeatBytes / Pixels;
  localparam int unsigned PtrBits = $clog2(Depth);

  logic               active, last, beat_granted, complete_q, room;
  logic [15:0]        address;
  logic [Words-1:0]   pending_q, granted, capture_q;
  logic [3:0]         capture_bank_q;  // of the first word
  logic [PtrBits-1:0] gather_ptr_q, capture_ptr_q, send_ptr_q;
  logic [PtrBits:0]   allocated_q;     // beats granted and not yet popped

  esp_plane_walk #(
      .AddressBits(16),
      .Scale(Words)
  ) u_walk (
      .clk_i,
      .rst_ni,
      .start_i,
      .address_i,
      .run_i,
      .pitch_i,
      .planes_i,
      .active_o(active),
      .address_o(address),
      .gone_o(),
      .last_o(last),
      .step_i(beat_granted),
      .beats_i(5'd1)
  );

  esp_beat_banks #(
      .Pixels(Pixels),
      .RowBits(RowBits)
  ) u_banks (
      .address_i(address),
      .pending_i(pending_q),
      .want_o(store_o),
      .row_o,
      .grant_i,
      .granted_o(granted)
  );

  assign ready_o      = !active;
  assign complete_o   = complete_q;
  assign beat_granted = pending_q != '0 && (pending_q & ~granted) == '0;
  // One beat may be closing in the cycle in which the next is opened.
  assign room         = allocated_q <= (PtrBits + 1)'(Depth - 2);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      pending_q    <= '0;
      capture_q    <= '0;
      complete_q   <= 1'b0;
      gather_ptr_q <= '0;
      send_ptr_q   <= '0;
      allocated_q  <= '0;
    end else begin
      capture_q   <= granted;
      complete_q  <= beat_granted;
      allocated_q <= allocated_q + (PtrBits + 1)'(beat_granted) - (PtrBits + 1)'(pop_i);
      if (beat_granted) gather_ptr_q <= gather_ptr_q + 1'b1;
      if (pop_i) send_ptr_q <= send_ptr_q + 1'b1;
      // A beat is opened when there is room for it, and closed when all its words are granted.
      if (beat_granted && last) pending_q <= '0;
      else if (beat_granted || (active && pending_q == '0)) pending_q <= room && !halt_i ? '1 : '0;
      else pending_q <= pending_q & ~granted;
    end
    capture_bank_q <= address[3:0];
    capture_ptr_q  <= gather_ptr_q;
  end

  // Banks that are a multiple of the words of a beat apart: the one of each residue that holds a word of the beat.
  logic [511:0] residues;
  always_comb begin
    residues = 'x;
    if (capture_q != '0) begin
      for (int unsigned r = 0; r < Words && r < 16; r++) begin
        // Bank capture_bank_q + i with i = (r - capture_bank_q) mod Words.
        residues[r*Pixels*8+:Pixels*8] = data_i[bank(r, capture_bank_q)*Pixels*8+:Pixels*8];
      end
    end
  end

  function automatic logic [31:0] bank(input int unsigned residue, input logic [3:0] first);
    bank = (((32'(first) + Words - 1 - residue) / Words) * Words + residue) % 16;
  endfunction

  // One memory for every word of a beat.
  for (genvar i = 0; i < Words; i++) begin : gen_buffer
    logic [Pixels*8-1:0] words[Depth];
    always_ff @(posedge clk_i) begin
      if (capture_q[i]) words[capture_ptr_q] <= residues[(32'(capture_bank_q)+i)%Words*Pixels*8+:Pixels*8];
    end
    assign beat_o[i*Pixels*8+:Pixels*8] = words[send_ptr_q];
  end

  // Assertions
  `ESP_ASSERT(NoOverflow, 32'(allocated_q) <= Depth)
  `ESP_ASSERT(NoUnderflow, !(pop_i && allocated_q == '0))
  `ESP_COVER(BufferFull, !room)
endmodule
