// Store unit: scratchpad to memory. A burst is offered to AXI once all its beats are gathered, so write data follows
// its address without gaps. A store is complete when all its responses are in.
`include "esp_assert.svh"

module esp_store_unit #(
    parameter int unsigned Pixels  = 16,
    parameter int unsigned RowBits = 12,
    parameter int unsigned Depth   = esp_abi_pkg::StoreBeats  // beats gathered ahead, at least a burst and two
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
  localparam int unsigned MaxBursts = 16;
  localparam int unsigned CountBits = $clog2(Depth) + 1;

  logic                 start, gather_ready, cutter_ready, complete, w_fire;
  logic                 issue, ends_store, bursts_empty, bursts_full, positions_full, ends_empty, ends_full;
  logic [4:0]           length, burst_length, bursts_count, sent_q;
  logic [CountBits-1:0] filled_q;       // beats gathered and not yet promised to a burst
  logic [15:0]          outstanding_q;  // bursts issued and not yet answered, across runs
  logic [31:0]          position, issued_q, answered_q, done_q, end_mark;

  assign start         = command_valid_i && !halt_i && gather_ready && cutter_ready && !ends_full;
  assign command_pop_o = start;

  esp_gather_unit #(
      .Pixels(Pixels),
      .RowBits(RowBits),
      .Depth(Depth)
  ) u_gather (
      .clk_i,
      .rst_ni(run_ni),
      .halt_i,
      .start_i(start),
      .ready_o(gather_ready),
      .address_i(command_i[esp_abi_pkg::CmdAddressLsb+:16]),
      .run_i(command_i[esp_abi_pkg::CmdRunLsb+:32]),
      .pitch_i(command_i[esp_abi_pkg::CmdWordPitchLsb+:16]),
      .planes_i(command_i[esp_abi_pkg::CmdPlanesLsb+:16]),
      .store_o,
      .row_o,
      .grant_i,
      .data_i,
      .complete_o(complete),
      .beat_o(w_data_o),
      .pop_i(w_fire)
  );

  esp_burst_cutter u_cutter (
      .clk_i,
      .rst_ni,
      .run_ni,
      .halt_i,
      .request_i(start),
      .ready_o(cutter_ready),
      .base_i,
      .limit_i,
      .offset_i(command_i[esp_abi_pkg::CmdOffsetLsb+:32]),
      .run_i(command_i[esp_abi_pkg::CmdRunLsb+:32]),
      .pitch_i(command_i[esp_abi_pkg::CmdPitchLsb+:32]),
      .planes_i(command_i[esp_abi_pkg::CmdPlanesLsb+:16]),
      .position_i,
      .length_o(length),
      .allow_i(32'(filled_q) >= 32'(length) && !bursts_full && !positions_full),
      .issue_o(issue),
      .last_o(ends_store),
      .position_o(position),
      .window_error_o,
      .window_offset_o,
      .addr_valid_o(aw_valid_o),
      .addr_ready_i(aw_ready_i),
      .addr_o(aw_addr_o),
      .len_o(aw_len_o)
  );

  assign response_error_o = b_valid_i && b_resp_i[1];
  assign response_o       = b_resp_i;
  assign b_ready_o        = 1'b1;
  assign quiet_o          = !aw_valid_o && outstanding_q == '0;
  assign w_valid_o        = !bursts_empty;
  assign w_last_o         = sent_q + 5'd1 == burst_length;
  assign w_fire           = w_valid_o && w_ready_i;
  assign done_o           = done_q;
  assign bursts_full      = bursts_count >= 5'(MaxBursts - 1);

  // Bursts whose address has been accepted, in order: their data follows. Survives between runs, as AXI demands.
  esp_fifo #(
      .Width(5),
      .Depth(MaxBursts)
  ) u_bursts (
      .clk_i,
      .rst_ni,
      .push_i(aw_valid_o && aw_ready_i),
      .data_i(5'(aw_len_o) + 5'd1),
      .full_o(),
      .pop_i(w_fire && w_last_o),
      .data_o(burst_length),
      .empty_o(bursts_empty),
      .count_o(bursts_count)
  );

  // The command of every burst that waits for its response.
  esp_fifo #(
      .Width(32),
      .Depth(2 * MaxBursts)
  ) u_positions (
      .clk_i,
      .rst_ni,
      .push_i(issue),
      .data_i(position),
      .full_o(positions_full),
      .pop_i(b_valid_i),
      .data_o(response_position_o),
      .empty_o(),
      .count_o()
  );

  // The number of the last burst of every store in flight.
  esp_fifo #(
      .Width(32),
      .Depth(8)
  ) u_ends (
      .clk_i,
      .rst_ni(run_ni),
      .push_i(issue && ends_store),
      .data_i(issued_q + 32'd1),
      .full_o(ends_full),
      .pop_i(!ends_empty && end_mark == answered_q),
      .data_o(end_mark),
      .empty_o(ends_empty),
      .count_o()
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      outstanding_q <= '0;
      sent_q        <= '0;
    end else begin
      outstanding_q <= outstanding_q + 16'(issue) - 16'(b_valid_i);
      if (w_fire) sent_q <= w_last_o ? '0 : sent_q + 5'd1;
    end
    if (!run_ni) begin
      filled_q   <= '0;
      issued_q   <= '0;
      answered_q <= '0;
      done_q     <= '0;
    end else begin
      filled_q <= filled_q + CountBits'(complete) - (issue ? CountBits'(length) : '0);
      if (issue) issued_q <= issued_q + 32'd1;
      if (b_valid_i) answered_q <= answered_q + 32'd1;
      if (!ends_empty && end_mark == answered_q) done_q <= done_q + 32'd1;
    end
  end

  // Assertions
  `ESP_ASSERT(DataFollowsAddress, !w_valid_o || outstanding_q != '0)
endmodule
