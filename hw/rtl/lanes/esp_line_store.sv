// The weight store: a RAM of lines, which are written in parts and read whole.
//
// Of a line a lane has W = 8 * LineWeights bits of weights, and behind them A = {segment, last, valid, offset} of 21 bits.
//   WeightsDense   all weights
//   WeightsBlock   all weights and A
//   WeightsSparse  with one slot in a line: weight 0, and A but for the segment. With two: the first slot has weight 0, the
//                  offset in weights 1 and 2, and last and valid in the low bits of the segment; the second one has weight 3
//                  and the rest of A.
// So the lane has four parts, which are written apart: the bits of the first slot's weight and offset, the other weights, A
// without the segment, the segment. A piece of a line writes the parts that it brings, of all lanes or of 16 of them, and
// no piece is held until the others arrive. What was written last stays in the other parts.
//
// Simulation has one RAM, a line in one piece. With ESP_DSP48E2 defined, and for Yosys, every part has its own.
`ifdef YOSYS
`define ESP_LINE_PARTS
`elsif ESP_DSP48E2
`define ESP_LINE_PARTS
`endif

module esp_line_store #(
    parameter int unsigned Lanes    = 16,
    parameter int unsigned LineBits = 53,    // of a lane
    parameter int unsigned Depth    = 4096,
    parameter int unsigned UltraStore = 1,   // in UltraRAM if the device has it, otherwise in block RAM
    localparam int unsigned Parts   = esp_abi_pkg::line_parts(Lanes)
) (
    input  logic                      clk_i,
    input  logic [Parts-1:0]          part_i,  // that are written: the four of lanes 0..15 first
    input  logic [$clog2(Depth)-1:0]  write_addr_i,
    input  logic [Lanes*LineBits-1:0] line_i,
    input  logic                      read_i,
    input  logic [$clog2(Depth)-1:0]  read_addr_i,
    output logic [Lanes*LineBits-1:0] line_o
);
  localparam int unsigned FirstEnd   = esp_abi_pkg::line_first_end(Lanes);
  localparam int unsigned WeightsEnd = 512 / Lanes;
  localparam int unsigned AddressEnd = WeightsEnd + 18;

`ifdef ESP_LINE_PARTS
  localparam int unsigned PieceLanes = Lanes > 16 ? 16 : Lanes;

  for (genvar part = 0; part < Parts; part++) begin : gen_part
    localparam int unsigned FirstLane = part / 4 * PieceLanes;
    localparam int unsigned Begin     = part % 4 == 0 ? 0 : part % 4 == 1 ? FirstEnd : part % 4 == 2 ? WeightsEnd :
                                        AddressEnd;
    localparam int unsigned End       = part % 4 == 0 ? FirstEnd : part % 4 == 1 ? WeightsEnd : part % 4 == 2 ?
                                        AddressEnd : LineBits;
    localparam int unsigned Width     = End - Begin;
    logic [PieceLanes*Width-1:0] write_data, read_data;

    for (genvar k = 0; k < PieceLanes; k++) begin : gen_lane
      assign write_data[k*Width+:Width] = line_i[(FirstLane+k)*LineBits+Begin+:Width];
      assign line_o[(FirstLane+k)*LineBits+Begin+:Width] = read_data[k*Width+:Width];
    end

    esp_ram #(
        .Width(PieceLanes * Width),
        .Depth(Depth),
        .Large(UltraStore)
    ) u_ram (
        .clk_i,
        .write_i(part_i[part]),
        .write_addr_i,
        .write_data_i(write_data),
        .read_i,
        .read_addr_i,
        .read_data_o(read_data)
    );
  end
`else
  logic [Lanes*LineBits-1:0] memory[Depth];
  logic [Lanes*LineBits-1:0] mask;  // of the bits written; used where it is computed

  // The read comes first and the write is blocking, so that simulation needs no delayed copy of the line.
  always_ff @(posedge clk_i) begin
    if (read_i) line_o <= memory[read_addr_i];
    if (part_i == '1) begin
      memory[write_addr_i] = line_i;
    end else if (part_i != '0) begin
      for (int k = 0; k < Lanes; k++) begin
        mask[k*LineBits+:LineBits] = {
            {LineBits - AddressEnd{part_i[k/16*4+3]}}, {AddressEnd - WeightsEnd{part_i[k/16*4+2]}},
            {WeightsEnd - FirstEnd{part_i[k/16*4+1]}}, {FirstEnd{part_i[k/16*4]}}};
      end
      memory[write_addr_i] = (memory[write_addr_i] & ~mask) | (line_i & mask);
    end
  end
`endif
endmodule
