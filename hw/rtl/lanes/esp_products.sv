// The multiply-accumulators of a lane: sums of products of P int8 pixels, and of the weights that granules of pixels share.
//
// Operands taken with step_i count in sum_o two cycles later: product register, then accumulator. first_i starts the sums
// anew with this product. sum_o is defined in the cycle in which the last product taken has just entered it.
//
// Simulation computes with plain arithmetic. With ESP_DSP48E2 defined, as for synthesis, the primitive is instantiated:
//   PackProducts = 0: one DSP48E2 per product, the accumulator in its P register.
//   PackProducts = 1: one DSP48E2 per pair of pixels of a granule, with (high * 2^18 + low) * weight in its multiplier.
//     P holds two fields. The low field of 18 bits is separated every cycle: its low 16 bits stay, always on top of 2^16,
//     so that 0 <= 2^16 + low sum + product < 2^18 and nothing is borrowed from the high field; what exceeds 16 bits
//     (-1, 0 or 1) goes to a counter in fabric, the upper half of the accumulator. The high field holds 30 bits of its
//     accumulator; its upper two bits count in fabric how often the 30 bits wrapped. P returns through C with bit 16 set and
//     17 cleared, which is wiring. Method: two products per multiplier as in Fu et al., "Deep Learning with INT8
//     Optimization on Xilinx Devices" (2016), with the sums in P instead of adders of 32 bits in fabric.
`include "esp_assert.svh"

module esp_products #(
    parameter int unsigned Pixels       = 16,
    parameter int unsigned Granule      = 4,  // pixels that share a weight; even if products are packed
    parameter int unsigned PackProducts = 1
) (
    input  logic                          clk_i,
    input  logic                          step_i,
    input  logic                          first_i,
    input  logic [Pixels*8-1:0]           operand_i,
    input  logic [Pixels/Granule*8-1:0]   weight_i,
    output logic [Pixels*32-1:0]          sum_o
);
  if (PackProducts != 0 && Granule % 2 != 0) begin : gen_illegal
    $fatal(1, "packed products need granules of an even number of pixels");
  end

  logic product_step_q, product_first_q;
  always_ff @(posedge clk_i) begin
    product_step_q  <= step_i;
    product_first_q <= first_i;
  end

`ifdef ESP_DSP48E2
  // OPMODE is {W, Z, Y, X}: X and Y take the product, Z is 0, W is what the product is added to.
  localparam logic [8:0] AddZero = 9'b00_000_01_01;
  localparam logic [8:0] AddP    = 9'b01_000_01_01;
  localparam logic [8:0] AddRnd  = 9'b10_000_01_01;
  localparam logic [8:0] AddC    = 9'b11_000_01_01;
  localparam int unsigned Wide   = PackProducts != 0 ? 2 : 1;  // pixels per DSP48E2

  // The counters follow the P register by a cycle.
  logic sum_step_q;
  always_ff @(posedge clk_i) sum_step_q <= product_step_q;

  for (genvar i = 0; i < Pixels / Wide; i++) begin : gen_products
    logic [7:0]  weight, low, high;
    logic [47:0] sums;
    logic [26:0] preadded;
    logic [8:0]  mode;
    assign weight = weight_i[Wide*i/Granule*8+:8];
    assign low    = operand_i[Wide*i*8+:8];

    if (PackProducts != 0) begin : gen_pair
      logic [15:0] carry_q, carry;
      logic [1:0]  wraps_q, wraps, top_q, top;

      assign high     = operand_i[(Wide*i+1)*8+:8];
      assign preadded = {high[7], high, 18'd0};
      assign mode     = first_i ? AddRnd : AddC;
      // Of the low field: 00 is a carry of -1, 10 one of 1.
      assign carry    = carry_q + {16{sums[17:16] == 2'b00}} + 16'(sums[17:16] == 2'b10);
      // A product moves the 30 bits by less than 2^15, so they have wrapped if their top leaves one end for the other.
      assign top      = sums[47:46];
      always_comb begin
        wraps = wraps_q;
        if (top_q == 2'b11 && top == 2'b00) wraps = wraps_q + 2'd1;
        if (top_q == 2'b00 && top == 2'b11) wraps = wraps_q - 2'd1;
      end
      always_ff @(posedge clk_i) begin
        if (product_step_q && product_first_q) begin
          carry_q <= '0;
          wraps_q <= '0;
          top_q   <= '0;
        end else if (sum_step_q) begin
          carry_q <= carry;
          wraps_q <= wraps;
          top_q   <= top;
        end
      end
      assign sum_o[2*i*32+:64] = {wraps, sums[47:18], carry, sums[15:0]};
    end else begin : gen_single
      assign high     = '0;
      assign preadded = '0;
      assign mode     = first_i ? AddZero : AddP;
      assign sum_o[i*32+:32] = sums[31:0];
    end

    DSP48E2 #(
        .ACASCREG(0), .ADREG(0), .ALUMODEREG(0), .AMULTSEL("AD"), .AREG(0), .BCASCREG(0), .BREG(0), .CARRYINREG(0),
        .CARRYINSELREG(0), .CREG(0), .DREG(0), .INMODEREG(0), .MREG(1), .OPMODEREG(1), .PREG(1), .RND(48'h1_0000)
    ) u_dsp (
        .CLK(clk_i),
        .A({{22{low[7]}}, low}),
        .B({{10{weight[7]}}, weight}),
        .C({sums[47:18], 2'b01, sums[15:0]}),
        .D(preadded),
        .INMODE(5'b00100),  // D + A
        .OPMODE(mode),
        .ALUMODE(4'b0000),
        .CARRYIN(1'b0),
        .CARRYINSEL(3'b000),
        .CECTRL(step_i),
        .CEM(step_i),
        .CEP(product_step_q),
        .P(sums),
        .CEA1(1'b0), .CEA2(1'b0), .CEAD(1'b0), .CEALUMODE(1'b0), .CEB1(1'b0), .CEB2(1'b0), .CEC(1'b0),
        .CECARRYIN(1'b0), .CED(1'b0), .CEINMODE(1'b0), .RSTA(1'b0), .RSTALLCARRYIN(1'b0), .RSTALUMODE(1'b0),
        .RSTB(1'b0), .RSTC(1'b0), .RSTCTRL(1'b0), .RSTD(1'b0), .RSTINMODE(1'b0), .RSTM(1'b0), .RSTP(1'b0),
        .ACIN('0), .BCIN('0), .PCIN('0), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0),
        .ACOUT(), .BCOUT(), .CARRYCASCOUT(), .CARRYOUT(), .MULTSIGNOUT(), .OVERFLOW(), .PATTERNBDETECT(),
        .PATTERNDETECT(), .PCOUT(), .UNDERFLOW(), .XOROUT()
    );
  end
`else
  // The product comes last and is written blocking: the accumulator sees what it held before the edge.
  logic signed [15:0] product_q[Pixels];

  always_ff @(posedge clk_i) begin
    if (product_step_q) begin
      if (product_first_q) begin
        for (int p = 0; p < Pixels; p++) sum_o[p*32+:32] <= 32'(product_q[p]);
      end else begin
        for (int p = 0; p < Pixels; p++) sum_o[p*32+:32] <= sum_o[p*32+:32] + 32'(product_q[p]);
      end
    end
    if (step_i) begin
      for (int p = 0; p < Pixels; p++) begin
        product_q[p] = $signed(operand_i[p*8+:8]) * $signed(weight_i[p/Granule*8+:8]);
      end
    end
  end
`endif
endmodule
