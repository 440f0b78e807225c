// The rows that a slot reads, by group of lanes and bank. Lanes of a group that meet in a bank want the same row. Of
// WeightsVector lane k has banks 2k and 2k + 1 of its group to itself, the second for the row given apart.
//
// Every bank reads the row of its first lane, whatever the others want. Simulation goes through the lanes; with ESP_DSP48E2
// defined, as for synthesis, every bank chooses a lane, which costs half of what joining the rows of all lanes would.
module esp_bank_rows #(
    parameter int unsigned Lanes   = 16,
    parameter int unsigned RowBits = 12,
    parameter int unsigned Coded   = 1,  // 0: there is no WeightsVector
    localparam int unsigned PortLanes = esp_abi_pkg::LanesPerPort,
    localparam int unsigned Groups    = (Lanes + PortLanes - 1) / PortLanes
) (
    input  logic [Lanes-1:0]             valid_i,
    input  logic [Lanes*16-1:0]          address_i,       // {row, bank}
    input  logic                         vector_i,        // WeightsVector
    input  logic [Lanes-1:0]             second_valid_i,
    input  logic [Lanes*RowBits-1:0]     second_row_i,
    output logic [Groups*16-1:0]         read_o,
    output logic [Groups*16*RowBits-1:0] row_o
);
  /* verilator inline_module */  // or simulation copies the ports

`ifdef ESP_DSP48E2
  for (genvar g = 0; g < Groups; g++) begin : gen_group
    logic [PortLanes*RowBits-1:0] rows;  // that the lanes of the group want

    for (genvar k = 0; k < PortLanes; k++) begin : gen_lane
      assign rows[k*RowBits+:RowBits] = address_i[(g*PortLanes+k)*16+4+:RowBits];
    end

    for (genvar b = 0; b < 16; b++) begin : gen_bank
      logic [PortLanes-1:0] wants;
      logic [2:0]           first;
      logic [RowBits-1:0]   row;

      for (genvar k = 0; k < PortLanes; k++) begin : gen_wants
        assign wants[k] = valid_i[g*PortLanes+k] && address_i[(g*PortLanes+k)*16+:4] == 4'(b);
      end
      always_comb begin
        first = '0;
        for (int k = PortLanes - 1; k > 0; k--) if (wants[k]) first = 3'(k);
        if (wants[0]) first = '0;
      end

      esp_wide_mux #(
          .Width(RowBits),
          .Choices(PortLanes)
      ) u_row (
          .words_i(rows),
          .select_i(first),
          .word_o(row)
      );

      if (Coded != 0 && b % 2 == 1) begin : gen_second
        assign read_o[g*16+b] = vector_i ? second_valid_i[g*PortLanes+b/2] : wants != '0;
        assign row_o[(g*16+b)*RowBits+:RowBits] = vector_i ? second_row_i[(g*PortLanes+b/2)*RowBits+:RowBits] : row;
      end else begin : gen_first
        assign read_o[g*16+b] = wants != '0;
        assign row_o[(g*16+b)*RowBits+:RowBits] = row;
      end
    end
  end
`else
  logic [RowBits-1:0] row[Groups*16];

  always_comb begin
    read_o = '0;
    for (int i = 0; i < Groups * 16; i++) row[i] = '0;
    for (int k = Lanes - 1; k >= 0; k--) begin
      if (valid_i[k]) begin
        read_o[(k/PortLanes)*16+32'(address_i[k*16+:4])] = 1'b1;
        row[(k/PortLanes)*16+32'(address_i[k*16+:4])] = address_i[k*16+4+:RowBits];
      end
    end
    if (Coded != 0 && vector_i) begin
      for (int k = 0; k < Lanes; k++) begin
        read_o[(k/PortLanes)*16+2*(k%PortLanes)+1] = second_valid_i[k];
        row[(k/PortLanes)*16+2*(k%PortLanes)+1]    = second_row_i[k*RowBits+:RowBits];
      end
    end
    for (int i = 0; i < Groups * 16; i++) row_o[i*RowBits+:RowBits] = row[i];
  end
`endif
endmodule
