// The contract as a SystemVerilog package.
package esp_abi_pkg;
`include "esp_abi.svh"

  // Exponent of CmdSplit, a power of two up to 8.
  function automatic logic [1:0] log2_split(input logic [7:0] split);
    log2_split = split >= 8'd8 ? 2'd3 : split >= 8'd4 ? 2'd2 : split >= 8'd2 ? 2'd1 : 2'd0;
  endfunction

  // Rows and scales that the tables take at once: the largest split.
  function automatic int unsigned table_group(input int unsigned lanes, input int unsigned pixels);
    table_group = 64 / lanes < pixels ? 64 / lanes : pixels;
  endfunction

  // Products of a lane in a slot of WeightsVector.
  function automatic int unsigned vector_products(input int unsigned lanes, input int unsigned pixels);
    vector_products = table_group(lanes, pixels) < VectorProducts ? table_group(lanes, pixels) : VectorProducts;
  endfunction

  // A lane's part of a slot of WeightsVector: {last, words used, second and first word, products {word, byte, weight}}.
  function automatic int unsigned vector_bits(input int unsigned lanes, input int unsigned pixels);
    vector_bits = vector_products(lanes, pixels) * (9 + $clog2(pixels)) + 2 * (16 - $clog2(pixels)) + 3;
  endfunction

  // The parts in which a line of the weight store is written, four for each 16 lanes, and where the first of them ends: see
  // esp_line_store.
  function automatic int unsigned line_parts(input int unsigned lanes);
    line_parts = lanes > 16 ? 4 * lanes / 16 : 4;
  endfunction

  function automatic int unsigned line_first_end(input int unsigned lanes);
    line_first_end = lanes > 16 ? 8 : 24;
  endfunction
endpackage
