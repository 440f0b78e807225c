// Store unit: scratchpad to memory. Words are gathered into beats through idle port cycles; a burst is offered to AXI
// once all its beats are there, so write data follows its address without gaps. A store is complete when all its
// responses are in.
`include "esp_assert.svh"

module esp_store_unit #(
    parameter int unsigned Pixels  = 16,
    parameter int unsigned RowBits = 12
) (
    input  logic                   clk_i,
    input  logic                   rst_ni,   // power on
    input  logic                   run_ni,
    input  logic                   halt_i,
    // Head of the store queue; its waits are met
    input  logic                   command_valid_i,
    input  logic [511:0]           command_i,
    input  logic [63:0]            base_i,   // window, bytes
    input  logic [31:0]            limit_i,  // window, beats
    input  logic [31:0]            position_i,  // of the command in the list
    output logic                   command_pop_o,
    output logic [31:0]            done_o,
    // Banks: row wanted of each bank; data in the cycle after the grant
    output logic [15:0]            store_o,
    output logic [16*RowBits-1:0]  row_o,
    input  logic [15:0]            grant_i,
    input  logic [16*Pixels*8-1:0] data_i,
    // Errors
    output logic                   window_error_o,
    output logic [31:0]            window_offset_o,
    output logic                   response_error_o,
    output logic [1:0]             response_o,
    output logic [31:0]            response_position_o,  // of the command whose response is due
    output logic                   quiet_o,
    // AXI4 write master
    output logic                   aw_valid_o,
    input  logic                   aw_ready_i,
    output logic [63:0]            aw_addr_o,
    output logic [7:0]             aw_len_o,
    output logic                   w_valid_o,
    input  logic                   w_ready_i,
    output logic [511:0]           w_data_o,
    output logic                   w_last_o,
    input  logic                   b_valid_i,
    output logic                   b_ready_o,
    input  logic [1:0]             b_resp_i
);
  localparam int unsigned Words     = esp_abi_pkg::BeatBytes / Pixels;
  localparam int unsigned WordBits  = $clog2(Words);
  localparam int unsigned Depth     = esp_abi_pkg::StoreBeats;
  localparam int unsigned PtrBits   = $clog2(Depth);
  localparam int unsigned MaxBursts = 16;

  // ---- Gather: words of one beat at a time ----
  logic               gather_active_q;
  logic [15:0]        address_q, plane_q, pitch_q, planes_left_q;
  logic [31:0]        run_q, run_left_q;
  logic [Words-1:0]   pending_q, granted, capture_q;
  logic [3:0]         capture_bank_q;  // of the first word
  logic [PtrBits-1:0] gather_ptr_q, capture_ptr_q;
  logic [PtrBits:0]   allocated_q;  // beats gathered or being gathered, not yet sent
  logic               beat_complete, complete_q, more, room, start;

  logic write_ready, bursts_full, ends_full;

  assign start         = command_valid_i && !halt_i && !gather_active_q && write_ready;
  assign command_pop_o = start;

  // Bank b holds word (b - address) mod 16 of the beat, if there is one.
  logic [15:0] word;
  always_comb begin
    store_o = '0;
    row_o   = '0;
    word    = '0;
    if (pending_q != '0) begin
      for (int b = 0; b < 16; b++) begin
        word = 16'(4'(4'(b) - address_q[3:0]));
        if (32'(word) < Words && pending_q[word[WordBits-1:0]]) begin
          store_o[b] = 1'b1;
          row_o[b*RowBits+:RowBits] = RowBits'((address_q + word) >> 4);
        end
      end
    end
  end
  for (genvar i = 0; i < Words; i++) begin : gen_granted
    assign granted[i] = pending_q[i] && grant_i[4'(address_q[3:0]+4'(i))];
  end

  assign beat_complete = pending_q != '0 && (pending_q & ~granted) == '0;
  assign more          = !(run_left_q == 32'd1 && planes_left_q == 16'd1);
  // One beat may be closing in the cycle in which the next is opened.
  assign room          = allocated_q <= (PtrBits + 1)'(Depth - 2);

  logic w_fire;

  always_ff @(posedge clk_i) begin
    if (!run_ni) begin
      gather_active_q <= 1'b0;
      pending_q       <= '0;
      capture_q       <= '0;
      complete_q      <= 1'b0;
      gather_ptr_q    <= '0;
    end else begin
      capture_q  <= granted;
      complete_q <= beat_complete;
      if (start) begin
        gather_active_q <= 1'b1;
        address_q       <= command_i[esp_abi_pkg::CmdAddressLsb+:16];
        plane_q         <= command_i[esp_abi_pkg::CmdAddressLsb+:16];
        pitch_q         <= command_i[esp_abi_pkg::CmdWordPitchLsb+:16];
        planes_left_q   <= command_i[esp_abi_pkg::CmdPlanesLsb+:16];
        run_q           <= command_i[esp_abi_pkg::CmdRunLsb+:32];
        run_left_q      <= command_i[esp_abi_pkg::CmdRunLsb+:32];
      end
      // A beat is opened when there is room for it, and closed when all its words are granted.
      if (gather_active_q && pending_q == '0) begin
        if (room && !halt_i) pending_q <= '1;
      end else if (beat_complete) begin
        gather_ptr_q <= gather_ptr_q + 1'b1;
        if (!more) begin
          gather_active_q <= 1'b0;
          pending_q       <= '0;
        end else begin
          pending_q <= room && !halt_i ? '1 : '0;
        end
        if (run_left_q == 32'd1) begin
          plane_q       <= plane_q + pitch_q;
          address_q     <= plane_q + pitch_q;
          run_left_q    <= run_q;
          planes_left_q <= planes_left_q - 16'd1;
        end else begin
          address_q  <= address_q + 16'(Words);
          run_left_q <= run_left_q - 32'd1;
        end
      end else begin
        pending_q <= pending_q & ~granted;
      end
    end
    capture_bank_q    <= address_q[3:0];
    capture_ptr_q     <= gather_ptr_q;
  end

  // ---- Write: bursts over gathered beats ----
  logic               write_active_q, aw_valid_q;
  logic [63:0]        base_q, aw_addr_q;
  logic [31:0]        limit_q, offset_q, burst_plane_q, burst_pitch_q, burst_run_q, burst_left_q;
  logic [15:0]        burst_planes_q;
  logic [7:0]         aw_len_q;
  logic [PtrBits:0]   filled_q;      // beats gathered and not yet promised to a burst
  logic [PtrBits-1:0] send_ptr_q;
  logic [4:0]         length, to_boundary, sent_q;
  logic               fits, issue, bursts_empty;
  logic [4:0]         burst_length;
  logic [15:0]        outstanding_q;  // bursts issued and not yet answered, across runs
  logic [31:0]        issued_q, answered_q, done_q, end_mark;
  logic               ends_empty;

  assign write_ready = !write_active_q && !ends_full;
  assign to_boundary = 5'd16 - {1'b0, offset_q[3:0]};
  assign length      = burst_left_q < 32'(to_boundary) ? burst_left_q[4:0] : to_boundary;
  assign fits      = {1'b0, offset_q} + 33'(length) <= {1'b0, limit_q};
  assign issue       = write_active_q && !halt_i && fits && 32'(filled_q) >= 32'(length) && !bursts_full && !positions_full &&
                       (!aw_valid_q || aw_ready_i);

  assign window_error_o   = write_active_q && !fits;
  assign window_offset_o  = offset_q;
  assign response_error_o = b_valid_i && b_resp_i[1];
  assign response_o       = b_resp_i;
  assign b_ready_o        = 1'b1;
  assign quiet_o          = !aw_valid_q && outstanding_q == '0;
  assign aw_valid_o       = aw_valid_q;
  assign aw_addr_o        = aw_addr_q;
  assign aw_len_o         = aw_len_q;
  assign w_valid_o        = !bursts_empty;
  assign w_last_o         = sent_q + 5'd1 == burst_length;
  assign w_fire           = w_valid_o && w_ready_i;
  assign done_o           = done_q;

  // The gathered beats: one memory for every word of a beat.
  for (genvar i = 0; i < Words; i++) begin : gen_buffer
    logic [Pixels*8-1:0] words[Depth];
    always_ff @(posedge clk_i) begin
      if (capture_q[i]) words[capture_ptr_q] <= data_i[32'(4'(capture_bank_q+4'(i)))*Pixels*8+:Pixels*8];
    end
    assign w_data_o[i*Pixels*8+:Pixels*8] = words[send_ptr_q];
  end

  // Bursts whose address has been accepted, in order: their data follows. Survives between runs, as AXI demands.
  esp_fifo #(
      .Width(5),
      .Depth(MaxBursts)
  ) u_bursts (
      .clk_i,
      .rst_ni,
      .push_i(aw_valid_q && aw_ready_i),
      .data_i(5'(aw_len_q) + 5'd1),
      .full_o(),
      .pop_i(w_fire && w_last_o),
      .data_o(burst_length),
      .empty_o(bursts_empty),
      .count_o(bursts_count)
  );
  logic [4:0] bursts_count;
  assign bursts_full = bursts_count >= 5'(MaxBursts - 1);

  // The command of every burst that waits for its response.
  esp_fifo #(
      .Width(32),
      .Depth(2 * MaxBursts)
  ) u_positions (
      .clk_i,
      .rst_ni,
      .push_i(issue),
      .data_i(position_q),
      .full_o(positions_full),
      .pop_i(b_valid_i),
      .data_o(response_position_o),
      .empty_o(),
      .count_o()
  );
  logic [31:0] position_q;
  logic        positions_full;

  // The number of the last burst of every store in flight.
  esp_fifo #(
      .Width(32),
      .Depth(8)
  ) u_ends (
      .clk_i,
      .rst_ni(run_ni),
      .push_i(issue && burst_left_q == 32'(length) && burst_planes_q == 16'd1),
      .data_i(issued_q + 32'd1),
      .full_o(ends_full),
      .pop_i(!ends_empty && end_mark == answered_q),
      .data_o(end_mark),
      .empty_o(ends_empty),
      .count_o()
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      aw_valid_q    <= 1'b0;
      outstanding_q <= '0;
      sent_q        <= '0;
    end else begin
      if (issue) aw_valid_q <= 1'b1;
      else if (aw_ready_i) aw_valid_q <= 1'b0;
      outstanding_q <= outstanding_q + 16'(issue) - 16'(b_valid_i);
      if (w_fire) sent_q <= w_last_o ? '0 : sent_q + 5'd1;
    end
    if (issue) begin
      aw_addr_q <= base_q + {26'd0, offset_q, 6'd0};
      aw_len_q  <= 8'(length) - 8'd1;
    end
    if (!run_ni) begin
      write_active_q <= 1'b0;
      filled_q       <= '0;
      allocated_q    <= '0;
      issued_q       <= '0;
      answered_q     <= '0;
      done_q         <= '0;
      send_ptr_q     <= '0;
    end else begin
      allocated_q <= allocated_q + (PtrBits + 1)'(beat_complete) - (PtrBits + 1)'(w_fire);
      filled_q    <= filled_q + (PtrBits + 1)'(complete_q) - (issue ? (PtrBits + 1)'(length) : '0);
      if (w_fire) send_ptr_q <= send_ptr_q + 1'b1;
      if (issue) issued_q <= issued_q + 32'd1;
      if (b_valid_i) answered_q <= answered_q + 32'd1;
      if (!ends_empty && end_mark == answered_q) done_q <= done_q + 32'd1;
      if (start) begin
        write_active_q <= 1'b1;
        position_q     <= position_i;
        base_q         <= base_i;
        limit_q        <= limit_i;
        offset_q       <= command_i[esp_abi_pkg::CmdOffsetLsb+:32];
        burst_plane_q  <= command_i[esp_abi_pkg::CmdOffsetLsb+:32];
        burst_pitch_q  <= command_i[esp_abi_pkg::CmdPitchLsb+:32];
        burst_planes_q <= command_i[esp_abi_pkg::CmdPlanesLsb+:16];
        burst_run_q    <= command_i[esp_abi_pkg::CmdRunLsb+:32];
        burst_left_q   <= command_i[esp_abi_pkg::CmdRunLsb+:32];
      end else if (issue) begin
        if (burst_left_q == 32'(length)) begin
          burst_plane_q  <= burst_plane_q + burst_pitch_q;
          offset_q       <= burst_plane_q + burst_pitch_q;
          burst_left_q   <= burst_run_q;
          burst_planes_q <= burst_planes_q - 16'd1;
          if (burst_planes_q == 16'd1) write_active_q <= 1'b0;
        end else begin
          offset_q     <= offset_q + 32'(length);
          burst_left_q <= burst_left_q - 32'(length);
        end
      end
    end
  end

  // Assertions
  `ESP_ASSERT(AddressStable, !$past(rst_ni) || !$past(aw_valid_q && !aw_ready_i) ||
              (aw_valid_q && $stable(aw_addr_q) && $stable(aw_len_q)))
  `ESP_ASSERT(DataFollowsAddress, !w_valid_o || outstanding_q != '0)
  `ESP_COVER(BufferFull, !room)
endmodule
