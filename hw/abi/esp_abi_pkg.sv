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

  // The bits of a command that its unit reads: load, weight, compute, store, mark.
  function automatic logic [511:0] field_bits(input int unsigned lsb, input int unsigned bits);
    field_bits = ((512'd1 << bits) - 512'd1) << lsb;
  endfunction

  function automatic logic [511:0] unit_fields(input int unsigned unit);
    unit_fields = field_bits(CmdWaitLoadLsb, CmdWaitBits) | field_bits(CmdWaitWeightLsb, CmdWaitBits) |
                  field_bits(CmdWaitComputeLsb, CmdWaitBits) | field_bits(CmdWaitStoreLsb, CmdWaitBits);
    if (unit == 4) unit_fields = unit_fields | field_bits(CmdLayerLsb, CmdLayerBits);
    if (unit == 2) begin
      unit_fields = unit_fields | field_bits(CmdFlagsLsb, CmdFlagsBits) | field_bits(CmdTailLanesLsb, CmdTailLanesBits) |
                    field_bits(CmdWeightsLsb, CmdWeightsBits) | field_bits(CmdSplitLsb, CmdSplitBits) |
                    field_bits(CmdScaleLsb, 512 - CmdScaleLsb);
    end
    if (unit == 0 || unit == 1 || unit == 3) begin
      unit_fields = unit_fields | field_bits(CmdWindowLsb, 2) | field_bits(CmdAddressLsb, CmdAddressBits) |
                    field_bits(CmdOffsetLsb, CmdOffsetBits) | field_bits(CmdRunLsb, CmdRunBits);
    end
    if (unit == 0 || unit == 3) begin
      unit_fields = unit_fields | field_bits(CmdPitchLsb, CmdPitchBits) | field_bits(CmdPlanesLsb, CmdPlanesBits) |
                    field_bits(CmdWordPitchLsb, CmdWordPitchBits);
    end
    if (unit == 0) unit_fields = unit_fields | field_bits(CmdFlagsLsb, CmdFlagsBits);
    if (unit == 1) begin
      unit_fields = unit_fields | field_bits(CmdFormatLsb, CmdFormatBits) | field_bits(CmdItemsLsb, CmdItemsBits) |
                    field_bits(CmdGapBitsLsb, CmdGapBitsBits) | field_bits(CmdValueBitsLsb, CmdValueBitsBits) |
                    field_bits(CmdColumnsLsb, CmdColumnsBits);
    end
  endfunction

  // Ones of a command's bits below one of them.
  function automatic int unsigned ones_below(input logic [511:0] bits, input int unsigned bit_number);
    ones_below = 0;
    for (int unsigned i = 0; i < 512; i++) if (i < bit_number && bits[i]) ones_below = ones_below + 1;
  endfunction
endpackage
