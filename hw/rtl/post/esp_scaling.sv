// Scales the pixels of a row: value = low * scale + high * 2^16 * scale, the product of an accumulator in two halves and
// the multiplier of its granule. OperationAdd (adds_i): value = low * scale + high * high_scale, two operands with scales
// of their own, given times 2^17; its lower 16 bits do not count, and the shift that follows is 17 longer.
//
// Operands are taken with step_i; the values are there in the next cycle and until the next step.
//
// Simulation computes with plain arithmetic. With ESP_DSP48E2 defined, as for synthesis, each pixel has two DSP48E2 in
// cascade: the first gives 2 * low * scale, the second adds high * scale to that divided by 2^17 (OperationAdd: not
// divided, and the second scale doubled).
module esp_scaling #(
    parameter int unsigned Pixels  = 16,
    parameter int unsigned Granule = 4  // pixels that share a scale
) (
    input  logic                           clk_i,
    input  logic                           step_i,
    input  logic                           adds_i,
    input  logic [Pixels*16-1:0]           low_i,         // unsigned; OperationAdd: signed
    input  logic [Pixels*16-1:0]           high_i,        // signed
    input  logic [Pixels/Granule*24-1:0]   scale_i,
    input  logic [23:0]                    high_scale_i,  // OperationAdd
    output logic [Pixels*64-1:0]           value_o        // signed, of less than 2^57
);
`ifdef ESP_DSP48E2
  // OPMODE is {W, Z, Y, X}: X and Y take the product, Z is 0 or the cascade, divided by 2^17 or not.
  localparam logic [8:0] Product     = 9'b00_000_01_01;
  localparam logic [8:0] AddShifted  = 9'b00_101_01_01;
  localparam logic [8:0] AddCascaded = 9'b00_001_01_01;

  for (genvar q = 0; q < Pixels / Granule; q++) begin : gen_granule
    logic [24:0] high_scale;
    assign high_scale = adds_i ? {high_scale_i, 1'b0} : {1'b0, scale_i[q*24+:24]};

    for (genvar i = 0; i < Granule; i++) begin : gen_pixel
      localparam int unsigned Pixel = q * Granule + i;
      logic [15:0] low, high;
      logic [47:0] first, second, cascade;
      assign low  = low_i[Pixel*16+:16];
      assign high = high_i[Pixel*16+:16];
      assign value_o[Pixel*64+:64] = {{7{second[40]}}, second[40:0], first[16:1]};

      for (genvar half = 0; half < 2; half++) begin : gen_half
        logic [47:0] product, product_cascade;
        DSP48E2 #(
            .ACASCREG(0), .ADREG(0), .ALUMODEREG(0), .AMULTSEL("A"), .AREG(0), .BCASCREG(0), .BREG(0), .CARRYINREG(0),
            .CARRYINSELREG(0), .CREG(0), .DREG(0), .INMODEREG(0), .MREG(1), .OPMODEREG(1), .PREG(0)
        ) u_dsp (
            .CLK(clk_i),
            .A(half == 0 ? {6'd0, scale_i[q*24+:24]} : {5'd0, high_scale}),
            .B(half == 0 ? {adds_i && low[15], low, 1'b0} : {{2{high[15]}}, high}),
            .C('0),
            .D('0),
            .INMODE(5'b00000),
            .OPMODE(half == 0 ? Product : adds_i ? AddCascaded : AddShifted),
            .ALUMODE(4'b0000),
            .CARRYIN(1'b0),
            .CARRYINSEL(3'b000),
            .PCIN(half == 0 ? 48'd0 : cascade),
            .CECTRL(step_i),
            .CEM(step_i),
            .CEP(1'b0),
            .P(product),
            .PCOUT(product_cascade),
            .CEA1(1'b0), .CEA2(1'b0), .CEAD(1'b0), .CEALUMODE(1'b0), .CEB1(1'b0), .CEB2(1'b0), .CEC(1'b0),
            .CECARRYIN(1'b0), .CED(1'b0), .CEINMODE(1'b0), .RSTA(1'b0), .RSTALLCARRYIN(1'b0), .RSTALUMODE(1'b0),
            .RSTB(1'b0), .RSTC(1'b0), .RSTCTRL(1'b0), .RSTD(1'b0), .RSTINMODE(1'b0), .RSTM(1'b0), .RSTP(1'b0),
            .ACIN('0), .BCIN('0), .CARRYCASCIN(1'b0), .MULTSIGNIN(1'b0),
            .ACOUT(), .BCOUT(), .CARRYCASCOUT(), .CARRYOUT(), .MULTSIGNOUT(), .OVERFLOW(), .PATTERNBDETECT(),
            .PATTERNDETECT(), .UNDERFLOW(), .XOROUT()
        );
        if (half == 0) begin : gen_first
          assign first   = product;
          assign cascade = product_cascade;
        end else begin : gen_second
          assign second = product;
        end
      end
    end
  end
`else
  logic signed [63:0] low, high;  // products of the pixel at hand

  always_ff @(posedge clk_i) begin
    if (step_i) begin
      for (int p = 0; p < Pixels; p++) begin
        low  = 64'($signed({adds_i && low_i[p*16+15], low_i[p*16+:16]})) *
               64'($signed({1'b0, scale_i[p/Granule*24+:24]}));
        high = 64'($signed(high_i[p*16+:16])) *
               64'($signed({1'b0, adds_i ? high_scale_i : scale_i[p/Granule*24+:24]}));
        value_o[p*64+:64] <= adds_i ? (low + high) <<< 17 : low + (high <<< 16);
      end
    end
  end
`endif
endmodule
