// Behaviour of the DSP48E2 as documented in UG579, as far as the design wires it: pre-adder of 27 bits, multiplier of
// 27 x 18 bits, ALU of 48 bits that adds the outputs of the W, X, Y and Z multiplexers, and the registers between them.
// What the model does not cover stops the simulation.
module DSP48E2 #(
    parameter ACASCREG = 1,
    parameter ADREG = 1,
    parameter ALUMODEREG = 1,
    parameter AMULTSEL = "A",
    parameter AREG = 1,
    parameter BCASCREG = 1,
    parameter BREG = 1,
    parameter CARRYINREG = 1,
    parameter CARRYINSELREG = 1,
    parameter CREG = 1,
    parameter DREG = 1,
    parameter INMODEREG = 1,
    parameter MREG = 1,
    parameter OPMODEREG = 1,
    parameter PREG = 1,
    parameter [47:0] RND = 48'd0
) (
    input  logic        CLK,
    input  logic [29:0] A,
    input  logic [17:0] B,
    input  logic [47:0] C,
    input  logic [26:0] D,
    input  logic [4:0]  INMODE,
    input  logic [8:0]  OPMODE,
    input  logic [3:0]  ALUMODE,
    input  logic        CARRYIN,
    input  logic [2:0]  CARRYINSEL,
    input  logic        CEA1, CEA2, CEAD, CEALUMODE, CEB1, CEB2, CEC, CECARRYIN, CECTRL, CED, CEINMODE, CEM, CEP,
    input  logic        RSTA, RSTALLCARRYIN, RSTALUMODE, RSTB, RSTC, RSTCTRL, RSTD, RSTINMODE, RSTM, RSTP,
    input  logic [29:0] ACIN,
    input  logic [17:0] BCIN,
    input  logic [47:0] PCIN,
    input  logic        CARRYCASCIN, MULTSIGNIN,
    output logic [47:0] P,
    output logic [47:0] PCOUT,
    output logic [29:0] ACOUT,
    output logic [17:0] BCOUT,
    output logic [3:0]  CARRYOUT,
    output logic [7:0]  XOROUT,
    output logic        CARRYCASCOUT, MULTSIGNOUT, OVERFLOW, PATTERNBDETECT, PATTERNDETECT, UNDERFLOW
);
  // Pre-adder: INMODE 00100 is D + A; without it the multiplier takes A.
  logic signed [26:0] multiplicand;
  logic signed [44:0] product, product_q;
  logic [8:0]         mode_q, mode;
  logic [47:0]        w, xy, z, sum, sum_q;

  assign multiplicand = $signed(AMULTSEL == "AD" ? A[26:0] + D : A[26:0]);
  assign product      = 45'(multiplicand) * 45'($signed(B));
  assign mode         = OPMODEREG != 0 ? mode_q : OPMODE;

  always_comb begin
    case (mode[8:7])
      2'b00:   w = 48'd0;
      2'b01:   w = sum_q;
      2'b10:   w = RND;
      default: w = C;
    endcase
    case (mode[6:4])
      3'b000:  z = 48'd0;
      3'b001:  z = PCIN;
      3'b101:  z = 48'($signed(PCIN) >>> 17);
      default: z = 48'd0;
    endcase
    // X and Y take the two halves of the product together.
    xy  = 48'(MREG != 0 ? product_q : product);
    sum = z + w + xy;
  end

  always_ff @(posedge CLK) begin
    if (CECTRL) mode_q <= OPMODE;
    if (CEM) product_q <= product;
    if (CEP) sum_q <= sum;
  end

  assign P     = PREG != 0 ? sum_q : sum;
  assign PCOUT = P;
  assign {ACOUT, BCOUT, CARRYOUT, XOROUT, CARRYCASCOUT, MULTSIGNOUT, OVERFLOW, PATTERNBDETECT, PATTERNDETECT, UNDERFLOW} =
      '0;

  initial begin
    if (ADREG != 0 || AREG != 0 || OPMODEREG == 0 || BREG != 0 ||
        CREG != 0 || DREG != 0 || INMODEREG != 0 || ALUMODEREG != 0 ||
        (AMULTSEL != "AD" && AMULTSEL != "A")) begin
      $error("a register or path that the model lacks");
    end
  end
  always_ff @(posedge CLK) begin
    if (CECTRL && (INMODE != (AMULTSEL == "AD" ? 5'b00100 : 5'b00000) || {ALUMODE, CARRYIN, CARRYINSEL} != '0 ||
                   OPMODE[3:0] != 4'b0101 || !(OPMODE[6:4] inside {3'b000, 3'b001, 3'b101}))) begin
      $error("a mode that the model lacks");
    end
  end
endmodule
