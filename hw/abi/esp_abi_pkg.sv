// The contract as a SystemVerilog package.
package esp_abi_pkg;
`include "esp_abi.svh"

  // Exponent of CmdSplit, a power of two up to 8.
  function automatic logic [1:0] log2_split(input logic [7:0] split);
    log2_split = split >= 8'd8 ? 2'd3 : split >= 8'd4 ? 2'd2 : split >= 8'd2 ? 2'd1 : 2'd0;
  endfunction
endpackage
