// Cuts a transfer into AXI bursts and offers their addresses, one per cycle.
//
// Bursts have at most 16 beats and end at 1 KiB boundaries. Every burst is checked against its window before it is
// issued; one that leaves it stays, reported, until the end of the run. The owner allows a burst once it can take or
// give all of its data.
`include "esp_assert.svh"

module esp_burst_cutter (
    input  logic        clk_i,
    input  logic        rst_ni,           // power on
    input  logic        run_ni,           // low between runs: drops the transfer, not an address on offer
    input  logic        halt_i,           // no new bursts
    // Transfer: planes of runs of beats, see esp_plane_walk
    input  logic        request_i,
    output logic        ready_o,
    input  logic [63:0] base_i,           // window, bytes
    input  logic [31:0] limit_i,          // window, beats
    input  logic [31:0] offset_i,         // beats
    input  logic [31:0] run_i,
    input  logic [31:0] pitch_i,
    input  logic [15:0] planes_i,
    input  logic [31:0] position_i,       // of the command in the list
    // Next burst: issued in a cycle in which the owner allows its length
    output logic [4:0]  length_o,         // beats
    input  logic        allow_i,
    output logic        issue_o,
    output logic        last_o,           // it ends its transfer
    output logic [31:0] position_o,
    // Error, while it lasts
    output logic        window_error_o,
    output logic [31:0] window_offset_o,
    // AXI4 address channel
    output logic        addr_valid_o,
    input  logic        addr_ready_i,
    output logic [63:0] addr_o,
    output logic [7:0]  len_o
);
  logic        active, fits, valid_q;
  logic [63:0] base_q, addr_q;
  logic [31:0] limit_q, position_q, offset, gone, left;
  logic [7:0]  len_q;
  logic [4:0]  to_boundary;

  esp_plane_walk u_walk (
      .clk_i,
      .rst_ni(run_ni),
      .start_i(request_i && ready_o),
      .address_i(offset_i),
      .run_i,
      .pitch_i,
      .planes_i,
      .active_o(active),
      .address_o(offset),
      .gone_o(gone),
      .last_o,
      .step_i(issue_o),
      .beats_i(length_o)
  );

  assign left        = ~gone;
  assign to_boundary = 5'd16 - {1'b0, offset[3:0]};
  assign length_o    = left[31:5] == '0 && left[4:0] < to_boundary ? left[4:0] : to_boundary;
  assign fits        = {1'b0, offset} + 33'(length_o) <= {1'b0, limit_q};
  assign issue_o     = active && !halt_i && fits && allow_i && (!valid_q || addr_ready_i);

  assign ready_o         = !active;
  assign position_o      = position_q;
  assign window_error_o  = active && !fits;
  assign window_offset_o = offset;
  assign addr_valid_o    = valid_q;
  assign addr_o          = addr_q;
  assign len_o           = len_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (issue_o) valid_q <= 1'b1;
    else if (addr_ready_i) valid_q <= 1'b0;
    if (issue_o) begin
      addr_q <= base_q + {26'd0, offset, 6'd0};
      len_q  <= 8'(length_o) - 8'd1;
    end
    if (request_i && ready_o) begin
      base_q     <= base_i;
      limit_q    <= limit_i;
      position_q <= position_i;
    end
  end

  // Assertions
  // An address stays until it is accepted.
  `ESP_ASSERT(AddressStable, !$past(rst_ni) || !$past(valid_q && !addr_ready_i) ||
              (valid_q && $stable(addr_q) && $stable(len_q)))
  // Bursts stay within 1 KiB.
  `ESP_ASSERT(BurstInsideBoundary, !valid_q || 32'(addr_q[9:6]) + 32'(len_q) < 16)
endmodule
