// Reads `planes` runs of beats from memory through one AXI4 read master into a staging FIFO.
//
// A burst is requested only when the FIFO has room for all of it, so read data is never held up.
`include "esp_assert.svh"

module esp_read_dma #(
    parameter int unsigned Depth = 128  // staging beats
) (
    input  logic         clk_i,
    input  logic         rst_ni,      // power on
    input  logic         run_ni,      // low between runs: drops requests and staged beats, not the AXI state
    input  logic         halt_i,      // no new bursts
    // Request
    input  logic         request_i,
    output logic         ready_o,
    input  logic [63:0]  base_i,      // window, bytes
    input  logic [31:0]  limit_i,     // window, beats
    input  logic [31:0]  offset_i,    // beats
    input  logic [31:0]  run_i,
    input  logic [31:0]  pitch_i,
    input  logic [15:0]  planes_i,
    input  logic [31:0]  position_i,  // of the command in the list
    // Staged beats
    output logic         beat_valid_o,
    output logic [511:0] beat_o,
    input  logic         beat_pop_i,
    // Errors, while they last: offset of a burst outside the window, or a read response
    output logic         window_error_o,
    output logic [31:0]  window_offset_o,
    output logic         response_error_o,
    output logic [1:0]   response_o,
    output logic [31:0]  response_position_o,  // of the command whose beats arrive
    output logic         quiet_o,     // nothing requested or outstanding on AXI
    // AXI4 read master
    output logic         ar_valid_o,
    input  logic         ar_ready_i,
    output logic [63:0]  ar_addr_o,
    output logic [7:0]   ar_len_o,
    input  logic         r_valid_i,
    output logic         r_ready_o,
    input  logic [511:0] r_data_i,
    input  logic [1:0]   r_resp_i
);
  localparam int unsigned CountBits = $clog2(Depth) + 1;

  logic [CountBits-1:0] reserved_q;     // beats requested in this run and not yet popped
  logic [CountBits:0]   outstanding_q;  // beats requested and not yet delivered
  logic [31:0]          position;
  logic [4:0]           length;
  logic                 room, issue, fifo_empty;

  esp_burst_cutter u_cutter (
      .clk_i,
      .rst_ni,
      .run_ni,
      .halt_i,
      .request_i,
      .ready_o,
      .base_i,
      .limit_i,
      .offset_i,
      .run_i,
      .pitch_i,
      .planes_i,
      .position_i,
      .length_o(length),
      .allow_i(room),
      .issue_o(issue),
      .last_o(),
      .position_o(position),
      .window_error_o,
      .window_offset_o,
      .addr_valid_o(ar_valid_o),
      .addr_ready_i(ar_ready_i),
      .addr_o(ar_addr_o),
      .len_o(ar_len_o)
  );

  assign room             = 32'(reserved_q) + 32'(length) <= Depth;
  assign response_error_o = r_valid_i && r_resp_i[1];
  assign response_o       = r_resp_i;
  assign quiet_o          = !ar_valid_o && outstanding_q == '0;
  assign r_ready_o        = 1'b1;
  assign beat_valid_o     = !fifo_empty;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) outstanding_q <= '0;
    else outstanding_q <= outstanding_q + (issue ? (CountBits + 1)'(length) : '0) - (CountBits + 1)'(r_valid_i);
    if (!run_ni) reserved_q <= '0;
    else reserved_q <= reserved_q + (issue ? CountBits'(length) : '0) - CountBits'(beat_pop_i);
  end

  esp_fifo #(
      .Width(512),
      .Depth(Depth)
  ) u_staging (
      .clk_i,
      .rst_ni(run_ni),
      .push_i(r_valid_i && run_ni),
      .data_i(r_data_i),
      .full_o(),
      .pop_i(beat_pop_i),
      .data_o(beat_o),
      .empty_o(fifo_empty),
      .count_o()
  );

  // The command and the beats left of every burst that waits for data.
  logic [4:0] burst_beats, delivered_q;

  esp_fifo #(
      .Width(37),
      .Depth(Depth)
  ) u_bursts (
      .clk_i,
      .rst_ni,
      .push_i(issue),
      .data_i({position, length}),
      .full_o(),
      .pop_i(r_valid_i && delivered_q + 5'd1 == burst_beats),
      .data_o({response_position_o, burst_beats}),
      .empty_o(),
      .count_o()
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) delivered_q <= '0;
    else if (r_valid_i) delivered_q <= delivered_q + 5'd1 == burst_beats ? '0 : delivered_q + 5'd1;
  end

  // Assertions
  `ESP_COVER(WaitsForRoom, !ready_o && !room)
endmodule
