// Walks over a transfer: `planes` runs of `run` beats, run p beginning at address + p * pitch. Scale is the address
// distance of two beats of a run.
`include "esp_assert.svh"

module esp_plane_walk #(
    parameter int unsigned AddressBits = 32,
    parameter int unsigned Scale       = 1
) (
    input  logic                   clk_i,
    input  logic                   rst_ni,
    // A new walk; only while none is active
    input  logic                   start_i,
    input  logic [AddressBits-1:0] address_i,
    input  logic [31:0]            run_i,     // at least 1
    input  logic [AddressBits-1:0] pitch_i,
    input  logic [15:0]            planes_i,  // at least 1
    // Where the walk stands
    output logic                   active_o,
    output logic [AddressBits-1:0] address_o,
    output logic [31:0]            gone_o,    // complement of the beats left in the run, of which there is one at least
    output logic                   last_o,    // this step would end the walk
    // A step of beats that are left
    input  logic                   step_i,
    input  logic [4:0]             beats_i
);
  logic                   active_q, run_ends;
  logic [AddressBits-1:0] address_q, plane_q, pitch_q;
  // Complements of what is left, which count up to all ones: a sum costs no inverters.
  logic [31:0]            run_q, gone_q;
  logic [15:0]            planes_gone_q;

  assign active_o  = active_q;
  assign address_o = address_q;
  assign gone_o    = gone_q;
  assign run_ends  = ~gone_q == 32'(beats_i);
  assign last_o    = run_ends && planes_gone_q == ~16'd1;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
    end else if (start_i) begin
      active_q      <= 1'b1;
      address_q     <= address_i;
      plane_q       <= address_i;
      pitch_q       <= pitch_i;
      run_q         <= run_i;
      gone_q        <= ~run_i;
      planes_gone_q <= ~planes_i;
    end else if (step_i) begin
      if (run_ends) begin
        plane_q       <= plane_q + pitch_q;
        address_q     <= plane_q + pitch_q;
        gone_q        <= ~run_q;
        planes_gone_q <= planes_gone_q + 16'd1;
        if (planes_gone_q == ~16'd1) active_q <= 1'b0;
      end else begin
        address_q <= address_q + AddressBits'(32'(beats_i) * Scale);
        gone_q    <= gone_q + 32'(beats_i);
      end
    end
  end

  // Assertions
  `ESP_ASSERT(OneWalkAtATime, !(start_i && active_q))
  `ESP_ASSERT(StepsStayInTheRun, !step_i || (active_q && beats_i != '0 && 32'(beats_i) <= ~gone_q))
endmodule
