// Behaviour of the MUXF7 as documented in UG574: chooses between the outputs of two LUTs of a slice.
module MUXF7 (
    input  logic I0,
    input  logic I1,
    input  logic S,
    output logic O
);
  assign O = S ? I1 : I0;
endmodule
