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
    output logic [31:0]            left_o,    // beats left in the run, at least 1
    output logic                   last_o,    // this step would end the walk
    // A step of 1..left_o beats
    input  logic                   step_i,
    input  logic [4:0]             beats_i
);
  logic                   active_q, run_ends;
  logic [AddressBits-1:0] address_q, plane_q, pitch_q;
  logic [31:0]            run_q, left_q;
  logic [15:0]            planes_left_q;

  assign active_o  = active_q;
  assign address_o = address_q;
  assign left_o    = left_q;
  assign run_ends  = left_q == 32'(beats_i);
  assign last_o    = run_ends && planes_left_q == 16'd1;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
    end else if (start_i) begin
      active_q      <= 1'b1;
      address_q     <= address_i;
      plane_q       <= address_i;
      pitch_q       <= pitch_i;
      run_q         <= run_i;
      left_q        <= run_i;
      planes_left_q <= planes_i;
    end else if (step_i) begin
      if (run_ends) begin
        plane_q       <= plane_q + pitch_q;
        address_q     <= plane_q + pitch_q;
        left_q        <= run_q;
        planes_left_q <= planes_left_q - 16'd1;
        if (planes_left_q == 16'd1) active_q <= 1'b0;
      end else begin
        address_q <= address_q + AddressBits'(32'(beats_i) * Scale);
        left_q    <= left_q - 32'(beats_i);
      end
    end
  end

  // Assertions
  `ESP_ASSERT(OneWalkAtATime, !(start_i && active_q))
  `ESP_ASSERT(StepsStayInTheRun, !step_i || (active_q && beats_i != '0 && 32'(beats_i) <= left_q))
endmodule
