// Assertion macros; empty for Yosys and when SYNTHESIS is defined. One-cycle properties on clk_i, off in reset.
`ifndef ESP_ASSERT_SVH
`define ESP_ASSERT_SVH
`ifdef YOSYS
`define ESP_ASSERT(Name, Property)
`define ESP_COVER(Name, Property)
`elsif SYNTHESIS
`define ESP_ASSERT(Name, Property)
`define ESP_COVER(Name, Property)
`else
`define ESP_ASSERT(Name, Property) \
  Name: assert property (@(posedge clk_i) disable iff (!rst_ni) (Property)) \
  else $error("%m: Name failed");
`define ESP_COVER(Name, Property) \
  Name: cover property (@(posedge clk_i) disable iff (!rst_ni) (Property));
`endif
`endif
