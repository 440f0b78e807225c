// Reads `planes` runs of beats from memory through one AXI4 read master into a staging FIFO.
//
// Bursts have at most 16 beats and end at 1 KiB boundaries. A burst is requested only when the FIFO has room for all of
// it, so read data is never held up. Every burst is checked against its window before it is requested.
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

  logic                 busy_q, ar_valid_q;
  logic [63:0]          base_q, ar_addr_q;
  logic [31:0]          limit_q, offset_q, run_q, run_left_q, pitch_q, plane_q;
  logic [15:0]          planes_left_q;
  logic [7:0]           ar_len_q;
  logic [CountBits-1:0] reserved_q;     // beats requested in this run and not yet popped
  logic [CountBits:0]   outstanding_q;  // beats requested and not yet delivered
  logic [4:0]           length, to_boundary;
  logic                 fits, room, issue, fifo_empty;

  assign to_boundary = 5'd16 - {1'b0, offset_q[3:0]};
  assign length      = run_left_q < 32'(to_boundary) ? run_left_q[4:0] : to_boundary;
  assign fits      = {1'b0, offset_q} + 33'(length) <= {1'b0, limit_q};
  assign room        = 32'(reserved_q) + 32'(length) <= Depth;
  assign issue       = busy_q && !halt_i && fits && room && (!ar_valid_q || ar_ready_i);

  assign ready_o          = !busy_q;
  assign window_error_o   = busy_q && !fits;
  assign window_offset_o  = offset_q;
  assign response_error_o = r_valid_i && r_resp_i[1];
  assign response_o       = r_resp_i;
  assign quiet_o          = !ar_valid_q && outstanding_q == '0;
  assign ar_valid_o       = ar_valid_q;
  assign ar_addr_o        = ar_addr_q;
  assign ar_len_o         = ar_len_q;
  assign r_ready_o        = 1'b1;
  assign beat_valid_o     = !fifo_empty;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      ar_valid_q    <= 1'b0;
      outstanding_q <= '0;
    end else begin
      if (issue) ar_valid_q <= 1'b1;
      else if (ar_ready_i) ar_valid_q <= 1'b0;
      outstanding_q <= outstanding_q + (issue ? (CountBits + 1)'(length) : '0) - (CountBits + 1)'(r_valid_i);
    end
    if (issue) begin
      ar_addr_q <= base_q + {26'd0, offset_q, 6'd0};
      ar_len_q  <= 8'(length) - 8'd1;
    end
    if (!run_ni) begin
      busy_q     <= 1'b0;
      reserved_q <= '0;
    end else begin
      reserved_q <= reserved_q + (issue ? CountBits'(length) : '0) - CountBits'(beat_pop_i);
      if (request_i && ready_o) begin
        busy_q        <= 1'b1;
        base_q        <= base_i;
        limit_q       <= limit_i;
        offset_q      <= offset_i;
        plane_q       <= offset_i;
        run_q         <= run_i;
        run_left_q    <= run_i;
        pitch_q       <= pitch_i;
        planes_left_q <= planes_i;
      end else if (issue) begin
        if (run_left_q == 32'(length)) begin
          plane_q       <= plane_q + pitch_q;
          offset_q      <= plane_q + pitch_q;
          run_left_q    <= run_q;
          planes_left_q <= planes_left_q - 16'd1;
          if (planes_left_q == 16'd1) busy_q <= 1'b0;
        end else begin
          offset_q   <= offset_q + 32'(length);
          run_left_q <= run_left_q - 32'(length);
        end
      end
    end
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
  logic [31:0] position_q;
  logic [4:0]  burst_beats, delivered_q;

  esp_fifo #(
      .Width(37),
      .Depth(Depth)
  ) u_bursts (
      .clk_i,
      .rst_ni,
      .push_i(issue),
      .data_i({position_q, length}),
      .full_o(),
      .pop_i(r_valid_i && delivered_q + 5'd1 == burst_beats),
      .data_o({response_position_o, burst_beats}),
      .empty_o(),
      .count_o()
  );

  always_ff @(posedge clk_i) begin
    if (!rst_ni) delivered_q <= '0;
    else if (r_valid_i) delivered_q <= delivered_q + 5'd1 == burst_beats ? '0 : delivered_q + 5'd1;
    if (request_i && ready_o) position_q <= position_i;
  end

  // Assertions
  // A request stays until it is accepted.
  `ESP_ASSERT(AddressStable, !$past(rst_ni) || !$past(ar_valid_q && !ar_ready_i) ||
              (ar_valid_q && $stable(ar_addr_q) && $stable(ar_len_q)))
  // Bursts stay within 1 KiB.
  `ESP_ASSERT(BurstInsideBoundary, !ar_valid_q || 32'(ar_addr_q[9:6]) + 32'(ar_len_q) < 16)
  `ESP_COVER(WaitsForRoom, busy_q && !room)
endmodule
