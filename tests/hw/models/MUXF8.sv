// Behaviour of the MUXF8 as documented in UG574: chooses between the outputs of two MUXF7 of a slice.
module MUXF8 (
    input  logic I0,
    input  logic I1,
    input  logic S,
    output logic O
);
  assign O = S ? I1 : I0;
endmodule
