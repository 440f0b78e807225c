// Brings every lane the word it addresses: two pipeline stages from entries to bank rows, the banks' read cycle, and the
// crossbar from the banks' outputs to the lanes. Lanes 8g..8g+7 share one read port of every bank; the schedule sees to
// it that lanes of a group which meet in a bank want the same row.
`include "esp_assert.svh"

module esp_lane_router #(
    parameter int unsigned Lanes    = 16,
    parameter int unsigned Pixels   = 16,
    parameter int unsigned BankRows = 4096
) (
    input  logic                            clk_i,
    input  logic                            rst_ni,
    // Issue
    input  logic                            issue_i,
    input  logic [Lanes*32-1:0]             slot_i,
    input  logic [15:0]                     base_i,
    input  logic                            maximum_i,
    // Bank ports: row and enable per group and bank, in the cycle of the read; data in the next cycle
    output logic [Groups*16-1:0]            read_o,
    output logic [Groups*16*RowBits-1:0]    row_o,
    input  logic [Groups*16*Pixels*8-1:0]   data_i,
    // Lanes, two cycles after the read
    output logic [Lanes-1:0]                valid_o,
    output logic [Lanes-1:0]                last_o,
    output logic                            maximum_o,
    output logic [Lanes*8-1:0]              weight_o,
    output logic [Lanes*Pixels*8-1:0]       word_o
);
  localparam int unsigned PortLanes = esp_abi_pkg::LanesPerPort;
  localparam int unsigned Groups    = (Lanes + PortLanes - 1) / PortLanes;
  localparam int unsigned RowBits   = $clog2(BankRows);

  // Entries with their addresses, then with their banks: fields that travel beside the read.
  logic [Lanes-1:0]    address_valid_q, address_last_q, route_valid_q, route_last_q, word_valid_q, word_last_q;
  logic [Lanes*16-1:0] address_q;
  logic [Lanes*8-1:0]  address_weight_q, route_weight_q, word_weight_q;
  logic [Lanes*4-1:0]  route_bank_q, word_bank_q;
  logic                address_maximum_q, route_maximum_q, word_maximum_q;

  // Rows by group and bank. Lanes of a group that meet in a bank want the same row, so the last one may win.
  logic [Groups*16-1:0] read;
  logic [RowBits-1:0]   row[Groups*16];

  always_comb begin
    read = '0;
    for (int i = 0; i < Groups * 16; i++) row[i] = '0;
    for (int k = 0; k < Lanes; k++) begin
      if (address_valid_q[k]) begin
        read[(k/PortLanes)*16+32'(address_q[k*16+:4])] = 1'b1;
        row[(k/PortLanes)*16+32'(address_q[k*16+:4])]  = address_q[k*16+4+:RowBits];
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      address_valid_q <= '0;
      address_last_q  <= '0;
      route_valid_q   <= '0;
      route_last_q    <= '0;
      word_valid_q    <= '0;
      word_last_q     <= '0;
      read_o          <= '0;
    end else begin
      for (int k = 0; k < Lanes; k++) begin
        address_valid_q[k] <= issue_i && slot_i[k*32+esp_abi_pkg::EntryValidLsb];
        address_last_q[k]  <= issue_i && slot_i[k*32+esp_abi_pkg::EntryLastLsb];
      end
      route_valid_q <= address_valid_q;
      route_last_q  <= address_last_q;
      word_valid_q  <= route_valid_q;
      word_last_q   <= route_last_q;
      read_o        <= read;
    end
    if (issue_i) begin
      for (int k = 0; k < Lanes; k++) begin
        address_q[k*16+:16]      <= base_i + slot_i[k*32+esp_abi_pkg::EntryOffsetLsb+:16];
        address_weight_q[k*8+:8] <= slot_i[k*32+esp_abi_pkg::EntryWeightLsb+:8];
      end
      address_maximum_q <= maximum_i;
    end
    for (int i = 0; i < Groups * 16; i++) row_o[i*RowBits+:RowBits] <= row[i];
    for (int k = 0; k < Lanes; k++) route_bank_q[k*4+:4] <= address_q[k*16+:4];
    route_weight_q  <= address_weight_q;
    route_maximum_q <= address_maximum_q;
    word_bank_q     <= route_bank_q;
    word_weight_q   <= route_weight_q;
    word_maximum_q  <= route_maximum_q;
  end

  assign valid_o   = word_valid_q;
  assign last_o    = word_last_q;
  assign maximum_o = word_maximum_q;
  assign weight_o  = word_weight_q;
  for (genvar k = 0; k < Lanes; k++) begin : gen_crossbar
    localparam int unsigned Group = k / PortLanes;
    assign word_o[k*Pixels*8+:Pixels*8] =
        data_i[(Group*16+32'(word_bank_q[k*4+:4]))*Pixels*8+:Pixels*8];
  end
endmodule
