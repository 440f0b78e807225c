// Performance counters of a run. Every busy cycle is counted under exactly one cause.
`include "esp_assert.svh"

module esp_counters (
    input  logic            clk_i,
    input  logic            rst_ni,
    input  logic            clear_i,          // a run starts with the next cycle
    input  logic            busy_i,
    input  logic            issue_i,
    input  logic            active_i,
    input  logic            starved_i,
    input  logic            compute_waits_i,  // a compute command is queued
    input  logic            writing_i,        // results or stores in flight
    input  logic [2:0]      read_beats_i,     // one bit per master
    input  logic            write_beat_i,
    input  logic [5:0]      entries_i,
    output logic [10*32-1:0] counters_o,
    output logic [31:0]     cycle_o
);
  logic [31:0] cycles_q, computing_q, weights_q, output_q, data_q, writing_q, control_q, reads_q, writes_q, macs_q;

  assign cycle_o    = cycles_q;
  assign counters_o = {macs_q, writes_q, reads_q, control_q, writing_q, data_q, output_q, weights_q, computing_q,
                       cycles_q};

  always_ff @(posedge clk_i) begin
    if (!rst_ni || clear_i) begin
      cycles_q    <= '0;
      computing_q <= '0;
      weights_q   <= '0;
      output_q    <= '0;
      data_q      <= '0;
      writing_q   <= '0;
      control_q   <= '0;
      reads_q     <= '0;
      writes_q    <= '0;
      macs_q      <= '0;
    end else if (busy_i) begin
      cycles_q <= cycles_q + 32'd1;
      if (issue_i) computing_q <= computing_q + 32'd1;
      else if (starved_i) weights_q <= weights_q + 32'd1;
      else if (active_i) output_q <= output_q + 32'd1;
      else if (compute_waits_i) data_q <= data_q + 32'd1;
      else if (writing_i) writing_q <= writing_q + 32'd1;
      else control_q <= control_q + 32'd1;
      reads_q  <= reads_q + 32'(read_beats_i[0]) + 32'(read_beats_i[1]) + 32'(read_beats_i[2]);
      writes_q <= writes_q + 32'(write_beat_i);
      macs_q   <= macs_q + 32'(entries_i);
    end
  end

  // Assertions
  // The causes account for every cycle.
  `ESP_ASSERT(CausesSumToCycles, cycles_q == computing_q + weights_q + output_q + data_q + writing_q + control_q)
endmodule
