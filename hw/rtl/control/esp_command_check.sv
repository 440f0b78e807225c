// Decodes a fetched command and finds its first fault: opcode, then fields by bit position.
module esp_command_check #(
    parameter int unsigned Lanes     = 16,
    parameter int unsigned SlotDepth = 8192
) (
    input  logic [511:0] command_i,
    output logic [4:0]   unit_o,    // one-hot: load, weight, compute, store, mark
    output logic [7:0]   error_o,   // ErrorNone if the command may be dispatched
    output logic [31:0]  detail_o
);
  logic [7:0] opcode, window, format;
  logic transfers, plane_transfers, dense, single;

  assign opcode          = command_i[esp_abi_pkg::CmdOpcodeLsb+:8];
  assign window          = command_i[esp_abi_pkg::CmdWindowLsb+:8];
  assign format          = command_i[esp_abi_pkg::CmdFormatLsb+:8];
  assign unit_o          = {opcode == 8'(esp_abi_pkg::OpMark), opcode == 8'(esp_abi_pkg::OpStore),
                            opcode == 8'(esp_abi_pkg::OpCompute), opcode == 8'(esp_abi_pkg::OpWeight),
                            opcode == 8'(esp_abi_pkg::OpLoad)};
  assign transfers       = unit_o[0] || unit_o[1] || unit_o[3];
  assign plane_transfers = unit_o[0] || unit_o[3];
  assign dense           = unit_o[1] && format == 8'(esp_abi_pkg::FormatDense);
  assign single          = command_i[esp_abi_pkg::CmdCountXLsb+:16] == 16'd1 &&
                           command_i[esp_abi_pkg::CmdCountYLsb+:16] == 16'd1;

  always_comb begin
    error_o  = 8'(esp_abi_pkg::ErrorField);
    detail_o = '0;
    if (unit_o == '0) begin
      error_o  = 8'(esp_abi_pkg::ErrorOpcode);
      detail_o = 32'(opcode);
    end else if (unit_o[4] && command_i[esp_abi_pkg::CmdLayerLsb+:16] >= 16'(esp_abi_pkg::MarkDepth)) begin
      detail_o = esp_abi_pkg::CmdLayerLsb;
    end else if (transfers && window >= 8'(esp_abi_pkg::Windows)) begin
      detail_o = esp_abi_pkg::CmdWindowLsb;
    end else if (unit_o[3] && (window == 8'(esp_abi_pkg::WindowProgram) || window == 8'(esp_abi_pkg::WindowInput))) begin
      error_o  = 8'(esp_abi_pkg::ErrorReadOnly);
      detail_o = 32'(window);
    end else if (unit_o[1] && format >= 8'(esp_abi_pkg::Formats)) begin
      detail_o = esp_abi_pkg::CmdFormatLsb;
    end else if (unit_o[2] && (command_i[esp_abi_pkg::CmdSlotsLsb+:32] == '0 ||
                               (command_i[esp_abi_pkg::CmdSlotsLsb+:32] > SlotDepth && !single))) begin
      detail_o = esp_abi_pkg::CmdSlotsLsb;
    end else if (transfers && command_i[esp_abi_pkg::CmdRunLsb+:32] == '0) begin
      detail_o = esp_abi_pkg::CmdRunLsb;
    end else if (unit_o[2] && command_i[esp_abi_pkg::CmdCountXLsb+:16] == '0) begin
      detail_o = esp_abi_pkg::CmdCountXLsb;
    end else if (unit_o[2] && command_i[esp_abi_pkg::CmdCountYLsb+:16] == '0) begin
      detail_o = esp_abi_pkg::CmdCountYLsb;
    end else if (plane_transfers && command_i[esp_abi_pkg::CmdPlanesLsb+:16] == '0) begin
      detail_o = esp_abi_pkg::CmdPlanesLsb;
    end else if (unit_o[1] && command_i[esp_abi_pkg::CmdItemsLsb+:32] == '0) begin
      detail_o = esp_abi_pkg::CmdItemsLsb;
    end else if (unit_o[2] && (command_i[esp_abi_pkg::CmdUnrollLsb+:8] == '0 ||
                               command_i[esp_abi_pkg::CmdUnrollLsb+:8] > 8'd16)) begin
      detail_o = esp_abi_pkg::CmdUnrollLsb;
    end else if (unit_o[2] && command_i[esp_abi_pkg::CmdOperationLsb+:8] >= 8'(esp_abi_pkg::Operations)) begin
      detail_o = esp_abi_pkg::CmdOperationLsb;
    end else if (dense && command_i[esp_abi_pkg::CmdCount0Lsb+:16] == '0) begin
      detail_o = esp_abi_pkg::CmdCount0Lsb;
    end else if (dense && command_i[esp_abi_pkg::CmdCount1Lsb+:16] == '0) begin
      detail_o = esp_abi_pkg::CmdCount1Lsb;
    end else if (dense && command_i[esp_abi_pkg::CmdCount2Lsb+:16] == '0) begin
      detail_o = esp_abi_pkg::CmdCount2Lsb;
    end else if (unit_o[2] && command_i[esp_abi_pkg::CmdSplitLsb+:8] != 8'd1) begin
      detail_o = esp_abi_pkg::CmdSplitLsb;
    end else if (dense && (command_i[esp_abi_pkg::CmdTailLanesLsb+:8] == '0 ||
                           32'(command_i[esp_abi_pkg::CmdTailLanesLsb+:8]) > Lanes)) begin
      detail_o = esp_abi_pkg::CmdTailLanesLsb;
    end else begin
      error_o = 8'(esp_abi_pkg::ErrorNone);
    end
  end
endmodule
