// P pixels from their scaled values to int8: value / 2^shift to nearest, ties to even, then zero point and clamp.
// |value| < 2^57, so that twice the value fits; bits 63 to 57 are copies of its sign. Pixels are there in the cycle
// after step_i, until the next step.
//
// The shifter goes from the coarse digit of the shift to the fine one and keeps only the bits that later digits can still
// bring into the window of 11 bits: 26, 14, 11. What it drops is summed up in two flags: bits above the window that are
// not the sign, and ones below it.
module esp_requantise #(
    parameter int unsigned Pixels  = 16,
    parameter int unsigned Granule = 4  // pixels that share a shift
) (
    input  logic                        clk_i,
    input  logic                        step_i,
    input  logic [Pixels*64-1:0]        value_i,
    input  logic                        whole_i,  // the lower 16 bits do not count; the shift is longer than 16
    input  logic [Pixels/Granule*6-1:0] shift_i,
    input  logic [7:0]                  zero_i,
    input  logic [7:0]                  low_i,
    input  logic [7:0]                  high_i,
    output logic [Pixels*8-1:0]         pixel_o
);
  function automatic logic [7:0] requantised(input logic [63:0] value, input logic whole, input logic [5:0] shift,
                                             input logic [7:0] zero, input logic [7:0] low, input logic [7:0] high);
    logic [74:0]        halves;  // twice the value, with its sign
    logic [25:0]        coarse;
    logic [13:0]        middle;
    logic [10:0]        window;  // floor of value / 2^(shift - 1)
    logic               sign, above, below, up;
    logic [1:0]         above_coarse;
    logic [2:0]         above_middle, above_fine, below_coarse, below_middle;
    logic signed [10:0] sum;

    sign   = value[57];
    halves = {{10{value[63]}}, value[63:16], value[15] && !whole, value[14:0], 1'b0};
    coarse = halves[32'(shift[5:4])*16+:26];
    middle = coarse[32'(shift[3:2])*4+:14];
    window = middle[32'(shift[1:0])+:11];

    // By groups: what a digit of 0 leaves above, and what digits of 1, 2 and 3 bring below.
    above_coarse = {halves[57:42] != {16{sign}}, halves[41:26] != {16{sign}}};
    below_coarse = {halves[47:32] != '0, halves[31:16] != '0, halves[15:0] != '0 && !whole};
    above_middle = {coarse[25:22] != {4{sign}}, coarse[21:18] != {4{sign}}, coarse[17:14] != {4{sign}}};
    below_middle = {coarse[11:8] != '0, coarse[7:4] != '0, coarse[3:0] != '0};
    above_fine   = middle[13:11] ^ {3{sign}};
    above = window[10] != sign ||
            (shift[5:4] == 2'd0 && above_coarse[0]) || (shift[5] == 1'b0 && above_coarse[1]) ||
            (shift[3:2] == 2'd0 && above_middle[0]) || (shift[3] == 1'b0 && above_middle[1]) ||
            (shift[3:2] != 2'd3 && above_middle[2]) ||
            (shift[1:0] == 2'd0 && above_fine[0]) || (shift[1] == 1'b0 && above_fine[1]) ||
            (shift[1:0] != 2'd3 && above_fine[2]);
    below = (shift[5:4] != 2'd0 && below_coarse[0]) || (shift[5] == 1'b1 && below_coarse[1]) ||
            (shift[5:4] == 2'd3 && below_coarse[2]) ||
            (shift[3:2] != 2'd0 && below_middle[0]) || (shift[3] == 1'b1 && below_middle[1]) ||
            (shift[3:2] == 2'd3 && below_middle[2]) ||
            (shift[1:0] != 2'd0 && middle[0]) || (shift[1] == 1'b1 && middle[1]) ||
            (shift[1:0] == 2'd3 && middle[2]);
    up  = window[0] && (window[1] || below);
    sum = 11'($signed(window[10:1])) + 11'($signed(zero)) + 11'(up);

    // Outside of 10 bits no zero point brings the sum back into int8.
    if (above) requantised = sign ? low : high;
    else if (sum < 11'($signed(low))) requantised = low;
    else if (sum > 11'($signed(high))) requantised = high;
    else requantised = sum[7:0];
  endfunction

  always_ff @(posedge clk_i) begin
    if (step_i) begin
      for (int p = 0; p < Pixels; p++) begin
        pixel_o[p*8+:8] <= requantised(value_i[p*64+:64], whole_i, shift_i[p/Granule*6+:6], zero_i, low_i, high_i);
      end
    end
  end
endmodule
